# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long clusters on hosts in network namespaces take to come and go.

Figures to hold, by the playbooks that a person runs, with the simulator or the Warren that ``WARREN_BINARY`` names
(one that joins managers):

- 3 managers and 10 worker hosts from nothing to load-ready within 60 s;
- the same again, changed=0, within 40 s;
- 100 worker hosts with a process each up within 5 min, down within 2 min;
- 100 hollow nodes from one process registered and ready within 30 s.

Name some of them (ready, again, hundred, fleet) to measure only those. Needs root and Linux, else it is skipped (exit
code 77); exit code 1 if a figure is missed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[5]))  # the folder that holds ansible_collections

from ansible_collections.warren.load.tests.benchmark.playbooks import ROOT, machine

FIGURES = ("ready", "again", "hundred", "fleet")
NAME = f"c{os.getpid()}"
RANGE = "10.249.0.0/16"
BINARY = os.environ.get("WARREN_BINARY") or "simulator"


def play(folder: Path, name: str, **settings: object) -> tuple[float, str]:
    """Run a playbook on the inventory of namespaces; seconds and output. What fails ends the benchmark."""
    words = ["ansible-playbook", "-i", "inventories/netns", f"playbooks/{name}.yml"]
    fixed = {"warren_load_netns_range": RANGE, "warren_load_binary": BINARY, "confirm": True}
    words += ["-e", json.dumps(fixed | {"warren_load_results_dir": str(folder / "results")} | settings)]
    environment = os.environ | {
        "WARREN_LOAD_NETNS_DIRECTORY": str(folder / "there"),
        "WARREN_LOAD_NETNS_NAME": NAME,
        "XDG_STATE_HOME": str(folder / "state"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    began = time.monotonic()
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    return time.monotonic() - began, done.stdout


def told(what: str, seconds: float, limit: float, more: str = "", good: bool = True) -> bool:
    """Print a figure; whether it holds."""
    good = good and seconds <= limit
    print(f"{what}: {seconds:.1f} s (at most {limit:.0f} s){more}: {'holds' if good else 'MISSED'}", flush=True)
    return good


def nodes(folder: Path, **settings: object) -> int:
    """How many nodes are ready."""
    found = re.search(r"^Nodes: +(\d+) ready\b", play(folder, "cluster-status", **settings)[1], re.MULTILINE)
    return int(found.group(1)) if found else 0


def thirteen(folder: Path, wanted: list[str]) -> list[bool]:
    """3 managers and 10 worker hosts, and all of it again."""
    held = []
    up = play(folder, "hosts-up", managers=3, workers=10)[0] + play(folder, "cluster-up")[0]
    if "ready" in wanted:
        held.append(told("3 + 10 hosts load-ready", up, 60, f", {nodes(folder)} nodes", nodes(folder) == 10))
    if "again" in wanted:
        runs = [play(folder, "hosts-up", managers=3, workers=10), play(folder, "cluster-up")]
        changed = sum(int(number) for _s, said in runs for number in re.findall(r"changed=(\d+)", said))
        again = sum(seconds for seconds, _said in runs)
        held.append(told("hosts-up and cluster-up again", again, 40, f", changed={changed}", changed == 0))
    play(folder, "hosts-down")
    return held


def hundred(folder: Path) -> list[bool]:
    """100 worker hosts with a process each."""
    up = play(folder, "hosts-up", managers=3, workers=100)[0] + play(folder, "cluster-up")[0]
    ready = nodes(folder)
    held = [told("100 hosts with a process each up", up, 300, f", {ready} nodes", ready == 100)]
    down = play(folder, "cluster-down")[0] + play(folder, "hosts-down")[0]
    return [*held, told("100 hosts with a process each down", down, 120)]


def fleet(folder: Path) -> list[bool]:
    """100 hollow nodes on a cluster that is there."""
    play(folder, "hosts-up", managers=3, workers=0)
    play(folder, "cluster-up")
    took = play(folder, "cluster-up", warren_load_workers=100)[0]
    ready = nodes(folder, warren_load_workers=100)
    held = [told("100 hollow nodes registered and ready", took, 30, f", {ready} nodes", ready == 100)]
    play(folder, "cluster-down", warren_load_workers=100)
    play(folder, "hosts-down")
    return held


def main() -> int:
    """Measure what was asked for, else all."""
    if sys.platform != "linux" or os.geteuid():
        print("skipped: network namespaces need root and Linux")
        return 77
    wanted = sys.argv[1:] or list(FIGURES)
    print(f"{machine()}, {Path(BINARY).name}")
    held: list[bool] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            if {"ready", "again"} & set(wanted):
                held += thirteen(folder, wanted)
            if "hundred" in wanted:
                held += hundred(folder)
            if "fleet" in wanted:
                held += fleet(folder)
        finally:
            play(folder, "hosts-down")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
