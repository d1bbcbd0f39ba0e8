# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look whether a cluster is fit for a load test, before anything is created."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.warren.load.plugins.module_utils.api.errors import NoLeader, Unreachable

from .cluster_info import look
from .fitness import Wanted, findings, leaderless, memory_needed, nobody, refusals
from .observing import check_positive

if t.TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster


@dataclasses.dataclass(frozen=True)
class Options(Wanted):
    """What the run asks of the cluster, and ``leader_timeout``, the seconds to wait for a leader."""

    leader_timeout: float = 15.0

    def __post_init__(self) -> None:
        check_positive(workers=self.workers, leader_timeout=self.leader_timeout)


async def run(open_cluster: Callable[[], Awaitable[Cluster]], options: Options) -> dict[str, t.Any]:
    """What look() finds, ``memory`` and ``findings``; WarrenError or ValueError where it is not fit."""
    try:
        async with await open_cluster() as cluster:
            found = await look(cluster, options.leader_timeout)
    except Unreachable as error:
        if error.method:
            raise
        # Where only an address is known, the hosts say nothing about who should listen there.
        raise ValueError(nobody(error.details, options.hosts if options.listed else [])) from error
    if found["leader"] is None:
        raise NoLeader(leaderless(found, options.leader_timeout))
    if against := refusals(found, options):
        raise ValueError("\n".join(against))
    return {**found, "memory": memory_needed(found, options), "findings": findings(found, options)}
