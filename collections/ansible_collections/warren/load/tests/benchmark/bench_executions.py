# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many modules a load test packs and executes, over all hosts: at most 40, and 4 a host, at any scale.

An asynchronous module counts twice, as its wrapper is packed and executed too; see plugins/callback/executions.py. The
sandbox is brought up and taken down by the run.

`python -m ansible_collections.warren.load.tests.benchmark.bench_executions`; exit code 1 if the figure is missed.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from ansible_collections.warren.load.tests.benchmark.playbooks import ROOT, run

ONCE, A_HOST = 40, 4


def main() -> int:
    """Print the count of each scale, by host and by module; 1 if one is missed."""
    missed = 0
    for scale in ("small", "large"):
        with tempfile.TemporaryDirectory(prefix="warren-load-bench-") as folder:
            noted = Path(folder, "executions")
            extra = {
                "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "plugins/callback"),
                "ANSIBLE_CALLBACKS_ENABLED": "warren.load.junit,executions",
                "WARREN_LOAD_EXECUTIONS_FILE": str(noted),
            }
            run(Path(folder), f"load-{scale}", extra)
            lines = [line.split() for line in noted.read_text(encoding="utf-8").splitlines()]
        hosts = Counter(host for host, _module in lines)
        limit = ONCE + A_HOST * len(hosts)
        missed += len(lines) > limit
        print(
            f"load-{scale}: {len(lines)} executions on {len(hosts)} hosts (at most {limit}): "
            f"{'holds' if len(lines) <= limit else 'MISSED'}"
        )
        print("  by host:   " + ", ".join(f"{host} {count}" for host, count in sorted(hosts.items())))
        modules = Counter(module.rpartition(".")[2] for _host, module in lines)
        print("  by module: " + ", ".join(f"{module} {count}" for module, count in modules.most_common()), flush=True)
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
