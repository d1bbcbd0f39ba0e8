# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How late the generator sends: the phase latency at 200 calls/s, in a process of its own as in a module.

    WARREN_BINARY=PATH python -m ansible_collections.warren.load.tests.benchmark.bench_send_lag

The figure is the send lag's p50 (limit 200 µs on an idle machine); the best of some rounds counts, as a busy machine
only ever adds to it. Without WARREN_BINARY the server is the simulator. CPU is what the generator took of a core.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.warren.load.plugins.module_utils.api.channel import Security
from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster, Manager
from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.api.run_names import new_run_id
from ansible_collections.warren.load.plugins.module_utils.engine import loop
from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter
from ansible_collections.warren.load.plugins.module_utils.phases import latency
from ansible_collections.warren.load.tests.support.worlds import World, python_environment, real, simulator

LIMIT_US = 200.0
RATE = 200.0
MODULE = "ansible_collections.warren.load.tests.benchmark.bench_send_lag"


def measure(address: str, ca_file: str, dialect: str, calls: int) -> dict[str, t.Any]:
    """``{p50_us, p99_us, max_us, cpu}`` of one run of the phase; ``cpu`` in percent of a core."""
    security = Security(mode="tls" if ca_file else "plaintext", ca_file=ca_file or None)

    async def main(stop: loop.Stop) -> dict[str, t.Any]:
        async with await Cluster.connect([Manager("manager-1", address)], security, dialect) as cluster:
            with tempfile.TemporaryDirectory() as folder, Reporter(folder, "latency", 300.0, stop) as reporter:
                before, started = time.process_time(), time.monotonic()
                measured = await latency.run(
                    cluster, latency.Options(new_run_id(), calls=calls, rate=RATE, manager="manager-1"), reporter
                )
                cpu, wall = time.process_time() - before, time.monotonic() - started
        if measured["errors"] or measured["unsent"]:
            raise SystemExit(f"calls failed: {measured['errors']}, {measured['unsent']} unsent")
        lag = {f"{name}_us": measured["send_lag"][name]["value"] * 1e3 for name in ("p50", "p99", "max")}
        return {**lag, "cpu": 100 * cpu / wall, "service_ms": measured["service_time"]["p50"]["value"]}

    return loop.run(main)


def in_a_process_of_its_own(world: World, calls: int) -> dict[str, t.Any]:
    ca_file = "" if world.dialect is Dialect.TASKS else str(world.first.ca_file)
    argv = [sys.executable, "-m", MODULE, "--calls", str(calls), "--client", world.first.api_address, ca_file]
    done = subprocess.run(
        [*argv, world.dialect.value], env={**os.environ, **python_environment()}, stdout=subprocess.PIPE, check=True
    )
    return t.cast("dict[str, t.Any]", json.loads(done.stdout))


def pressure() -> str:
    """What else the machine had to do, as the kernel tells it."""
    try:
        return Path("/proc/pressure/cpu").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return f"load {os.getloadavg()[0]:.1f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3, help="how many times; the best counts")
    parser.add_argument("--client", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        address, ca_file, dialect = options.client
        print(json.dumps(measure(address, ca_file, dialect, options.calls)))
        return 0
    binary = os.environ.get("WARREN_BINARY")
    with World(real(binary) if binary else simulator(Dialect.TASKS), managers=1) as world:
        print(f"{world}, ListServices, {RATE:.0f}/s, {options.calls} calls a round")
        rounds = []
        for _round in range(options.rounds):
            rounds.append(in_a_process_of_its_own(world, options.calls))
            print(
                "send lag p50 {p50_us:4.0f} µs, p99 {p99_us:6.0f} µs, max {max_us:6.0f} µs; {cpu:.1f} % of a core; "
                "service time p50 {service_ms:.2f} ms; others {others}".format(others=pressure(), **rounds[-1])
            )
    best = min(found["p50_us"] for found in rounds)
    good = best <= LIMIT_US
    print(f"{'met' if good else 'MISSED'}: send lag p50 {best:.0f} µs, limit {LIMIT_US:.0f} µs")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
