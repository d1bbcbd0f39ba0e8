# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the results of a large run cost at its end: 1000 services of 3 containers, 3000 calls, 13 nodes, long findings.

Reports and JUnit from the results document take at most 2 s, and so do they with the document and the samples of the
run: what a person waits for between the last measurement and the banner.

`python tests/benchmark/bench_report.py`; exit code 1 if one figure is missed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.warren.load.plugins.module_utils.objectives.judging import judge
from ansible_collections.warren.load.plugins.module_utils.objectives.rows import load_rows
from ansible_collections.warren.load.plugins.plugin_utils import reports
from ansible_collections.warren.load.plugins.plugin_utils.banner import render
from ansible_collections.warren.load.plugins.plugin_utils.comparison import compare, markdown, screen_lines
from ansible_collections.warren.load.plugins.plugin_utils.redaction import Secrets
from ansible_collections.warren.load.plugins.plugin_utils.results import assemble, cleared, encode, load, write

COLLECTION = Path(__file__).parents[2]
FIXTURE = COLLECTION / "tests/unit/plugins/plugin_utils/fixtures/measurements-large-failed.json"
LIMIT = 2.0  # s
SERVICES, REPLICAS, CALLS, NODES = 1000, 3, 3000, 10
MARKS = ["simulator", "hollow", "shared-host"]


def run_options() -> dict[str, Any]:
    """A large run in which everything went wrong, with series and log lines as long as they get."""
    measured = json.loads(FIXTURE.read_text(encoding="utf-8"))
    measured["await"]["placement"] = {f"worker-{node}": 300 for node in range(1, NODES + 1)}
    measured["await"]["ticks"] = [
        {"t": second * 1.0, "created": second, "assigned": second, "running": second} for second in range(600)
    ]
    said = "rpc error: code = Unavailable desc = no leader; " * 30
    measured["resources"]["workers"] = [
        {"name": f"worker-{node}", "rss": 100.0, "log": {"error": 10, "first_error": said}} for node in range(NODES)
    ]
    measured["create"]["causes"] = {f"{said}{number}": number for number in range(1, 50)}
    measured["latency"]["errors"] = {f"{number} {said}": number for number in range(1, 50)}
    rows = load_rows(yaml.safe_load((COLLECTION / "roles/load/files/objectives.yml").read_text(encoding="utf-8")))
    audit = {"generator": {"valid": False, "reasons": [said, "the generator was too busy"]}}
    host = {"os": "Debian", "kernel": "6.1", "cpu_model": "a CPU", "cores": 2, "memory": 4096}
    return {
        "run": {"id": "20261123-120102-4f1a", "scale": "large", "services": SERVICES, "replicas": REPLICAS},
        "measurements": measured,
        "audit": audit,
        "judgement": judge(measured, audit, rows, scale="large", marks=MARKS),
        "environment": {
            "program": {"name": "warren", "sha256": "ab" * 32, "version": "v1.6.0", "simulator": False},
            "hosts": [{"name": f"host-{number}", **host} for number in range(3 + NODES)],
            "controller": {"ansible_core": "2.19", "python": "3.11", "collection": "0.1.0"},
        },
        "marks": MARKS,
        "phases": [{"name": "await", "status": "failed", "duration": 300.0, "error": said}],
        "plan": {"notes": [said]},
        "findings": [f"{said} {number}" for number in range(100)],
    }


def samples() -> dict[str, bytes]:
    """The files that come from the generator: the journal, and a line for every create, container and call."""
    pick = random.Random(1)
    journal = [
        json.dumps({"t": pick.random(), "phase": "create", "event": event, "service": f"wl-{number:04}", "error": ""})
        for number in range(SERVICES)
        for event in ("create", "created")
    ]
    creates = [
        f"wl-{number:04},{pick.random()},{pick.random()},created,1,{pick.random()}," for number in range(SERVICES)
    ]
    containers = [f"{pick.random()},wl-{number:04},worker-1,4.5,10.0,running" for number in range(SERVICES * REPLICAS)]
    calls = [f"{pick.random():.6f},{pick.random():.6f},{pick.random():.6f}," for _call in range(CALLS)]
    packed = {"create": creates, "await": containers, "latency": calls}
    found = {f"{name}-samples.csv.gz": gzip.compress("\n".join(lines).encode()) for name, lines in packed.items()}
    return {"journal.jsonl": "\n".join(journal).encode(), **found}


def main() -> int:
    """Print the figures."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None).parse_args()
    options, fetched = run_options(), samples()
    secrets = Secrets(["correct horse battery staple", "another secret"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = time.perf_counter()
        for file, content in fetched.items():
            write(folder / file, cleared(file, content, secrets))
        document = assemble(options, secrets)
        write(folder / "results.json", encode(document))
        written = time.perf_counter() - started

        started = time.perf_counter()
        document = load(folder / "results.json")
        render(reports.screen_lines(document, folder))
        for file, content in reports.files(document, folder).items():
            write(folder / file, content)
        made = time.perf_counter() - started

        started = time.perf_counter()
        found = compare(document, document)
        render(screen_lines(found))
        markdown(found)
        compared = time.perf_counter() - started
        size = (folder / "results.json").stat().st_size / 1000
    print(f"results of a large run, {size:.0f} kB: {len(document['findings'])} findings, {CALLS} calls")
    print(f"  report and JUnit from the results   {made:6.3f} s, at most {LIMIT:g} s")
    print(f"  document and samples before that    {written:6.3f} s")
    print(f"  all of it                           {made + written:6.3f} s, at most {LIMIT:g} s")
    print(f"  two such runs side by side          {compared:6.3f} s")
    return 0 if made + written <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
