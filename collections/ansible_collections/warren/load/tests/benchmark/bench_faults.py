# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How soon a fault is undone once the controller is killed, and how finely the outage of a lost leader is known.

    WARREN_BINARY=PATH python -m ansible_collections.warren.load.tests.benchmark.bench_faults

Figures to hold: undone within 30 s, 20 of 20 times; a write outage known to 100 ms. Each of the 20 is an
ansible-playbook of its own, which pauses a process for long and renews that in a loop, as a fault run does. It alone is
killed with SIGKILL at any moment; what Ansible forked is left, as by a machine that is out of memory. The probes have
their default rate, on three managers that are written to, the leader of which is killed; without WARREN_BINARY they are
the simulator's. Exit code 1 if a figure is missed. Linux.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import typing as t
from itertools import pairwise
from pathlib import Path

from ansible_collections.warren.load.plugins.module_utils.api.channel import Security
from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster, Manager
from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.api.errors import WarrenError
from ansible_collections.warren.load.plugins.module_utils.api.run_names import new_run_id
from ansible_collections.warren.load.plugins.module_utils.engine import loop
from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter
from ansible_collections.warren.load.plugins.module_utils.node import process_table, supervision
from ansible_collections.warren.load.plugins.module_utils.phases import probe
from ansible_collections.warren.load.tests.benchmark.playbooks import ROOT, machine
from ansible_collections.warren.load.tests.support.worlds import World, python_environment, real, simulator

TIMES, AT_ONCE = 20, 4
LIMIT = 30.0  # s
RENEWAL = 5.0  # s between two
RUN = "20261124-000000-0000"
PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  tasks:
    - name: Do it
      warren.load.fault:
        {dir: "{{ at }}/faults", kind: pause, target: m, run_id: RUN, seconds: 600, pid_file: "{{ at }}/pid.json"}
    - name: It lasts
      warren.load.fault: {state: renewed, dir: "{{ at }}/faults", run_id: RUN}
      loop: "{{ range(0, 100) | list }}"
      loop_control: {pause: RENEWAL}
