# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look whether a cluster is fit for a load test, before anything is created."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.warren.load.plugins.module_utils.api.errors import NoLeader

from .cluster_info import look
from .observing import check_positive

if t.TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster

NAMED = 5  # how many foreign services a sentence names


@dataclasses.dataclass(frozen=True)
class Options:
    """``workers`` that must be ready; whether services that are not ours are allowed; ``leader_timeout`` in s."""

    workers: int = 1
    allow_foreign: bool = False
    leader_timeout: float = 15.0

    def __post_init__(self) -> None:
        check_positive(workers=self.workers, leader_timeout=self.leader_timeout)


def _findings(found: dict[str, t.Any]) -> list[str]:
    findings = []
    if found["leftovers"]:
        runs = found["leftovers"]
        services = sum(run["services"] for run in runs.values())
        containers = sum(run["containers"] for run in runs.values())
        findings.append(
            f"Earlier runs left {services} services and {containers} container records ({', '.join(sorted(runs))}): "
            "cleanup.yml removes them."
        )
    others = found["container_records"] - sum(run["containers"] for run in found["leftovers"].values())
    if others:
        findings.append(f"{others} container records are there that no run of ours made; they are left alone.")
    findings += [
        f"Manager {manager['name']} ({manager['api_address']}) does not answer."
        for manager in found["managers"]
        if not manager["reachable"]
    ]
    findings += [
        f"The certificate of {manager['name']} was trusted on first use; its SHA-256 is {manager['pin']}."
        for manager in found["managers"]
        if manager["pinned_now"] and manager["how"] == "pinned"
    ]
    return findings


async def run(open_cluster: Callable[[], Awaitable[Cluster]], options: Options) -> dict[str, t.Any]:
    """What look() finds, and ``findings``; WarrenError or ValueError with the sentence where the cluster is not fit."""
    async with await open_cluster() as cluster:
        found = await look(cluster, options.leader_timeout)
    if found["leader"] is None:
        raise NoLeader(f"no manager named one within {options.leader_timeout:g} s")
    ready = len(found["workers_ready"])
    if ready < options.workers:
        there = f"only {ready} of the {options.workers} workers asked for are ready" if ready else "no worker is ready"
        raise ValueError(
            f"{there}, so containers would never run: start workers (nodes now: {found['nodes'] or 'none'}) or, "
            "on a cluster without a container runtime, hollow workers"
        )
    if found["services_foreign"] and not options.allow_foreign:
        names = found["services_foreign"]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        raise ValueError(
            f"{len(names)} services are there that no run of ours made ({', '.join(names[:NAMED])}{more}): "
            "a load test would disturb them; set warren_load_allow_foreign to run all the same"
        )
    return {**found, "findings": _findings(found)}
