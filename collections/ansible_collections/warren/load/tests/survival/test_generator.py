# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The generator is a host of its own that cannot be reached any more: the run ends with results all the same."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.tests.support.plays import (
    ENDLESS,
    PHASES,
    Place,
    eventually,
    inventory_of,
    records_of,
)
from ansible_collections.warren.load.tests.support.worlds import World, simulator

LEASE = 45.0  # seconds within which an engine whose lease nobody renews has ended: 30, and a look of Ansible's wrapper


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(simulator(Dialect.TASKS, 10.0)) as world, world.fleet(2) as fleet:
        fleet.wait_registered()
        yield world


@pytest.fixture
def place(world: World, tmp_path: Path) -> Iterator[Place]:
    path = inventory_of(world, tmp_path)
    inventory = json.loads(path.read_text(encoding="utf-8"))
    # What role generator sets once it has made a Python there.
    host = {
        "ansible_connection": "cut",
        "ansible_python_interpreter": sys.executable,
        "generator_python": sys.executable,
    }
    inventory["generators"]["hosts"] = {"generator-1": host}
    path.write_text(json.dumps(inventory), encoding="utf-8")
    place = Place(tmp_path, path, {})
    place.environment["CONNECTION_CUT"] = str(tmp_path / "cut")
    yield place
    place.kill_all()


def check_the_end(place: Place, phase: str, output: str) -> None:
    """Results, verdict and JUnit are there, and name the reason."""
    assert "the host cannot be reached" in output or "the host has not answered" in output
    assert "Traceback" not in output
    outcome = place.outcome()
    assert not outcome["judgement"]["green"]
    if phase == "judge":
        assert "the host cannot be reached" in outcome["judgement"]["summary"]
    else:
        assert phase in [row["name"] for row in outcome["run"]["phases"] if row["status"] == "failed"]
    assert phase in place.red_cases()


@pytest.mark.parametrize("phase", ["create", "latency", "cleanup", "judge"])
def test_it_cannot_be_reached_when_a_phase_begins(place: Place, world: World, phase: str) -> None:
    play = place.start()
    play.until_task(PHASES[phase])
    cut = Path(place.environment["CONNECTION_CUT"])
    cut.touch()
    assert play.wait() == 2
    check_the_end(place, phase, play.output)

    cut.unlink()
    eventually(lambda: not place.engines(), LEASE, lambda: f"the engine has ended: {place.engines()}")
    place.run("cleanup")
    assert records_of(world) == 0
    assert place.locks() == []
    place.wait_until_gone()


def test_it_is_lost_in_the_middle(place: Place, world: World) -> None:
    """A poll without an answer is nothing yet; after a minute without one the run goes on without the phase."""
    play = place.come_to("create", **ENDLESS, warren_load_create_deadline=300)
    cut = Path(place.environment["CONNECTION_CUT"])
    cut.touch()
    eventually(lambda: not place.engines(), LEASE, lambda: f"the engine has ended: {place.engines()}")
    assert play.wait() == 2
    check_the_end(place, "create", play.output)

    cut.unlink()
    place.run("cleanup")
    assert records_of(world) == 0
    assert place.locks() == []
