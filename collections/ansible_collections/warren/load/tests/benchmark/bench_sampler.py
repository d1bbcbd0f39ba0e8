# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What watching costs: CPU and memory of the sampler, beside 3 managers with a fleet, and beside 16 processes.

Figures to hold: at most 1 % of a core and 40 MB, at the interval of a load test (1 s, pages each 5 s). Watches the
simulator, and the real Warren that WARREN_BINARY names (its processes; its pages are in network namespaces).
`python tests/benchmark/bench_sampler.py [--seconds S]`; exit code 1 if a figure is missed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[5]))  # the folder that holds ansible_collections

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.node import sampler
from ansible_collections.warren.load.plugins.module_utils.node.sampling import Target
from ansible_collections.warren.load.tests.support.worlds import Program, World, real, simulator

CPU_PERCENT, MEMORY_MB = 1.0, 40.0
OTHERS = 12  # processes beside the cluster's four


def watch(what: str, targets: list[Target], seconds: float) -> bool:
    """Watch for so long, print both figures; whether they hold."""
    with tempfile.TemporaryDirectory() as home:
        folder = os.path.join(home, "sampler")
        sampler.start(folder, "benchmark", targets, interval=1.0, scrape=5.0, seconds=seconds + 60)
        time.sleep(seconds)
        begin = time.monotonic()
        told = sampler.collect(folder, "benchmark", (time.time() - seconds, None))
        spent = time.monotonic() - begin
    own = told["sampler"]
    share, memory = own["cpu_share"]["value"], own["rss"]["value"]
    good = share <= CPU_PERCENT and memory <= MEMORY_MB and len(told["rows"]) == len(targets)
    page = f"{own['scrapes']} pages at {own['scrape_time']['value']} ms" if own["scrape_time"] else "no pages"
    print(
        f"{what}: {len(told['rows'])} processes, {own['samples']} samples in {own['duration']['value']:.0f} s, {page}: "
        f"{share:.2f} % of a core (at most {CPU_PERCENT:g}), {memory:.1f} MB (at most {MEMORY_MB:g}), "
        f"collected in {spent:.2f} s: {'holds' if good else 'MISSED'}",
        flush=True,
    )
    return good


def measure(program: Program, seconds: float) -> bool:
    """Both figures beside a cluster of ``program``; whether both hold."""
    with World(program) as world, world.fleet(10, clock_factor=1.0) as fleet:
        fleet.wait_registered()
        targets = [
            Target(
                name,
                pid=node.process.pid,
                metrics_url=f"http://{node.http_address}/metrics" if program.kind == "simulator" else None,
                log_file=str(node.folder / "stdout"),
            )
            for name, node in world.nodes.items()
        ]
        targets.append(Target("hollow-workers", "other", pid=fleet.process.pid))
        held = watch(str(world), targets, seconds)
        sleepers = [subprocess.Popen(["sleep", "3600"]) for _number in range(OTHERS)]
        try:
            more = [Target(f"sleep-{child.pid}", "worker", pid=child.pid) for child in sleepers]
            return watch(f"{world} and {OTHERS} more", targets + more, seconds) and held
        finally:
            for child in sleepers:
                child.kill()
                child.wait()


def main() -> int:
    """Measure every program at hand."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    programs = [simulator(Dialect.TASKS, 1.0)]
    binary = os.environ.get("WARREN_BINARY")
    if binary:
        programs.append(real(binary))
    else:
        print("real Warren: skipped, WARREN_BINARY is not set")
    held = [measure(program, arguments.seconds) for program in programs]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
