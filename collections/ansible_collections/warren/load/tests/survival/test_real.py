# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The most telling of these deeds, done to the real program that WARREN_BINARY names."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.tests.support.plays import PHASES, Place, inventory_of, records_of
from ansible_collections.warren.load.tests.support.worlds import Program, World, follower_of, real

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def program() -> Program:
    """The real Warren."""
    path = os.environ.get("WARREN_BINARY")
    if not path:
        pytest.skip("WARREN_BINARY does not name a real Warren")
    return real(path)


@pytest.fixture
def world(program: Program) -> Iterator[World]:
    """A cluster of this test's own: a real manager cannot come back on used data."""
    with World(program) as world:
        yield world


@pytest.fixture
def place(world: World, tmp_path: Path) -> Iterator[Place]:
    variables = {} if world.dialect is Dialect.TASKS else {"warren_load_ca_file": str(world.first.ca_file)}
    deadlines = {"warren_load_clock_factor": 1, "warren_load_await_deadline": 30, "warren_load_cleanup_deadline": 90}
    with world.fleet(2) as fleet:
        fleet.wait_registered()
        place = Place(tmp_path, inventory_of(world, tmp_path), variables | deadlines, lambda: fleet.process.pid)
        yield place
        place.kill_all()


def need(world: World, dialect: Dialect) -> None:
    """Skip where the program is of the other world."""
    if world.dialect is not dialect:
        pytest.skip(f"this is about clusters of dialect {dialect.value}")


@pytest.mark.parametrize("phase", ["create", "latency"])
def test_the_leader_of_three_dies(place: Place, world: World, phase: str) -> None:
    need(world, Dialect.TASKS)
    play = place.come_to(phase, **{"services": 300} if phase == "create" else {})
    world.nodes[world.api.leader()].process.stop(signal.SIGKILL)
    assert play.wait() == 2
    measured = place.outcome()["measurements"]
    assert (measured["create"]["failed"], measured["create"]["ambiguous"]) == (0, 0)
    assert measured["cleanup"]["containers_left"] == 0
    assert records_of(world) == 0
    assert place.locks() == []


def test_two_of_three_stand_still_during_cleanup(place: Place, world: World) -> None:
    need(world, Dialect.TASKS)
    play = place.come_to("latency")
    still = [world.api.leader(), follower_of(world)]
    for name in still:
        world.nodes[name].process.signal(signal.SIGSTOP)
    play.until_task(PHASES["cleanup"])
    time.sleep(10)
    for name in still:
        world.nodes[name].process.signal(signal.SIGCONT)
    play.wait()
    assert "Traceback" not in play.output
    assert place.outcome()["measurements"]["cleanup"]["containers_left"] == 0
    assert records_of(world) == 0


def test_the_only_manager_dies(place: Place, world: World) -> None:
    need(world, Dialect.CONTAINERS)
    play = place.come_to("create", warren_load_create_deadline=10, warren_load_cleanup_deadline=10)
    world.first.process.stop(signal.SIGKILL)
    assert play.wait() == 2
    assert "Traceback" not in play.output
    outcome = place.outcome()
    assert outcome["judgement"]["verdict"] in ("error", "fail")
    assert "cleanup" in [row["name"] for row in outcome["run"]["phases"] if row["status"] == "failed"]
    assert place.locks() == []
