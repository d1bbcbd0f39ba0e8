# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long it takes to purge the container records of a run: 600 of them, 3 managers, hollow workers quiet.

    WARREN_BINARY=PATH python -m ansible_collections.warren.load.tests.benchmark.bench_purge

Warren's reconciler ticks every 10 s, two of its ticks are needed, and in each it commits once a record. So the moment
at which a purge begins decides between 11 s and 22 s. Rounds begin at moments spread over a tick, and their median is
held against the limit of 20 s from first delete to last record gone. Rounds in which the leader changed do not count.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import time
import typing as t
from pathlib import Path

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.api.run_names import new_run_id
from ansible_collections.warren.load.plugins.module_utils.phases import await_containers, cleanup, create
from ansible_collections.warren.load.tests.support.phases import run_phase
from ansible_collections.warren.load.tests.support.worlds import World, real, simulator

LIMIT_S = 20.0
IMAGE = "registry.k8s.io/pause:3.9"


def run(world: World, phase: t.Any, options: t.Any, folder: Path) -> dict[str, t.Any]:
    ran = run_phase(world, phase, options, folder)
    for problem in ran.problems:
        print(f"  problem: {problem}")
    return ran.measurements


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=200)
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--managers", type=int, default=0, help="0: as the dialect allows, 3 or 1")
    parser.add_argument("--workers", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--loud", action="store_true", help="leave the hollow workers' heartbeats as they are")
    options = parser.parse_args()
    binary = os.environ.get("WARREN_BINARY")
    program = real(binary) if binary else simulator(Dialect.TASKS, 1.0)
    taken: list[float] = []
    with World(program, options.managers or None) as world, world.fleet(options.workers) as fleet:
        fleet.wait_registered()
        print(f"{world}, {len(world.nodes)} managers, {options.services} x {options.replicas}, {fleet.count} workers")
        for number in range(options.rounds):
            run_id = new_run_id()
            folder = world.folder / run_id
            folder.mkdir()
            created = run(world, create, create.Options(run_id, options.services, options.replicas, IMAGE), folder)
            awaited = run(world, await_containers, await_containers.Options(run_id), folder)
            print(
                f"created {created['created']} at {created['rate']['value']:.0f}/s, service time p50 "
                f"{created['service_time']['p50']['value']:.1f} ms; {awaited['running']} of {awaited['expected']} "
                f"running after {awaited['duration']:.1f} s, polls took {awaited['poll_time'] * 1e3:.0f} ms"
            )
            if not options.loud:
                fleet.process.signal(signal.SIGUSR1)
            time.sleep(2.5 * number % 10)  # another moment between two ticks
            began = time.monotonic()
            purged = run(world, cleanup, cleanup.Options(run_id), folder)
            wall = time.monotonic() - began
            if not options.loud:
                fleet.process.signal(signal.SIGUSR2)
            took = (purged["last_gone"] or float("inf")) - (purged["first_delete"] or 0.0)
            undisturbed = awaited["settled"] and not purged["failures"]
            if undisturbed:
                taken.append(took)
            print(
                f"purged {purged['containers_purged']} records in {took:.1f} s (module {wall:.1f} s), left "
                f"{purged['services_left']} services and {purged['containers_left']} records; "
                f"{purged['writes']} writes, {purged['forced']} forced, failures {purged['failures']}"
                f"{'' if undisturbed else '; does not count'}"
            )
    if not taken:
        print("MISSED: no round was left undisturbed")
        return 1
    median, good = statistics.median(taken), statistics.median(taken) <= LIMIT_S
    print(f"{'met' if good else 'MISSED'}: median {median:.1f} s, slowest {max(taken):.1f} s, limit {LIMIT_S:.0f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
