# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Managers die or stand still during a run: it ends by itself, says what happened, and leaves what it must at most."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.tests.support.plays import ENGINES, PHASES, Place, inventory_of, records_of
from ansible_collections.warren.load.tests.support.worlds import World, follower_of, simulator

FACTOR = 10.0


@contextlib.contextmanager
def cluster(dialect: Dialect, folder: Path) -> Iterator[tuple[World, Place]]:
    """A cluster of this test's own with two hollow workers, and a place for runs on it."""
    with World(simulator(dialect, FACTOR)) as world, world.fleet(2) as fleet:
        fleet.wait_registered()
        variables = {} if dialect is Dialect.TASKS else {"warren_load_ca_file": str(world.first.ca_file)}
        # Nobody waits longer than it takes to see that nothing comes.
        deadlines = {"warren_load_await_deadline": 6, "warren_load_cleanup_deadline": 60}
        place = Place(folder, inventory_of(world, folder), variables | deadlines, lambda: fleet.process.pid)
        try:
            yield world, place
        finally:
            place.kill_all()


@pytest.mark.parametrize("phase", ENGINES)
@pytest.mark.parametrize("who", ["follower", "leader"])
def test_a_manager_dies(tmp_path: Path, who: str, phase: str) -> None:
    """The others elect a leader. The workers of a dead leader never follow (nor do Warren's), so not all may run."""
    with cluster(Dialect.TASKS, tmp_path) as (world, place):
        play = place.come_to(phase, **{"services": 300} if phase == "create" else {})
        name = follower_of(world) if who == "follower" else world.api.leader()
        world.nodes[name].process.stop(signal.SIGKILL)
        place.thaw()
        code = play.wait()
        outcome = place.outcome()
        if who == "follower" or phase == "cleanup":
            assert code == 0
        else:
            assert code == 2
        assert outcome["measurements"]["create"]["failed"] == 0
        assert outcome["measurements"]["cleanup"]["containers_left"] == 0
        assert records_of(world) == 0
        assert place.locks() == []
        place.wait_until_gone()


@pytest.mark.parametrize(
    ("dialect", "phase"),
    [
        pytest.param(
            dialect, phase, marks=[pytest.mark.long] if dialect is Dialect.CONTAINERS and phase != "create" else []
        )
        for dialect in Dialect
        for phase in ENGINES
    ],
)
def test_all_managers_die(tmp_path: Path, dialect: Dialect, phase: str) -> None:
    """Three of three, or the only one. There is no cluster left to clean: the run ends, and says so."""
    with cluster(dialect, tmp_path) as (world, place):
        play = place.come_to(phase, warren_load_create_deadline=5, warren_load_cleanup_deadline=5)
        for node in world.nodes.values():
            node.process.stop(signal.SIGKILL)
        assert play.wait() == 2
        assert "Traceback" not in play.output
        outcome = place.outcome()
        assert not outcome["judgement"]["green"]
        # Calls without an answer are what latency measures; whoever asks for them all misses an objective.
        ended = "cleanup" if phase == "latency" else phase
        assert ended in [row["name"] for row in outcome["run"]["phases"] if row["status"] == "failed"]
        assert place.red_cases()
        assert place.locks() == []
        place.wait_until_gone()

        again = place.start("cleanup")
        assert again.wait() == 2
        assert "no manager can be reached" in again.output.lower()


@pytest.mark.parametrize("phase", ENGINES)
def test_two_of_three_stand_still(tmp_path: Path, phase: str) -> None:
    """No leader, and connections that hang. Cleanup goes on when they come back while it tries."""
    with cluster(Dialect.TASKS, tmp_path) as (world, place):
        play = place.come_to(phase, warren_load_create_deadline=8)
        still = [world.api.leader(), follower_of(world)]
        for name in still:
            world.nodes[name].process.signal(signal.SIGSTOP)
        play.until_task(PHASES["cleanup"])
        play.until(lambda: place.status().get("phase") == "cleanup", "cleanup")
        time.sleep(3)
        for name in still:
            world.nodes[name].process.signal(signal.SIGCONT)
        play.wait()
        assert "Traceback" not in play.output
        assert place.outcome()["measurements"]["cleanup"]["containers_left"] == 0
        assert records_of(world) == 0


def test_an_outage_outlasts_cleanup(tmp_path: Path) -> None:
    """Cleanup ends at its deadline and counts what it leaves; cleanup.yml removes that once there is a leader again."""
    with cluster(Dialect.TASKS, tmp_path) as (world, place):
        play = place.come_to("latency", warren_load_cleanup_deadline=4)
        still = [world.api.leader(), follower_of(world)]
        for name in still:
            world.nodes[name].process.signal(signal.SIGSTOP)
        assert play.wait() == 2
        assert not place.outcome()["judgement"]["green"]
        for name in still:
            world.nodes[name].process.signal(signal.SIGCONT)
        assert records_of(world) > 0
        place.run("cleanup")
        assert records_of(world) == 0


OUTAGE = 120.0  # real seconds: what is tested is our own patience, which no clock factor shortens


def test_two_minutes_without_a_leader(tmp_path: Path) -> None:
    """Each create fails at its own deadline, those after the outage succeed, and everything is cleaned up."""
    with cluster(Dialect.TASKS, tmp_path) as (world, place):
        play = place.come_to("create", services=400, warren_load_create_deadline=300, warren_load_cleanup_deadline=120)
        still = [world.api.leader(), follower_of(world)]
        for name in still:
            world.nodes[name].process.signal(signal.SIGSTOP)
        time.sleep(OUTAGE)
        for name in still:
            world.nodes[name].process.signal(signal.SIGCONT)
        assert play.wait() == 2
        assert "Traceback" not in play.output
        measured = place.outcome()["measurements"]
        assert 0 < measured["create"]["failed"] + measured["create"]["ambiguous"] < 10
        assert measured["cleanup"]["containers_left"] == 0
        assert records_of(world) == 0
        assert place.locks() == []
