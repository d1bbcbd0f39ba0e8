# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the processes of a cluster use, from the process table or, where that is out of reach, their metrics page.

PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on cluster nodes.
"""

from __future__ import annotations

import http.client
import re
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.urls import open_url

from ansible_collections.warren.load.plugins.module_utils.node import process_table, supervision

MEGABYTE = 1 << 20  # the guide's MB: its script divides ps's KiB by 1024
METRIC = re.compile(
    r"^(process_resident_memory_bytes|process_cpu_seconds_total|process_open_fds) (\d+(?:\.\d+)?(?:e[+-]\d+)?)$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Target:
    """One process and the ways to find it, tried in this order: pid, pid file, command line, metrics page."""

    name: str
    kind: str
    pid: int | None = None
    pid_file: str | None = None
    match: str | None = None
    metrics_url: str | None = None


def measure(target: Target) -> tuple[dict[str, Any] | None, str | None]:
    """(row, None) with what the process uses, or (None, the sentence that says why it cannot be told)."""
    pid, why = find_pid(target)
    used = process_table.usage(pid) if pid is not None else None
    if used is not None:
        return _row(target, used), None
    if target.metrics_url:
        from_page, why_not = _from_metrics(target)
        if from_page is not None:
            return from_page, None
        why = f"{why}, and {why_not}"
    return None, f"Memory of {target.name} is not known: {why}."


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows by kind as `managers`, `workers`, `others`, and for each kind the largest memory as `<kind>_rss_max`."""
    told: dict[str, Any] = {"managers": [], "workers": [], "others": []}
    for row in rows:
        told[row["kind"] + "s" if row["kind"] + "s" in told else "others"].append(row)
    for kind in ("manager", "worker"):
        values = [row["rss"]["value"] for row in told[kind + "s"]]
        told[kind + "_rss_max"] = _quantity(max(values), "MB", len(values)) if values else None
    return told


def _row(target: Target, used: process_table.Usage) -> dict[str, Any]:
    return {
        "name": target.name,
        "kind": target.kind,
        "pid": used.pid,
        "rss": _quantity(round(used.rss / MEGABYTE, 2), "MB", 1),
        "cpu": None if used.cpu is None else _quantity(round(used.cpu, 2), "s", 1),
        "open_files": used.open_files,
        "threads": used.threads,
        "source": used.source,
    }


def _quantity(value: float, unit: str, count: int) -> dict[str, Any]:
    return {"value": value, "unit": unit, "low": None, "high": None, "n": count}


def find_pid(target: Target) -> tuple[int | None, str]:
    """(its number, why that may be of no use), or (None, the reason why it was not found) as a clause of a sentence."""
    if target.pid:
        return target.pid, f"no process has the number {target.pid}"
    if target.pid_file:
        record = supervision.running_record(target.pid_file)
        if record is not None:
            return record.pid, f"process {record.pid} has just ended"
    if target.match:
        pattern = re.compile(target.match)
        found = [pid for pid in process_table.pids() if pattern.search(" ".join(process_table.command_line(pid)))]
        if len(found) == 1:
            return found[0], f"process {found[0]} has just ended"
        return None, f"{len(found)} processes here have a command line that matches {target.match!r}"
    if target.pid_file:
        return None, f"the process of {target.pid_file} does not run"
    return None, "Ansible was not told how to log in to its host (list it in the inventory)"


def _from_metrics(target: Target) -> tuple[dict[str, Any] | None, str]:
    try:
        text = open_url(str(target.metrics_url), timeout=5, use_proxy=False).read().decode("utf-8", "replace")
    except (OSError, ValueError, http.client.HTTPException) as error:
        return None, f"{target.metrics_url} does not answer ({getattr(error, 'reason', error)})"
    if "\nwarren_" not in "\n" + text:
        # Prometheus itself listens on 9090 too, and tells its own memory under the same name.
        return None, f"{target.metrics_url} is not the metrics page of a Warren manager"
    values = {name: float(value) for name, value in METRIC.findall(text)}
    if "process_resident_memory_bytes" not in values:
        return None, f"{target.metrics_url} has no process_resident_memory_bytes"
    cpu, files = values.get("process_cpu_seconds_total"), values.get("process_open_fds")
    used = process_table.Usage(
        pid=0,
        rss=int(values["process_resident_memory_bytes"]),
        cpu=cpu,
        open_files=None if files is None else int(files),
        threads=None,
        source="metrics",
    )
    return {**_row(target, used), "pid": None}, ""
