# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long hosts in network namespaces take to come and go, and what a task in one of them costs.

Figures to hold: 13 hosts within 10 s and 100 hosts within 60 s, both up and down, by the playbooks that a person runs;
a task in a host takes at most 50 ms more than on the controller. Needs root and Linux, else it is skipped (exit code
77); exit code 1 if a figure is missed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[5]))  # the folder that holds ansible_collections

from ansible_collections.warren.load.tests.benchmark.playbooks import ROOT, machine

LIMITS = {13: 10.0, 103: 60.0}  # hosts: seconds
TASK_LIMIT = 0.05  # s
TASKS = 10
NAME = f"b{os.getpid()}"
RANGE = "10.250.0.0/16"
PLAY = """
- hosts: HOST
  gather_facts: false
  tasks:
    - ansible.builtin.ping:
      loop: "{{ range(TASKS) | list }}"
"""


def play(folder: Path, playbook: str, **settings: object) -> float:
    """Run a playbook on the inventory of namespaces; seconds. What fails ends the benchmark."""
    words = ["ansible-playbook", "-i", "inventories/netns", playbook]
    words += ["-e", json.dumps({"warren_load_netns_range": RANGE, "confirm": True, **settings})]
    environment = os.environ | {
        "WARREN_LOAD_NETNS_DIRECTORY": str(folder / "there"),
        "WARREN_LOAD_NETNS_NAME": NAME,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    began = time.monotonic()
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{playbook} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    return time.monotonic() - began


def hosts(folder: Path, number: int, limit: float) -> bool:
    """Bring that many hosts up, again, and down; whether it was quick enough."""
    up = play(folder, "playbooks/hosts-up.yml", managers=3, workers=number - 3)
    again = play(folder, "playbooks/hosts-up.yml", managers=3, workers=number - 3)
    down = play(folder, "playbooks/hosts-down.yml")
    good = max(up, again, down) <= limit
    print(
        f"{number} hosts: up {up:.1f} s, up again {again:.1f} s, down {down:.1f} s (each at most {limit:.0f} s): "
        f"{'holds' if good else 'MISSED'}",
        flush=True,
    )
    return good


def task(folder: Path) -> bool:
    """What a task in a host costs beside one on the controller; whether that is little enough."""
    play(folder, "playbooks/hosts-up.yml", managers=1, workers=0)
    took = {}
    for host in ("localhost", "manager-1"):
        (folder / "play.yml").write_text(PLAY.replace("HOST", host).replace("TASKS", str(TASKS)))
        took[host] = min(play(folder, str(folder / "play.yml")) for _turn in range(3)) / TASKS
    play(folder, "playbooks/hosts-down.yml")
    more = took["manager-1"] - took["localhost"]
    good = more <= TASK_LIMIT
    print(
        f"a task in a host takes {1000 * more:+.0f} ms against one on the controller "
        f"(at most {1000 * TASK_LIMIT:.0f} ms): {'holds' if good else 'MISSED'}",
        flush=True,
    )
    return good


def main() -> int:
    """Measure all of it."""
    if sys.platform != "linux" or os.geteuid():
        print("skipped: network namespaces need root and Linux")
        return 77
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            held = [hosts(folder, number, limit) for number, limit in LIMITS.items()]
            held.append(task(folder))
        finally:
            play(folder, "playbooks/hosts-down.yml")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
