# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a call costs the generator: CPU µs a call, one connection, 32 outstanding; beside ghz's where it is on PATH.

    WARREN_BINARY=PATH python -m ansible_collections.warren.load.tests.benchmark.bench_engine

CPU a call is the figure (limits 60 µs, and 1.3 times ghz's). A busy machine raises it, and the rate depends on the
server too. Without WARREN_BINARY the server is the simulator: it is Python, so the rate says little.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

from ansible_collections.warren.load.plugins.module_utils.api.channel import PLAINTEXT, Resolved
from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.api.lean_client import LeanClient
from ansible_collections.warren.load.plugins.module_utils.engine import loop
from ansible_collections.warren.load.plugins.module_utils.engine.arrivals import schedule
from ansible_collections.warren.load.plugins.module_utils.engine.calls import closed_loop, open_loop
from ansible_collections.warren.load.plugins.module_utils.stats.quantiles import quantile
from ansible_collections.warren.load.tests.support.worlds import World, python_environment, real, simulator

LIMIT_US = 60.0
GHZ_FACTOR = 1.3
LAG_RATE, LAG_CALLS = 200.0, 1000
MODULE = "ansible_collections.warren.load.tests.benchmark.bench_engine"


def resolved(ca_file: str) -> Resolved:
    """What to speak with: TLS as the CA file proves it, plaintext without one."""
    if not ca_file:
        return PLAINTEXT
    return Resolved(tls=True, how="ca file", root_pem=Path(ca_file).read_bytes())


def engine(address: str, ca_file: str, dialect: Dialect, method: str, calls: int, outstanding: int) -> dict[str, float]:
    """``cpu_us`` a call and ``rate`` (calls/s) of the closed loop, ``lag_p50_us``, ``lag_p99_us`` of the open one."""

    async def main(_stop: loop.Stop) -> dict[str, float]:
        async with LeanClient(address, resolved(ca_file), dialect) as client:
            raw = client.raw(method, 10.0)

            async def call(_index: int) -> None:
                await raw(b"")

            await closed_loop(call, 500, outstanding)  # warm
            before = time.process_time()
            recording = await closed_loop(call, calls, outstanding)
            cpu = time.process_time() - before
            planned = await open_loop(call, schedule("poisson", LAG_RATE, LAG_CALLS, 1))
        if recording.errors() or planned.errors():
            raise SystemExit(f"calls failed: {recording.errors()} {planned.errors()}")
        lag = sorted(planned.send_lag())
        return {
            "cpu_us": cpu / calls * 1e6,
            "rate": calls / recording.duration,
            "lag_p50_us": quantile(lag, 0.5) * 1e3,
            "lag_p99_us": quantile(lag, 0.99) * 1e3,
        }

    return loop.run(main)


def in_a_process_of_its_own(world: World, options: argparse.Namespace) -> dict[str, float]:
    """engine() as in a module: alone. The world's own connection would take part in every event of ours."""
    ca_file = "" if world.dialect is Dialect.TASKS else str(world.first.ca_file)
    argv = [sys.executable, "-m", MODULE, "--calls", str(options.calls), "--outstanding", str(options.outstanding)]
    argv += ["--method", options.method, "--client", world.first.api_address, ca_file, world.dialect.value]
    done = subprocess.run(argv, env={**os.environ, **python_environment()}, stdout=subprocess.PIPE, check=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def ghz(world: World, method: str, calls: int, outstanding: int) -> tuple[float, float] | None:
    """The same by ghz, None where it is not on PATH; it needs a schema, so ours is written out for it."""
    program = shutil.which("ghz")
    if program is None:
        return None
    from google.protobuf import descriptor_pb2, timestamp_pb2

    from ansible_collections.warren.load.plugins.module_utils.api.schema import METHODS, file_descriptor

    file = file_descriptor()
    rpc = METHODS[method]
    service = file.service.add(name="WarrenAPI")
    wire_name = world.dialect.wire_name(method)
    service.method.add(name=wire_name, input_type=f".warren.v1.{rpc.request}", output_type=f".warren.v1.{rpc.response}")
    stamp = descriptor_pb2.FileDescriptorProto.FromString(timestamp_pb2.DESCRIPTOR.serialized_pb)
    protoset = world.folder / "warren.protoset"
    protoset.write_bytes(descriptor_pb2.FileDescriptorSet(file=[stamp, file]).SerializeToString())
    argv = [program, "--protoset", str(protoset), "--call", f"warren.v1.WarrenAPI/{wire_name}", "-d", "{}"]
    argv += ["-n", str(calls), "-c", str(outstanding), "--connections", "1", "-O", "json"]
    argv += ["--insecure"] if world.dialect is Dialect.TASKS else ["--cacert", str(world.first.ca_file)]
    argv += [] if world.dialect is Dialect.TASKS else ["--cname", "localhost"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*argv, world.first.api_address], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu / calls * 1e6, float(json.loads(done.stdout)["rps"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=30_000)
    parser.add_argument("--outstanding", type=int, default=32)
    parser.add_argument("--method", default="ListNodes")
    parser.add_argument("--rounds", type=int, default=3, help="how many times; the best counts")
    parser.add_argument("--client", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        address, ca_file, dialect = options.client
        measured = engine(address, ca_file, Dialect(dialect), options.method, options.calls, options.outstanding)
        print(json.dumps(measured))
        return 0
    binary = os.environ.get("WARREN_BINARY")
    program = real(binary) if binary else simulator(Dialect.TASKS)
    with World(program, managers=1) as world:
        print(f"{world}, {options.method}, {options.outstanding} outstanding, {options.calls} calls")
        rounds = []
        for _round in range(options.rounds):
            rounds.append(in_a_process_of_its_own(world, options))
            print(
                "engine {cpu_us:6.1f} µs CPU a call {rate:7.0f} calls/s; at {:.0f}/s send lag p50 {lag_p50_us:.0f} µs, "
                "p99 {lag_p99_us:.0f} µs; others' load {:.1f}".format(LAG_RATE, os.getloadavg()[0], **rounds[-1])
            )
        other = ghz(world, options.method, options.calls, options.outstanding)
    best = min(measured["cpu_us"] for measured in rounds)
    if other is None:
        print("ghz is not on PATH")
    else:
        print(f"ghz    {other[0]:6.1f} µs CPU a call {other[1]:7.0f} calls/s; engine/ghz {best / other[0]:.2f}")
    good = best <= LIMIT_US and (other is None or best <= GHZ_FACTOR * other[0])
    print(f"{'met' if good else 'MISSED'}: best {best:.1f} µs a call, limits {LIMIT_US:.0f} µs and {GHZ_FACTOR} × ghz")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
