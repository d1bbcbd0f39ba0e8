# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the phases that call take for granted: their writes change nothing, and a closed loop reaches a rate."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.warren.load.plugins.module_utils.api.run_names import new_run_id, service_name
from ansible_collections.warren.load.plugins.module_utils.phases import latency, methods, throughput
from ansible_collections.warren.load.tests.support.phases import run_phase
from ansible_collections.warren.load.tests.support.worlds import World

SCHEDULER = 5  # its period in clock seconds
IMAGE = "docker.io/library/nginx:alpine"


def all_there_is(world: World, *ids: str) -> dict[str, list[t.Any]]:
    """These services but for when they were updated, their container records (no other test's), and all secrets."""
    services = [one for one in world.api.read("ListServices").services if one.id in ids]
    for service in services:
        service.ClearField("updated_at")
    return {
        "services": services,
        "containers": [one for service_id in ids for one in world.containers(service_id)],
        "secrets": list(world.api.read("ListSecrets").secrets),
    }


def test_every_method_is_answered_and_the_writes_change_nothing(world: World, tmp_path: Path) -> None:
    run_id = new_run_id()
    secret = world.api.write("CreateSecret", name="kept", data=b"x").secret
    own = world.api.write("CreateService", name=service_name(run_id, 1), image=IMAGE, replicas=2).service
    foreign = world.api.write("CreateService", name="foreign", image=IMAGE, replicas=1).service
    try:
        with world.workers("m-1"):
            ids = (own.id, foreign.id)
            world.eventually(lambda: len(all_there_is(world, *ids)["containers"]) == 3, SCHEDULER, "3 records")
            before = all_there_is(world, *ids)
            updated = world.api.read("GetService", id=foreign.id).service.updated_at
            options = latency.Options(run_id, methods=list(methods.METHODS), calls=90, concurrency=4)
            ran = run_phase(world, latency, options, tmp_path)
            assert (ran.measurements["ok"], ran.measurements["errors"]) == (90, {})
            assert [row["calls"] for row in ran.measurements["methods"]] == [10] * len(methods.METHODS)
            # Neither at once, nor in what the scheduler makes of it in its next tick.
            world.stays(lambda: all_there_is(world, *ids) == before, SCHEDULER + 1, "as it was")
            assert world.api.read("GetService", id=foreign.id).service.updated_at == updated
            assert world.api.read("GetService", id=own.id).service.updated_at != own.updated_at
    finally:
        for service in (own, foreign):
            world.api.write("DeleteService", id=service.id)
        world.api.write("DeleteSecret", id=secret.id)


def test_throughput_reaches_a_rate_and_plans_half_of_it(world: World, tmp_path: Path) -> None:
    options = throughput.Options(new_run_id(), calls=200, clients=4, calls_each=50, planned_calls=100)
    ran = run_phase(world, throughput, options, tmp_path)
    measured = ran.measurements
    assert ran.problems == []
    for part, calls in (("ab", 200), ("parallel", 200), ("planned", 100)):
        assert (measured[part]["ok"], measured[part]["errors"]) == (calls, {}), part
    assert measured["highest_rate"]["value"] > 20
    assert 0.49 < measured["planned"]["rate_planned"] / measured["highest_rate"]["value"] < 0.51
