# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom a fault hits: chosen by role when the time has come, and refused where the cluster would not recover."""

from __future__ import annotations

import asyncio
import dataclasses
import time
import typing as t
from pathlib import Path

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.engine import journal
from ansible_collections.warren.load.plugins.module_utils.node.fault_kinds import FATAL, SILENCING

from . import cluster_info
from .recovery import LOAD_OVER

if t.TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster

ROLES = ("leader", "follower", "worker")
LEADER_PATIENCE = 10.0  # seconds
LOAD_PATIENCE = 120.0  # seconds for the first create to be sent
LOOK = 0.1  # seconds between two looks at the journal
WORKERS_LEFT = 1
ANYWAY = "set warren_load_fault_anyway to true to do it all the same"


@dataclasses.dataclass(frozen=True)
class Options:
    """``role`` is one of ROLES, ``kind`` a fault's, ``count`` how many in turn; ``anyway``: refusals become notes.

    ``hit``: those whose turn has been. ``beside``: the folder of a journal whose first create is ``after`` s ago when
    the choice is made.
    """

    role: str
    kind: str
    count: int = 1
    hit: list[str] = dataclasses.field(default_factory=list)
    anyway: bool = False
    beside: str | None = None
    after: float = 0.0

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"count: {self.count} is not at least 1")
        if self.count > 1 and self.role == "leader":
            raise ValueError("count: a cluster has one leader; take 1, or set warren_load_fault_target to worker")

    @property
    def gone(self) -> list[str]:
        """Those that were hit and stay away, whatever the cluster says of them yet."""
        return self.hit if self.kind in FATAL else []


@dataclasses.dataclass(frozen=True)
class Choice:
    """``targets`` in the order in which they are hit, ``refusals`` and ``notes`` as sentences."""

    targets: list[str]
    refusals: list[str]
    notes: list[str]


def choose(found: Mapping[str, t.Any], options: Options) -> Choice:
    """Whom to hit, from what cluster_info.look() found; ValueError where there is nobody of the role."""
    choice = _worker(found, options) if options.role == "worker" else _manager(found, options)
    if options.anyway:
        return Choice(choice.targets, [], [*choice.refusals, *choice.notes])
    return choice


def _manager(found: Mapping[str, t.Any], options: Options) -> Choice:
    leader, voters = found["leader"], list(found["voters"])
    if leader is None:
        raise ValueError("the cluster has no leader, so there is no fault to see: see that a majority of managers runs")
    answering = [row["name"] for row in found["managers"] if row["reachable"] and row["name"] not in options.gone]
    followers = sorted(name for name in answering if name != leader and name in voters and name not in options.hit)
    alone = len(voters) == 1
    if options.role == "follower" and len(followers) < options.count:
        raise ValueError(
            f"a fault of {_followers(options.count)} needs as many that answer, and {leader} has {len(followers)}"
            f"{_more(options)}: start a cluster of 3 managers, or set warren_load_fault_target to leader"
        )
    targets = [leader] if options.role == "leader" else followers[: options.count]
    refusals, notes = [], []
    fatal, silent = options.kind in FATAL, options.kind in SILENCING
    if alone and silent:
        # From v1.1 on there is no cluster of more.
        of = " of a Warren before v1.1" if found["dialect"] == Dialect.CONTAINERS.value else ""
        refusals.append(
            f"The cluster has one manager, {leader}: nobody takes over, so nothing is written or read "
            f"{'ever again' if fatal else 'until the fault is undone'}; start 3 managers{of}, or "
            f"{ANYWAY}."
        )
    left = len([name for name in answering if name in voters and name not in targets])
    majority = len(voters) // 2 + 1
    if not alone and silent and left < majority:
        said = (
            f"Fault {options.kind} of {_and(targets)} leaves {left} of {len(voters)} managers, and {majority} are the "
            "least that can elect a leader"
        )
        if fatal:
            refusals.append(
                f"{said}: the cluster could never be written again, as killed managers stay voters for ever; start "
                f"more managers, or {ANYWAY}."
            )
        else:
            notes.append(f"{said}: nothing is written until the fault is undone.")
    if fatal and found["dialect"] == Dialect.CONTAINERS.value:
        refusals.append(
            f"{_and(targets)} cannot come back: from Warren v1.1 on no manager can join a cluster, and none starts on "
            f"used data; take fault pause (warren_load_fault), or {ANYWAY}."
        )
    elif fatal and not alone:
        notes.append(
            f"{_and(targets)} cannot start again on its data: it has to join anew with an empty directory, and "
            "its old entry stays a voter unless it keeps its name."
        )
    if options.role == "leader" and silent and found["workers_ready"]:
        notes.append(
            f"Workers know one manager alone: those of {leader} stay with it, so from 30 s on all are taken for down, "
            "and they never attach to the new leader."
        )
    return Choice(targets, refusals, notes)


