# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import commands


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["sh", "-c", "echo $LC_ALL; echo aside >&2"], "C\n"),
        (["sh", "-c", "cat"], ""),  # nothing to read, so that no command can wait for an answer
        (["sh", "-c", "echo half; exit 1"], ""),
        (["/nowhere/sysctl"], ""),
        (["sh", "-c", "printf '\\377'"], "\ufffd"),
    ],
)
def test_what_a_command_prints(argv: list[str], told: str) -> None:
    assert commands.output(argv) == told


def test_a_command_that_takes_too_long_says_nothing() -> None:
    assert commands.output(["sh", "-c", "echo early; exec sleep 60"], patience=0.1) == ""
