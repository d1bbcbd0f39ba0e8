# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long `ansible-inventory --list` takes for 100 Lima VMs beyond limactl's own time: at most 1 s.

limactl is a STUB that prints 100 records like a recorded one of limactl 2.2.0; its own time is measured and taken off.

`python -m ansible_collections.warren.load.tests.benchmark.bench_lima_inventory [--rounds N]`; exit code 1 if the figure
is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ansible_collections.warren.load.tests.benchmark.playbooks import ROOT, machine

LIMIT = 1.0  # s
VMS = 100
RECORDED = Path(__file__).resolve().parents[1] / "unit/fixtures/limactl/v2.2.0/list-one-running.stdout"


def stub(folder: Path) -> Path:
    """A limactl with so many VMs."""
    line = RECORDED.read_text(encoding="utf-8").splitlines()[0]
    names = [f"warren-{'manager' if number <= 3 else 'worker'}-{number}" for number in range(1, VMS + 1)]
    (folder / "list").write_text("".join(f"{line.replace('warren-manager-1', name)}\n" for name in names))
    program = folder / "limactl"
    program.write_text(f'#!/bin/sh\nexec cat "{folder}/list"\n')
    program.chmod(0o755)
    return program


def seconds(argv: list[str], environment: dict[str, str]) -> tuple[float, str]:
    """How long it took, and what it printed."""
    begun = time.monotonic()
    done = subprocess.run(argv, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    return time.monotonic() - begun, done.stdout


def main() -> int:
    """Print the figure; 1 if it is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(machine())
    with tempfile.TemporaryDirectory(prefix="warren-load-bench-") as name:
        folder = Path(name)
        program = stub(folder)
        source = folder / "bench.lima.yml"
        keyed = [{"key": "lima_arch", "prefix": "arch"}]
        compose = {"role_of_it": "lima_env.WARREN_ROLE"}
        options = {"plugin": "warren.load.lima", "limactl": str(program), "keyed_groups": keyed, "compose": compose}
        source.write_text(json.dumps(options), encoding="utf-8")
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = os.environ | {"PATH": path, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
        took, own = [], []
        for _round in range(rounds):
            whole, printed = seconds(["ansible-inventory", "-i", str(source), "--list"], environment)
            hosts = len(json.loads(printed)["_meta"]["hostvars"])
            if hosts != VMS:
                sys.exit(f"{hosts} of {VMS} VMs were listed")
            took.append(whole)
            own.append(seconds([str(program), "list", "--format", "json"], environment)[0])
    beyond = statistics.median(took) - statistics.median(own)
    print(f"ansible-inventory --list: {statistics.median(took):.2f} s, limactl (a stub) {statistics.median(own):.3f} s")
    holds = beyond <= LIMIT
    figure = f"{beyond:.2f} s (at most {LIMIT:g} s)"
    print(f"inventory of {VMS} Lima VMs beyond limactl's own time: {figure}: {'holds' if holds else 'MISSED'}")
    return int(not holds)


if __name__ == "__main__":
    sys.exit(main())
