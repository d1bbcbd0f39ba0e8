# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the benchmarks of whole playbooks share: a private sandbox, and a line about the machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[6]
PORT_BASE = 29500


def machine() -> str:
    """What the figures were taken on."""
    try:
        cpu = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    except (OSError, StopIteration):
        cpu = f": {platform.processor() or platform.machine()}"
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} x{cpu.partition(':')[2]}, load {load:.1f} before, Python {platform.python_version()}"


def playbook(state: Path, name: str, **settings: t.Any) -> tuple[list[str], dict[str, str]]:
    """Command and environment that run a playbook of the repository on a sandbox below ``state``."""
    settings |= {
        "warren_load_state_dir": str(state),
        "warren_load_results_dir": str(state / "results"),
        "warren_load_port_base": PORT_BASE,
    }
    command = ["ansible-playbook", f"playbooks/{name}.yml", "-e", json.dumps(settings)]
    return command, {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONUNBUFFERED": "1",
    }


def run(state: Path, name: str, extra: t.Mapping[str, str] | None = None, **settings: t.Any) -> tuple[float, str]:
    """Run it to its end; its wall time in s and its output. A run that did not pass ends the benchmark."""
    command, environment = playbook(state, name, **settings)
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, env={**environment, **(extra or {})}
    )
    if done.returncode:
        sys.exit(f"{name} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    return time.monotonic() - started, done.stdout


def measured(state: Path) -> dict[str, t.Any]:
    """The measurements of the newest run."""
    results = json.loads((state / "results/latest/results.json").read_text(encoding="utf-8"))
    return t.cast("dict[str, t.Any]", results["measurements"])


def processes(state: Path) -> list[str]:
    """Command lines of what runs out of the sandbox; where there is no /proc, none is found."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it has ended meanwhile
        if f"{state}/" in command:
            found.append(command.strip())
    return found
