# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-playbook is interrupted or killed in every phase: cleanup.yml leaves nothing, and the next run is free."""

from __future__ import annotations

import os
import signal
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.tests.support.plays import (
    ENDLESS,
    PHASES,
    ROOT,
    Place,
    eventually,
    inventory_of,
    records_of,
)
from ansible_collections.warren.load.tests.support.worlds import World, free_ports, simulator

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]
SHORT = ("watch", "report")  # parts of the phases resources and judge
LEASE = 45.0  # seconds: an engine that nobody waits for ends after 30, and is looked at as below
ENGINE_ENDS = 20.0  # seconds: the engine stops at once, the wrapper that Ansible keeps around it looks every 5 s


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A cluster that stays, as one that somebody else runs."""
    with World(simulator(Dialect.TASKS, 10.0)) as world:
        yield world


@pytest.fixture(scope="module")
def place(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("place")
    with world.fleet(2) as fleet:
        fleet.wait_registered()
        place = Place(folder, inventory_of(world, folder), {}, lambda: fleet.process.pid)
        yield place
        place.kill_all()


@pytest.fixture(autouse=True)
def nothing_goes_on(request: pytest.FixtureRequest) -> Iterator[None]:
    """A play that a failed test left would hold the cluster's lock, and fail those that follow."""
    yield
    if "place" in request.fixturenames:
        request.getfixturevalue("place").kill_all()


def strikes(phases: Iterable[str], seldom: Container[str]) -> list[ParameterSet]:
    """Every signal in every phase; those that `make test` has no time for are marked long, but for one a phase."""
    return [
        pytest.param(
            phase,
            number,
            id=f"{phase}-{number.name}",
            marks=[pytest.mark.long] if phase in seldom and number is not signal.SIGKILL else [],
        )
        for phase in phases
        for number in SIGNALS
    ]


@pytest.mark.parametrize(("phase", "number"), strikes(PHASES, SHORT))
def test_struck_in(place: Place, world: World, phase: str, number: signal.Signals) -> None:
    play = place.come_to(phase)
    code = play.strike(number)
    place.thaw()
    if number is signal.SIGINT:
        assert code in (99, -number) or (code == 0 and play.lost_a_signal)
    else:
        assert code == -number

    # Where a Ctrl-C caught Ansible in a fork, nobody took the lease away.
    within = LEASE if number is signal.SIGINT else ENGINE_ENDS
    eventually(lambda: not place.engines(), within, lambda: f"the engine ended: {place.engines()}, {place.status()}")
    place.run("cleanup")
    assert records_of(world) == 0
    assert place.locks() == []
    place.wait_until_gone()


def test_the_next_run_is_free(place: Place) -> None:
    place.run()


# A sandbox that only the run wants: it goes with what a dead run leaves in it.
OF_THE_SANDBOX = {
    "bring-up of the manager": "The first manager runs",
    "bring-up of the workers": "The hollow workers run",
    "create": "Create the services",
    "take-down of the workers": "The hollow workers are gone",
    "take-down of the manager": "The manager is gone",
}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Place]:
    """A sandbox that is not up."""
    variables = {"warren_load_port_base": free_ports(10), "warren_load_managers": 1}
    place = Place(tmp_path, ROOT / "inventories/sandbox", variables)
    yield place
    place.kill_all()


@pytest.mark.parametrize(("phase", "number"), strikes(OF_THE_SANDBOX, OF_THE_SANDBOX.keys() - {"create"}))
def test_struck_with_a_sandbox_of_its_own(sandbox: Place, phase: str, number: signal.Signals) -> None:
    play = sandbox.start()
    play.until_task(OF_THE_SANDBOX[phase])
    play.strike(number)
    sandbox.run("cleanup")
    sandbox.wait_until_gone()
    assert sandbox.locks() == []
    if phase == "create":
        sandbox.run()
        sandbox.wait_until_gone()


def test_a_sandbox_that_was_there_before_stays(sandbox: Place) -> None:
    sandbox.run("cluster-up")
    running = sandbox.left()
    play = sandbox.come_to("cleanup")
    play.strike(signal.SIGKILL)
    sandbox.run("cleanup")
    eventually(lambda: sandbox.left() == running, ENGINE_ENDS, lambda: f"{sandbox.left()} is {running}")
    sandbox.run()
    eventually(lambda: sandbox.left() == running, ENGINE_ENDS, lambda: f"{sandbox.left()} is {running}")


def test_nothing_is_stopped_while_a_run_goes_on(sandbox: Place) -> None:
    play = sandbox.come_to("latency")
    running = {pid for pid, words in sandbox.left().items() if "warren-simulator.pyz" in words}
    assert len(running) == 2
    refused = sandbox.start("cleanup")
    assert refused.wait() == 2
    assert "is in use by" in refused.output
    assert running <= sandbox.left().keys()
    assert play.wait() == 0
    sandbox.wait_until_gone()


def test_an_engine_ends_by_its_lease(place: Place, world: World) -> None:
    """Where nobody is left who could take the lease away: ansible-playbook and its worker are killed at once."""
    play = place.come_to("create", **ENDLESS)
    workers = [pid for pid, words in place.left().items() if "ansible-playbook" in words and pid != play.pid]
    for pid in (*workers, play.pid):
        os.kill(pid, signal.SIGKILL)
    play.wait()
    assert place.engines()
    eventually(lambda: not place.engines(), LEASE, lambda: f"engines have ended: {place.engines()}")
    place.run("cleanup")
    assert records_of(world) == 0
    assert place.locks() == []