""".replace("RUN", RUN).replace("RENEWAL", str(RENEWAL))

RESOLUTION = 100.0  # ms
SECONDS = 20.0  # that the probes take
KILLED_AT = 8.0  # s after they began
WRITES = 30.0  # creates a second beside them
MODULE = "ansible_collections.warren.load.tests.benchmark.bench_faults"


def stopped(pid: int) -> bool:
    """Whether the process is paused."""
    return process_table.read_text(f"/proc/{pid}/stat").rpartition(")")[2].split()[:1] == ["T"]


def controller(playbook: Path, folder: Path) -> subprocess.Popen[bytes]:
    """An ansible-playbook that pauses the process of that folder."""
    command = ["ansible-playbook", "-i", "localhost,", "-c", "local", str(playbook), "-e", f"at={folder}"]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_LOCAL_TEMP": str(folder),
    }
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def undone() -> bool:
    """Print how soon each of the faults was undone; whether all were in time."""
    sleeper = [sys.executable, "-c", "import time; time.sleep(900)"]
    took: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as name:
        playbook = Path(name) / "play.yml"
        playbook.write_text(PLAYBOOK, encoding="utf-8")
        folders = [Path(name) / str(number) for number in range(TIMES)]
        pids: list[int] = []
        killed: dict[int, float] = {}
        waiting: list[tuple[int, subprocess.Popen[bytes]]] = []
        usage = []
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.05):
                for pid, moment in list(killed.items()):
                    if pid not in took and not stopped(pid):
                        took[pid] = time.monotonic() - moment

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            for number, folder in enumerate(folders):
                program = supervision.Program("m", sleeper, f"{folder}/pid.json", f"{folder}/log")
                pids.append(supervision.start(program)[0].pid)
                waiting.append((pids[-1], controller(playbook, folder)))
                if len(waiting) < AT_ONCE and number + 1 < TIMES:
                    continue
                deadline = time.monotonic() + 120
                while not all(stopped(pid) for pid, _process in waiting):
                    if time.monotonic() > deadline:
                        sys.exit("a fault could not be armed")
                    time.sleep(0.1)
                time.sleep(RENEWAL)  # they are at the loop by now
                while waiting:
                    time.sleep(random.uniform(0.0, RENEWAL / AT_ONCE))  # at any moment between two renewals
                    pid, process = waiting.pop()
                    process.kill()
                    process.wait()
                    killed[pid] = time.monotonic()
            watchdogs = [supervision.read_record(f"{folder}/faults/pause/pid.json") for folder in folders]
            usage = [process_table.usage(one.pid) for one in watchdogs if one is not None]
            while len(took) < TIMES and time.monotonic() - max(killed.values()) < 2 * LIMIT:
                time.sleep(0.1)
        finally:
            over.set()
            watcher.join()
            for _pid, process in waiting:
                process.kill()
            for folder in folders:
                supervision.stop(f"{folder}/faults/pause/pid.json", 10.0)
                supervision.stop(f"{folder}/pid.json", 0.1)
    good = sum(seconds <= LIMIT for seconds in took.values())
    print(
        f"undone after ansible-playbook was killed: {good} of {TIMES} within {LIMIT:g} s, after "
        f"{min(took.values(), default=float('nan')):.1f} to {max(took.values(), default=float('nan')):.1f} s: "
        f"{'holds' if good == TIMES else 'MISSED'}"
    )
    rss = max((one.rss for one in usage if one is not None), default=0) / (1 << 20)
    print(f"  a watchdog takes {rss:.0f} MB", flush=True)
    return good == TIMES


def probed(addresses: list[str]) -> dict[str, t.Any]:
    """What M(probe) measures, with ``gaps`` between two probes of a stream in ms, and ``cpu`` in percent of a core."""
    managers = [Manager(*each.split("=")) for each in addresses]

    async def main(stop: loop.Stop) -> dict[str, t.Any]:
        async with await Cluster.connect(managers, Security(mode="plaintext"), Dialect.TASKS) as cluster:
            with tempfile.TemporaryDirectory() as folder, Reporter(folder, "probe", 2 * SECONDS, stop) as reporter:
                before, started = time.process_time(), time.monotonic()
                measured = await probe.run(cluster, probe.Options(new_run_id(), SECONDS), reporter)
                cpu = 100 * (time.process_time() - before) / (time.monotonic() - started)
                with gzip.open(f"{folder}/probe-samples.csv.gz", "rt", encoding="ascii") as stream:
                    rows = list(csv.DictReader(stream))
        streams: dict[tuple[str, str], list[float]] = {}
        for row in rows:
            streams.setdefault((row["manager"], row["method"]), []).append(float(row["sent_s"]))
        gaps = [1e3 * (after - before) for sent in streams.values() for before, after in pairwise(sorted(sent))]
        return {**measured, "gaps": sorted(gaps), "cpu": cpu}

    return loop.run(main)


def resolved() -> bool:
    """Print how finely an outage is known, and what that costs; whether that is fine enough."""
    binary = os.environ.get("WARREN_BINARY")
    with World(real(binary) if binary else simulator(Dialect.TASKS, 1.0), managers=3) as world:
        leader = world.api.leader()
        addresses = [f"{node.name}={node.api_address}={node.raft_address}" for node in world.nodes.values()]
        over = threading.Event()

        def write() -> None:
            number = 0
            while not over.wait(1 / WRITES):
                number += 1
                try:
                    world.api.write("CreateService", name=f"s{number}", replicas=1, image="registry.example/a:1")
                except WarrenError:
                    pass

        writer = threading.Thread(target=write)
        client = subprocess.Popen(
            [sys.executable, "-m", MODULE, "--client", *addresses],
            env={**os.environ, **python_environment()},
            stdout=subprocess.PIPE,
        )
        writer.start()
        time.sleep(KILLED_AT)
        world.nodes[leader].process.signal(signal.SIGKILL)
        said, _none = client.communicate(timeout=6 * SECONDS)
        over.set()
        writer.join()
        print(f"{world}, 3 managers, {WRITES:.0f} creates a second, the leader killed")
    found = json.loads(said)
    gaps, finest = found["gaps"], found["resolution"]["value"]
    outage = found["writes"]["longest_outage"]
    share = 100 * sum(gap for gap in gaps if gap > RESOLUTION) / sum(gaps)
    middle, p99 = gaps[len(gaps) // 2], gaps[int(0.99 * len(gaps))]
    print(f"  {found['rate']:g} probes a second of each kind and manager, {found['unsent']} unsent")
    print(f"  between two probes: p50 {middle:.1f} ms, p99 {p99:.1f} ms, {share:.2f} % of the time more than 100 ms")
    print(
        f"  write outage {outage['value']:.2f} s, known to be {outage['low']:.2f} s at least; resolution "
        f"{finest:.1f} ms (limit {RESOLUTION:g}): {'holds' if finest <= RESOLUTION else 'MISSED'}"
    )
    print(f"  the probes took {found['cpu'] / 100:.2f} s of CPU a second", flush=True)
    return bool(finest <= RESOLUTION)


def main() -> int:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--client", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        print(json.dumps(probed(options.client)))
        return 0
    print(machine())
    good = [resolved(), undone()]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
