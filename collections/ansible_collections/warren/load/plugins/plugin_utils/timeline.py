# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults, outages and leaders on one clock: the generator's, in seconds since a run began.

Faults happen on hosts with clocks of their own. What such a clock is ahead of the generator's is known within an
interval (``environment.hosts[].clock_offset``); its middle is taken off, and half its width is said.
"""

from __future__ import annotations

import typing as t

from ansible_collections.warren.load.plugins.module_utils.node.fault_kinds import FATAL, SILENCING
from ansible_collections.warren.load.plugins.module_utils.stats.outages import elected
from ansible_collections.warren.load.plugins.module_utils.stats.summaries import number

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Row = Mapping[str, t.Any]

BEFORE = 0.5  # seconds by which an outage may seem to begin before its fault: a probe's answer is older than the fault


def offsets(hosts: Iterable[Row], generator: str) -> dict[str, tuple[float, float]]:
    """``{host: (s ahead of the generator's clock, within so many s)}`` from ``environment.hosts``."""
    known = {
        str(host.get("name")): host["clock_offset"]
        for host in hosts
        if isinstance(host.get("clock_offset"), dict) and host["clock_offset"].get("value") is not None
    }
    base = known.get(generator, {"value": 0.0, "low": 0.0, "high": 0.0})
    return {name: (offset["value"] - base["value"], _half(offset) + _half(base)) for name, offset in known.items()}


def on_one_clock(faults: Sequence[Row], ahead: Mapping[str, tuple[float, float]]) -> list[dict[str, t.Any]]:
    """The faults as the task `fault` returned them, each with ``host``, in Unix s of the generator, in order.

    ``uncertainty`` is in s; None where the host's clock was not compared.
    """
    rows = []
    for fault in faults:
        if fault.get("began") is None:
            continue
        # Hosts of the generator's own machine have its clock.
        shift, within = (
            (0.0, 0.0) if fault.get("own_clock") is False else ahead.get(str(fault.get("host")), (0.0, None))
        )
        over = None if fault.get("kind") in FATAL else fault.get("ended")  # to be dead is not undone
        rows.append(
            {
                **{key: fault.get(key) for key in ("kind", "target", "host", "undone_by", "outcome")},
                "start": round(fault["began"] - shift, 4),
                "end": None if over is None else round(over - shift, 4),
                "uncertainty": None if within is None else round(within, 4),
            }
        )
    return sorted(rows, key=lambda row: row["start"])


def timeline(zero: float, faults: Sequence[Row], probe: Row | None) -> dict[str, t.Any]:
    """``timeline`` of the results: ``{zero, intervals}``, see docs/results.schema.json.

    ``zero`` is the run's begin in Unix s; ``faults`` are on_one_clock()'s; ``probe`` what M(probe) measured, or None.
    """
    intervals = [_interval(zero, "fault", fault["kind"], fault["target"], fault) for fault in faults]
    if probe:
        intervals += [_interval(zero, "outage", "writes", None, one) for one in probe["writes"]["outages"]]
        intervals += [
            _interval(zero, "outage", "reads", manager["name"], one)
            for manager in probe["managers"]
            for one in manager["outages"]
        ]
        intervals += [_interval(zero, "leader", "acknowledges writes", one["leader"], one) for one in probe["terms"]]
        intervals.append(_interval(zero, "probe", "probes", None, {"start": probe["started"], "end": probe["ended"]}))
    return {"zero": round(zero, 4), "intervals": sorted(intervals, key=lambda one: (one["start"], one["kind"]))}


def failover(fault: Row, probe: Row) -> dict[str, t.Any]:
    """What the loss of a leader cost, as ``measurements.failover``: ``fault`` is one of on_one_clock()'s rows.

    ``election`` is the time until another manager named a new leader, ``write_outage`` the longest one that touches
    the fault, ``first_write`` the time until the new leader acknowledged one; each value None where it never was.
    """
    was, since = str(fault["target"]), float(fault["start"])
    seen = elected(((view["time"], view["manager"], view["leader"]) for view in probe["views"]), was, since)
    after = [term for term in probe["terms"] if term["leader"] != was and term["end"] >= since]
    end = float("inf") if fault.get("end") is None else float(fault["end"])
    touching = [
        one
        for one in probe["writes"]["outages"]
        if one["start"] <= end and (one["end"] is None or one["end"] >= since - BEFORE)
    ]
    longest = max(touching, key=lambda one: one["seconds"], default=None)
    worst = float(probe["resolution"]["value"] or 0.0) / 1e3
    finest = worst if longest is None else float(longest.get("within") or worst)
    others = [manager for manager in probe["managers"] if manager["name"] != was]
    first = min((max(term["start"], since) - since for term in after), default=None)
    election = None if seen is None else seen[0] - since
    outage = longest["seconds"] if longest else 0.0
    return {
        "was": was,
        "leader": seen[1] if seen else None,
        "election": _measured(election, finest, fault.get("uncertainty")),
        "first_write": _measured(first, finest, fault.get("uncertainty")),
        "write_outage": number(outage, "s", len(touching), max(0.0, outage - 2 * finest), outage),
        "recovered": bool(longest is None or longest["end"] is not None),
        "read_outage": number(
            max((one["longest_outage"]["value"] for one in others), default=None),
            "s",
            sum(one["outage_count"] for one in others),
        ),
        "reads": {
            manager["name"]: number(manager["longest_outage"]["value"], "s", manager["outage_count"])
            for manager in probe["managers"]
        },
    }


def measured(
    faults: Sequence[Row],
    probe: Row | None = None,
    hosts: Sequence[Row] = (),
    generator: str = "",
    recovery: Row | None = None,
) -> dict[str, t.Any]:
    """``faults``, where a manager was hit and probed ``failover``, with ``recovery`` ``loss``; see failover.yml."""
    rows = on_one_clock(faults, offsets(hosts, generator))
    found: dict[str, t.Any] = {"faults": {"count": len(rows), "faults": rows}}
    probed = [manager["name"] for manager in probe["managers"]] if probe else []
    hit = next((row for row in rows if row["target"] in probed), None)
    if hit and probe:
        hit.update(_seen(hit, probe))
    if hit and probe:
        found["failover"] = failover(hit, probe)
    if rows and recovery:
        found["loss"] = loss(rows, recovery)
    return found


def loss(faults: Sequence[Row], recovery: Row) -> dict[str, t.Any]:
    """What faults cost workers and containers, as ``measurements.loss``: ``faults`` are on_one_clock()'s rows.

    Times count from the first fault, ``detection`` of a worker that was hit from its own. Known within recovery's
    ``resolution``; None where it never was.
    """
    began = min(float(fault["start"]) for fault in faults)
    down: dict[str, float] = {}
    for change in recovery["changes"]:
        if change["status"] == "down" and change["time"] >= began:
            down.setdefault(change["node"], change["time"])
    hit = {str(fault["target"]): float(fault["start"]) for fault in faults}
    workers = [down[name] - start for name, start in hit.items() if name in down]
    detection = max(workers, default=min((moment - began for moment in down.values()), default=None))
    within = float(recovery["resolution"])

    def since(moment: float | None, n: int) -> t.Any:
        if moment is None or n == 0:
            return number(None, "s", 0)
        seconds = moment - began
        return number(seconds, "s", n, max(0.0, seconds - within), seconds)

    return {
        "targets": list(hit),
        "workers": recovery["ready_most"],
        "down": len(down),
        "ready_end": recovery["ready_end"],
        "detection": since(None if detection is None else detection + began, len(down)),
        "all_down": since(max(down.values(), default=None), len(down)),
        "touched": recovery["touched"],
        "replaced": recovery["replaced"],
        "replacement": since(recovery["last_replaced"], recovery["replaced"]),
        "restored": since(recovery["restored_at"], recovery["touched"]),
        "missing": recovery["expected"] - recovery["running"],
        "placed_on_lost": recovery["placed_on_lost"],
        "why": recovery["why"],
    }


def _seen(fault: Row, probe: Row) -> dict[str, t.Any]:
    """``start`` and ``uncertainty`` of a fault that silences a manager, as its last answer tells them, where finer.

    Whoever answers is not killed yet, and the next probe was not answered.
    """
    within = fault["uncertainty"]
    if fault["kind"] not in SILENCING or within == 0.0:
        return {}
    low, high = (0.0, float("inf")) if within is None else (fault["start"] - within, fault["start"] + within)
    manager = next(one for one in probe["managers"] if one["name"] == fault["target"])
    for one in manager["outages"]:
        finest = float(one.get("within") or probe["resolution"]["value"] / 1e3)
        if low - finest <= one["start"] <= high and (within is None or finest < within):
            return {"start": round(max(low, one["start"]), 4), "uncertainty": round(finest, 4)}
    return {}


def _interval(zero: float, kind: str, what: str, target: str | None, row: Row) -> dict[str, t.Any]:
    end = row.get("end")
    return {
        "kind": kind,
        "what": what,
        "target": target,
        "start": round(row["start"] - zero, 4),
        "end": None if end is None else round(end - zero, 4),
        **({"uncertainty": row["uncertainty"]} if "uncertainty" in row else {}),
    }


def _measured(seconds: float | None, finest: float, uncertainty: float | None) -> t.Any:
    if seconds is None:
        return number(None, "s", 0)
    within = uncertainty or 0.0
    return number(seconds, "s", 1, max(0.0, seconds - finest - within), seconds + within)


def _half(offset: Row) -> float:
    low, high = offset.get("low"), offset.get("high")
    return 0.0 if low is None or high is None else float(high - low) / 2
