# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task goes on for a while when ansible-playbook is killed, and must not keep a fault alive meanwhile."""

from __future__ import annotations

import multiprocessing
import os
from unittest.mock import Mock

import pytest

from ansible_collections.warren.load.plugins.action import fault
from ansible_collections.warren.load.plugins.plugin_utils.progress import Ended


@pytest.fixture
def play(monkeypatch):
    def run(state, playbook):
        monkeypatch.setattr(multiprocessing, "parent_process", lambda: playbook)
        task = Mock(args={"state": state, "dir": "/x"}, check_mode=False, async_val=0, no_log=False)
        action = fault.ActionModule(task, Mock(become=None), Mock(), Mock(), Mock(), Mock())
        action._execute_module = lambda **_words: {"changed": True, "faults": []}
        return action.run(None, {"inventory_hostname": "node-1"})

    return run


@pytest.mark.parametrize("state", ["armed", "renewed", "undone", "queried"])
def test_as_long_as_the_playbook_runs_the_module_does(play, state):
    assert play(state, Mock(pid=os.getppid()))["changed"]
    assert play(state, None)["changed"]  # in the playbook's own process


@pytest.mark.parametrize("state", ["armed", "renewed"])
def test_once_it_is_gone_nothing_is_done_or_renewed(play, state):
    with pytest.raises(Ended):
        play(state, Mock(pid=os.getppid() + 1))


def test_to_undo_is_always_right(play):
    assert play("undone", Mock(pid=os.getppid() + 1))["changed"]
