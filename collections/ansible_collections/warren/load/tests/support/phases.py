# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Phases on a world, each on an event loop of its own as in a module."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster, Manager
from ansible_collections.warren.load.plugins.module_utils.engine import loop
from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter
from ansible_collections.warren.load.tests.support.worlds import World


class Ran(t.NamedTuple):
    """What a phase left."""

    measurements: dict[str, t.Any]
    problems: list[str]


def run_phase(world: World, phase: t.Any, options: t.Any, folder: Path, deadline: float = 180.0) -> Ran:
    """Run a phase's module (``phase.run``) against the managers of the world that run."""
    managers = [
        Manager(node.name, node.api_address, node.raft_address) for node in world.nodes.values() if node.running
    ]

    async def main(stop: loop.Stop) -> Ran:
        async with await Cluster.connect(managers, world.security(), world.dialect.value) as cluster:
            with Reporter(folder, phase.__name__.rpartition(".")[2], deadline, stop) as reporter:
                measured: dict[str, t.Any] = await phase.run(cluster, options, reporter)
        return Ran(measured, reporter.problems)

    return loop.run(main)
