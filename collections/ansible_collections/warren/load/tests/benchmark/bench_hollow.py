# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What hollow workers cost: memory and CPU of one process with 100 of them on an idle cluster, at Warren's own timers.

Figures to hold: at most 120 MB and 10 % of a core. Runs against the simulator, and against the real Warren that
WARREN_BINARY names: `python tests/benchmark/bench_hollow.py [--workers N] [--seconds S]`; exit code 1 if one is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[5]))  # the folder that holds ansible_collections

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.tests.support.worlds import Program, World, real, simulator

MEMORY_MB, CPU_PERCENT = 120.0, 10.0
SETTLE = 6.0  # seconds after which every timer has fired at least once


def measure(program: Program, workers: int, seconds: float) -> bool:
    """Print both figures for a fleet on an idle cluster of ``program``; whether both hold."""
    with World(program) as world, world.fleet(workers, clock_factor=1.0) as fleet:
        fleet.wait_registered()
        time.sleep(SETTLE)
        before = fleet.stats()
        time.sleep(seconds)
        after = fleet.stats()
        period = after["time"] - before["time"]
        memory = after["rss_bytes"] / 1e6
        cpu = 100 * (after["cpu_seconds"] - before["cpu_seconds"]) / period
        calls = sum(after[kind]["sent"] - before[kind]["sent"] for kind in ("heartbeats", "polls"))
        late = after["heartbeats"]["late"] + after["polls"]["late"]
        good = memory <= MEMORY_MB and cpu <= CPU_PERCENT
        print(
            f"{world}: {workers} hollow workers, one process, idle cluster: {memory:.0f} MB (at most {MEMORY_MB:.0f}), "
            f"{cpu:.1f} % of a core (at most {CPU_PERCENT:.0f}); {calls} calls in {period:.0f} s, "
            f"{after['missed_deadlines']} deadlines missed, {late} timers late: {'holds' if good else 'MISSED'}",
            flush=True,
        )
        return good


def main() -> int:
    """Measure every program at hand."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20.0)
    arguments = parser.parse_args()
    programs = [simulator(Dialect.TASKS, 1.0), simulator(Dialect.CONTAINERS, 1.0)]
    binary = os.environ.get("WARREN_BINARY")
    if binary:
        programs.append(real(binary))
    else:
        print("real Warren: skipped, WARREN_BINARY is not set")
    held = [measure(program, arguments.workers, arguments.seconds) for program in programs]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
