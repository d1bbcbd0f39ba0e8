# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The worlds that the contract suite runs in.

Every test runs on the simulator in both dialects, and on the real Warren that WARREN_BINARY names (skipped without it).
Tests say what Warren does; where the simulator differs, the simulator is wrong. Section numbers are facts/warren.md's.
"""

from __future__ import annotations

import functools
import os
import typing as t

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.tests.support.worlds import Program, World, real, simulator

if t.TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = ("simulator-tasks", "simulator-containers", "real")


@functools.cache
def program_of(kind: str) -> Program | None:
    """The program of a kind of world; None for the real one where WARREN_BINARY does not name it."""
    if kind != "real":
        return simulator(Dialect(kind.partition("-")[2]))
    path = os.environ.get("WARREN_BINARY")
    return real(path) if path else None


def pytest_configure(config: pytest.Config) -> None:
    """Markers of this suite."""
    config.addinivalue_line("markers", "tasks: behaviour of dialect `tasks` alone")
    config.addinivalue_line("markers", "containers: behaviour of dialect `containers` alone")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Drop what a world's dialect does not have: it is not skipped, there is nothing to test."""
    dropped = []
    for item in items:
        call = getattr(item, "callspec", None)
        program = program_of(call.params["kind"]) if call and call.params.get("kind") in KINDS else None
        other = {Dialect.TASKS: "containers", Dialect.CONTAINERS: "tasks"}[program.dialect] if program else None
        if other and item.get_closest_marker(other):
            dropped.append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in dropped]


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which world the tests run in."""
    return t.cast(str, request.param)


@pytest.fixture(scope="session")
def program(kind: str) -> Program:
    """The program of the world."""
    found = program_of(kind)
    if found is None:
        pytest.skip("WARREN_BINARY does not name a real Warren")
    if found.kind == "real" and found.dialect is Dialect.CONTAINERS and os.geteuid():
        pytest.skip("this Warren ends at once where it cannot make /var/run/warren.sock: run as root")
    return found


@pytest.fixture(scope="session")
def world(program: Program) -> Iterator[World]:
    """A cluster that the tests share, of 3 managers in dialect `tasks` and 1 in `containers`; they tidy up."""
    with World(program) as world:
        yield world


@pytest.fixture
def fresh_world(program: Program) -> Iterator[World]:
    """A cluster of this test's own, for what a cluster does not survive."""
    with World(program) as world:
        yield world
