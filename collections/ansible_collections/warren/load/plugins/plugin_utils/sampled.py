# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Joins what the samplers of all hosts saw into ``measurements.resources``. Pure."""

from __future__ import annotations

import typing as t

Row = dict[str, t.Any]


def merged(results: t.Iterable[t.Mapping[str, t.Any]], managers: int = 0) -> dict[str, t.Any]:
    """``measurements.resources`` from the loop results of module ``sampler``; nothing where no sampler was started."""
    told: dict[str, t.Any] = {"managers": [], "workers": [], "others": [], "sampler": [], "unavailable": []}
    asked = 0
    lost: list[Row] = []  # the managers and workers of hosts that gave no answer
    for result in results:
        if result.get("skipped"):
            continue
        asked += 1
        if "rows" not in result:
            told["unavailable"].append(_unanswered(result))
            lost += _own(result)
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
    rates = {"memory": [(row["name"], (row.get("growth") or {}).get("rate")) for row in own + lost]}
    for name in ("open_files", "goroutines"):
        # Where no manager, or no worker, tells a number at all, none is expected to.
        telling = {row["kind"] for row in own if row.get(name) is not None}
        silent = {row["kind"] for row in own} - telling
        rates[name] = [(row["name"], row.get(f"{name}_growth")) for row in own + lost if row["kind"] not in silent]
        if silent and _growth(rates[name]):
            told["unavailable"].append(
                f"Growth of {_words(name)} is that of {min(telling)}s alone: no {min(silent)} tells its number."
            )
    for name, each in rates.items():
        told[f"{name}_growth"] = growth = _growth(each)
        if growth and growth["high"] is None:
            told["unavailable"].append(_unbounded(name, each))
    told["unavailable"] = list(dict.fromkeys(told["unavailable"]))
    return told


def _host(result: t.Mapping[str, t.Any]) -> str:
    """The inventory's name of the host, which the loop was over."""
    item = result.get("item")
    return str(item["host"]) if isinstance(item, dict) and "host" in item else ""


def _own(result: t.Mapping[str, t.Any]) -> list[Row]:
    """The managers and workers that a sampler was to watch."""
    item = result.get("item")
    processes = item.get("processes", []) if isinstance(item, dict) else []
    return [process for process in processes if process["kind"] != "other"]


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


def _growth(rates: list[tuple[str, Row | None]]) -> Row | None:
    """Of the process that grows most; of one that grows in any case also where that of others cannot be told.

    These may grow faster yet: then there is no upper bound, so that it can fail but never pass.
    """
    known = [rate for _name, rate in rates if rate]
    if not known:
        return None
    low = max((rate["low"] for rate in known if rate["low"] is not None), default=None)
    if len(known) < len(rates) and (low is None or low <= 0):
        return None
    return {
        "value": max(rate["value"] for rate in known),
        "unit": known[0]["unit"],
        "low": low,
        "high": max(rate["high"] for rate in known) if len(known) == len(rates) else None,
        "n": min(rate["n"] for rate in known),
    }


def _unbounded(what: str, rates: list[tuple[str, Row | None]]) -> str:
    unknown = [name for name, rate in rates if not rate]
    who = unknown[0] + (f" and {len(unknown) - 1} more" if len(unknown) > 1 else "")
    return f"Growth of {_words(what)} of {who} is not known: it may be more than that which is told."


def _words(name: str) -> str:
    return name.replace("_", " ")
