# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How soon a fault is undone once whoever armed it is killed, and what its watchdog costs.

Figures to hold: undone within 30 s, 20 of 20 times. Each time a process of its own, which stands in for the controller
with its task, pauses a process and renews the fault; then it is killed with SIGKILL, as is all of its session. Exit
code 1 if a figure is missed. Linux.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COLLECTIONS = Path(__file__).resolve().parents[5]  # the folder that holds ansible_collections
sys.path.insert(0, str(COLLECTIONS))

from ansible_collections.warren.load.plugins.module_utils.node import process_table, supervision

TIMES = 20
LIMIT = 30.0  # s
LEASE = 25.0  # s, the module's default
RUN = "20261124-000000-0000"
CONTROLLER = """
import sys, time
from ansible_collections.warren.load.plugins.module_utils.node import fault_kinds, faults
folder, pid_file, lease = sys.argv[1], sys.argv[2], float(sys.argv[3])
faults.arm(folder, "pause", fault_kinds.Ask("pause", "manager-1", pid_file=pid_file), RUN, seconds=600, lease=lease)
print("armed", flush=True)
while True:
    time.sleep(5)
    faults.renew(folder, RUN)
""".replace("RUN", repr(RUN))


def stopped(pid: int) -> bool:
    """Whether the process is paused."""
    return process_table.read_text(f"/proc/{pid}/stat").rpartition(")")[2].split()[:1] == ["T"]


def main() -> int:
    """Print both figures."""
    sleeper = [sys.executable, "-c", "import time; time.sleep(900)"]
    environment = os.environ | {"PYTHONPATH": str(COLLECTIONS)}
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / str(number) for number in range(TIMES)]
        pids, controllers = [], []
        try:
            for folder in folders:
                program = supervision.Program("manager-1", sleeper, f"{folder}/pid.json", f"{folder}/log")
                pids.append(supervision.start(program)[0].pid)
                words = [sys.executable, "-c", CONTROLLER, f"{folder}/faults", f"{folder}/pid.json", str(LEASE)]
                controllers.append(
                    subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True)
                )
                if controllers[-1].stdout is None or controllers[-1].stdout.readline() != "armed\n":
                    sys.exit("a fault could not be armed")
            killed = {}
            for pid, controller in zip(pids, controllers, strict=True):
                time.sleep(random.uniform(0.0, 0.5))  # at any moment between two renewals
                os.killpg(controller.pid, signal.SIGKILL)
                killed[pid] = time.monotonic()
            if not all(stopped(pid) for pid in pids):
                sys.exit("a process was not paused")
            watchdogs = [supervision.read_record(f"{folder}/faults/pause/pid.json") for folder in folders]
            usage = [process_table.usage(one.pid) for one in watchdogs if one is not None]
            took: dict[int, float] = {}
            while len(took) < TIMES and time.monotonic() - max(killed.values()) < 2 * LIMIT:
                time.sleep(0.05)
                for pid in pids:
                    if pid not in took and not stopped(pid):
                        took[pid] = time.monotonic() - killed[pid]
        finally:
            for controller in controllers:
                controller.kill()
                controller.wait()
                if controller.stdout:
                    controller.stdout.close()
            for folder in folders:
                supervision.stop(f"{folder}/faults/pause/pid.json", 10.0)
                supervision.stop(f"{folder}/pid.json", 0.1)
    good = sum(seconds <= LIMIT for seconds in took.values())
    print(
        f"undone after the controller was killed: {good} of {TIMES} within {LIMIT:g} s, the last after "
        f"{max(took.values(), default=float('nan')):.1f} s: {'holds' if good == TIMES else 'MISSED'}"
    )
    rss = max((one.rss for one in usage if one is not None), default=0) / (1 << 20)
    print(f"a watchdog takes {rss:.0f} MB")
    return 0 if good == TIMES else 1


if __name__ == "__main__":
    sys.exit(main())
