# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run started is killed under it: its engine, its hollow workers, its sandbox; the run says so and ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.tests.support.plays import ENGINES, Place, inventory_of, records_of
from ansible_collections.warren.load.tests.support.worlds import World, simulator


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A cluster without workers: the runs bring theirs."""
    with World(simulator(Dialect.CONTAINERS, 10.0)) as world:
        yield world


@pytest.fixture
def place(world: World, tmp_path: Path) -> Iterator[Place]:
    variables = {"warren_load_ca_file": str(world.first.ca_file), "warren_load_workers": 2}
    place = Place(tmp_path, inventory_of(world, tmp_path), variables)
    yield place
    place.kill_all()


@pytest.mark.parametrize("phase", ENGINES)
def test_the_engine_dies(place: Place, world: World, phase: str) -> None:
    play = place.come_to(phase)
    os.kill(place.status()["pid"], signal.SIGKILL)
    place.thaw()
    assert play.wait() == 2
    sentence = f"The phase {phase} ended without a result: its process"
    assert sentence in play.output
    assert "Traceback" not in play.output

    outcome = place.outcome()
    assert not outcome["judgement"]["green"]
    assert [row["name"] for row in outcome["run"]["phases"] if row["status"] == "failed"] == [phase]
    assert sentence in place.red_cases()[phase]
    if phase == "cleanup":
        assert records_of(world) > 0
        place.run("cleanup")
    assert records_of(world) == 0
    assert place.locks() == []
    place.wait_until_gone()


@pytest.mark.parametrize("phase", ENGINES)
def test_the_hollow_workers_die(place: Place, world: World, phase: str) -> None:
    """Without heartbeats nothing runs any more, but what has been created is still driven out."""
    play = place.come_to(
        phase, **{"services": 30, "replicas": 1} if phase == "create" else {}, warren_load_await_deadline=6
    )
    os.kill(place.fleet(), signal.SIGKILL)
    code = play.wait()
    assert code == (2 if phase in ("create", "await") else 0)
    cleanup = place.outcome()["measurements"]["cleanup"]
    assert (cleanup["services_left"], cleanup["containers_left"]) == (0, 0)
    assert records_of(world) == 0
    assert place.locks() == []
    place.wait_until_gone()