def _worker(found: Mapping[str, t.Any], options: Options) -> Choice:
    ready = set(found["workers_ready"]) - set(options.gone)
    held = {row["name"]: row["held"] for row in found["node_list"] if row["name"] in ready}
    # The one that holds most shows most; of equals, the same one each time.
    ranked = sorted(held.keys() - set(options.hit), key=lambda name: (-held[name], name))
    if len(ranked) < options.count:
        raise ValueError(
            f"a fault of {_workers(options.count)} needs as many that are ready, and there are {len(ranked)}"
            f"{_more(options)}: start more workers (workers), or set warren_load_fault_count to less"
        )
    targets, refusals, notes = ranked[: options.count], [], []
    # In a later turn, those of who was hit before may be nowhere yet.
    if not held[targets[0]] and not options.hit:
        raise ValueError("no worker holds a container, so there is nothing to replace: put load on the cluster first")
    left = len(held) - len(targets)
    if options.kind in SILENCING and left < WORKERS_LEFT:
        refusals.append(
            f"Not enough workers are left: fault {options.kind} of {_and(targets)} leaves {left} of {len(held)}, so "
            f"their containers can go nowhere; start more workers (workers), or {ANYWAY}."
        )
    if len(held) > 1 and held[targets[0]] == sum(held.values()) > 0:
        notes.append(f"{targets[0]} holds all {held[targets[0]]} containers, as Warren's scheduler places them.")
    return Choice(targets, refusals, notes)


async def run(open_cluster: Callable[[], Awaitable[Cluster]], options: Options) -> dict[str, t.Any]:
    """What M(fault_target) returns. ValueError with the first refusal."""
    if options.beside:
        await _due(Path(options.beside), options.after)
    async with await open_cluster() as cluster:
        found = await cluster_info.look(cluster, LEADER_PATIENCE)
    choice = choose(found, options)
    if choice.refusals:
        raise ValueError(choice.refusals[0].rstrip("."))
    return {
        "targets": choice.targets,
        "notes": choice.notes,
        "leader": found["leader"],
        "voters": found["voters"],
        "workers_ready": found["workers_ready"],
        "held": {row["name"]: row["held"] for row in found["node_list"] if row["name"] in choice.targets},
    }


async def _due(folder: Path, after: float) -> None:
    """Wait until the first create is so many s ago. ValueError where there is none any more to wait for."""
    end, begun = time.monotonic() + LOAD_PATIENCE, None
    while begun is None:
        begun = next(
            (event["t"] for event in journal.read(folder / "journal.jsonl") if event["event"] == "create"), None
        )
        _under_load(folder)
        if begun is None and time.monotonic() > end:
            raise ValueError(f"no service was created within {LOAD_PATIENCE:.0f} s, so there is no load for a fault")
        await asyncio.sleep(LOOK)
    while time.time() < begun + after:
        _under_load(folder)
        await asyncio.sleep(LOOK)


def _under_load(folder: Path) -> None:
    if (folder / LOAD_OVER).exists():
        raise ValueError(
            "the load was over before the fault was due, so nothing was done: give it a smaller "
            "warren_load_create_rate, or an earlier warren_load_fault_after"
        )


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _more(options: Options) -> str:
    return f" besides {_and(options.hit)}" if options.hit else ""


def _followers(count: int) -> str:
    return "a follower" if count == 1 else f"{count} followers"


def _workers(count: int) -> str:
    return "a worker" if count == 1 else f"{count} workers"
