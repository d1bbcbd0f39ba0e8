# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.warren.load.plugins.plugin_utils.cluster_facts import Public
from ansible_collections.warren.load.plugins.plugin_utils.host_facts import derive


def hosts(**values: Any) -> dict[str, Any]:
    return derive(Public({"warren_load_provider": "lima", **values}), ["/home/me/inventories/lima"])


def test_three_managers_and_two_workers_unless_told_otherwise() -> None:
    found = hosts()
    assert found["managers"] == ["manager-1", "manager-2", "manager-3"]
    assert found["workers"] == ["worker-1", "worker-2"]
    assert (found["provider"], found["confirm"], found["errors"]) == ("lima", False, [])


def test_short_names_do() -> None:
    found = hosts(managers="1", workers=0, confirm="yes")
    assert (found["managers"], found["workers"], found["confirm"]) == (["manager-1"], [], True)


def test_the_mark_is_the_clusters_name_else_the_inventorys_place() -> None:
    assert hosts()["mark"] == "/home/me/inventories/lima"
    assert hosts(warren_load_cluster="blue")["mark"] == "blue"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"warren_load_provider": ""}, "This inventory has no warren_load_provider, so there is no telling how"),
        ({"warren_load_provider": "azure"}, "warren_load_provider is 'azure', so there is no telling how to make"),
        ({"managers": 0}, "warren_load_manager_hosts is 0, and a cluster has a manager"),
        ({"warren_load_netns_latency": "slow"}, "warren_load_netns_latency is 'slow': it must be a number, 0 or more."),
        ({"workers": "many"}, "warren_load_worker_hosts is 'many': it must be a whole number, 0 or more."),
    ],
)
def test_wrong_settings_are_a_sentence(values: dict[str, Any], sentence: str) -> None:
    (error,) = hosts(**values)["errors"]
    assert error.startswith(sentence)
