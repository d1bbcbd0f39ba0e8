# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Joins what the samplers of all hosts saw into ``measurements.resources``. Pure."""

from __future__ import annotations

import typing as t

LEAK = 4.0  # MB/min: growth that says enough, even if that of other processes cannot be told

Row = dict[str, t.Any]


def merged(results: t.Iterable[t.Mapping[str, t.Any]], managers: int = 0) -> dict[str, t.Any]:
    """``measurements.resources`` from the loop results of module ``sampler``; nothing where no sampler was started."""
    told: dict[str, t.Any] = {"managers": [], "workers": [], "others": [], "sampler": [], "unavailable": []}
    asked = 0
    for result in results:
        if result.get("skipped"):
            continue
        asked += 1
        if "rows" not in result:
            told["unavailable"].append(_unanswered(result))
            continue
        for row in result["rows"]:
            told[f"{row['kind']}s"].append({**row, "host": _host(result) or row["host"]})
        told["unavailable"] += result["unavailable"]
        if result["sampler"]:
            told["sampler"].append({**result["sampler"], "host": _host(result) or result["sampler"]["host"]})
    if not asked:
        return {}
    own = told["managers"] + told["workers"]
    told["manager_rss_max"] = _largest(told["managers"], least=max(1, managers))
    told["worker_rss_max"] = _largest(told["workers"])
    told["container_memory"] = _of_containers(told["workers"])
    gone = sum(bool(row["ended"] or row["restarts"]) for row in own + told["others"])
    told["ended"] = gone if own else None
    for level in ("error", "warning"):
        counts = [row["log"][level] for row in own + told["others"] if row["log"]]
        told[f"log_{level}s"] = sum(counts) if counts else None
    told["memory_growth"] = _growth(own)
    for name in ("open_files_growth", "goroutines_growth"):
        told[name] = _fastest([row[name] for row in own if row.get(name)])
    told["unavailable"] = list(dict.fromkeys(told["unavailable"]))
    return told


def _host(result: t.Mapping[str, t.Any]) -> str:
    """The inventory's name of the host, which the loop was over."""
    item = result.get("item")
    return str(item["host"]) if isinstance(item, dict) and "host" in item else ""


def _unanswered(result: t.Mapping[str, t.Any]) -> str:
    host = _host(result) or "a host"
    reason = " ".join(str(result.get("msg") or "it gave no answer").split()).rstrip(".")
    if result.get("unreachable"):
        reason = "Ansible cannot log in to it"
    return f"Nothing is known of the processes on {host}: {reason}."


def _largest(rows: list[Row], least: int = 1) -> dict[str, t.Any] | None:
    """The largest peak of memory; None where fewer than ``least`` processes were seen."""
    if len(rows) < least:
        return None
    return {**max((row["rss_peak"] for row in rows), key=lambda peak: peak["value"]), "n": len(rows)}


def _of_containers(rows: list[Row]) -> dict[str, t.Any] | None:
    """The peak of what the containers of all workers took, shims included; None where none were seen."""
    seen = [row["containers"] for row in rows if row.get("containers")]
    if not seen:
        return None
    size = sum(each[name]["value"] for each in seen for name in ("memory_peak", "shims_peak"))
    count = sum(each["count_peak"] for each in seen)
    return {"value": round(size, 1), "unit": "MB", "low": None, "high": None, "n": count}


def _growth(rows: list[Row]) -> dict[str, t.Any] | None:
    """Of the process that grows most; None where that of any cannot be told, unless another leaks in any case."""
    rates = [row["growth"]["rate"] for row in rows if row["growth"] and row["growth"]["rate"]]
    if not rates:
        return None
    low = max((rate["low"] for rate in rates if rate["low"] is not None), default=None)
    if len(rates) < len(rows) and (low is None or low < LEAK):
        return None
    return {**(_fastest(rates) or {}), "low": low}


def _fastest(rates: list[Row]) -> Row | None:
    """The rate of the process that grows most, and as far as any of them may grow."""
    if not rates:
        return None
    return {
        "value": max(rate["value"] for rate in rates),
        "unit": rates[0]["unit"],
        "low": max((rate["low"] for rate in rates if rate["low"] is not None), default=None),
        "high": max(rate["high"] for rate in rates),
        "n": min(rate["n"] for rate in rates),
    }
