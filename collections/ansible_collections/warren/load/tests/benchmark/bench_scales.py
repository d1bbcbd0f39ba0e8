# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long medium, large and massive take on the sandbox, with ideal costs: at most 2, 6 and 15 min.

Counted is the whole playbook, sandbox up and down included. Every container must have run, and nothing may be left: no
service, no record, no process.

`python -m ansible_collections.warren.load.tests.benchmark.bench_scales [SCALE...]`; exit code 1 if a figure is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from ansible_collections.warren.load.tests.benchmark.playbooks import machine, measured, processes, run

LIMITS = {"medium": 120.0, "large": 360.0, "massive": 900.0}


def main() -> int:
    """Print a line a scale; 1 if one is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("scales", nargs="*", choices=[*LIMITS, []], default=list(LIMITS))
    missed = 0
    print(machine(), flush=True)
    for scale in parser.parse_args().scales:
        with tempfile.TemporaryDirectory(prefix="warren-load-bench-") as folder:
            state = Path(folder)
            wall, _output = run(state, f"load-{scale}")
            found = measured(state)
            left = found["cleanup"]["services_left"] + found["cleanup"]["containers_left"] + len(processes(state))
            wanted, ran = found["await"]["expected"], found["await"]["running"]
            holds = wall <= LIMITS[scale] and left == 0 and ran == wanted
            missed += not holds
            print(
                f"load-{scale}: {wall:.0f} s (at most {LIMITS[scale]:.0f}), {ran} of {wanted} containers ran, "
                f"purge {found['cleanup']['duration']:.0f} s, left {left}: {'holds' if holds else 'MISSED'}",
                flush=True,
            )
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
