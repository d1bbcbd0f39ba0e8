# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it costs the controller to wait for a phase and show its progress: at most 2 % of a core.

A run on a private sandbox plans few calls over a long time, so that nearly all of the phase latency is waiting. Counted
is the CPU of ansible-playbook, of its worker process and of the commands with which that looks at the generator, over
the phase. The engine is not: it would be on another host.

`python -m ansible_collections.warren.load.tests.benchmark.bench_controller [--seconds N]`; exit code 1 if the figure is
missed. Linux only.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ansible_collections.warren.load.tests.benchmark.playbooks import ROOT, machine, playbook

LIMIT = 2.0  # % of a core
RATE = 5.0  # calls a second
MARGIN = 5.0  # seconds left out at both ends of the phase


def family(pid: int) -> dict[int, float]:
    """CPU seconds, those of ended children included, of a process and its children, by pid."""
    tick = os.sysconf("SC_CLK_TCK")
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        if int(entry.name) == pid or int(fields[1]) == pid:
            found[int(entry.name)] = sum(map(int, fields[11:15])) / tick
    return found


def main() -> int:
    """Print the figure; 1 if it is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=40.0)
    seconds = parser.parse_args().seconds
    calls = round((seconds + 2 * MARGIN) * RATE)
    print(machine())
    with tempfile.TemporaryDirectory(prefix="warren-load-bench-") as folder:
        settings = {"services": 5, "warren_load_latency_rate": RATE, "warren_load_latency_calls": calls}
        command, environment = playbook(Path(folder), "load-small", **settings)
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as run:
            assert run.stdout
            for line in run.stdout:
                if line.startswith("latency "):
                    break
            time.sleep(MARGIN)
            before, begun = family(run.pid), time.monotonic()
            time.sleep(seconds)
            after, took = family(run.pid), time.monotonic() - begun
            rest = run.stdout.read()
    if run.returncode not in (0, 2) or "latency " not in rest:
        sys.exit(f"the run ended with {run.returncode}, or the phase ended too early:\n{rest[-2000:]}")
    shares = {pid: 100 * (after[pid] - before[pid]) / took for pid in before.keys() & after.keys()}
    own, total = shares.pop(run.pid), sum(shares.values())
    print(f"ansible-playbook itself while it waits: {own:.2f} % of a core")
    print(f"its worker and what that starts, to look at the generator: {total:.2f} % of a core")
    holds = own + total <= LIMIT
    figure = f"{own + total:.2f} % of a core (at most {LIMIT:g} %)"
    print(f"controller CPU for progress: {figure}: {'holds' if holds else 'MISSED'}")
    return int(not holds)


if __name__ == "__main__":
    sys.exit(main())
