# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults, phases, outages, leaders, nodes and replicas on one clock: the generator's, in seconds since a run began.

Faults happen on hosts with clocks of their own. What such a clock is ahead of the generator's is known within an
interval (``environment.hosts[].clock_offset``); its middle is taken off, and half its width is said.
"""

from __future__ import annotations

import typing as t

from ansible_collections.warren.load.plugins.module_utils.api.timers import NODE_DOWN_WITHIN
from ansible_collections.warren.load.plugins.module_utils.node.fault_kinds import FATAL, SILENCING
from ansible_collections.warren.load.plugins.module_utils.stats.outages import elected
from ansible_collections.warren.load.plugins.module_utils.stats.summaries import number

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Row = Mapping[str, t.Any]

BEFORE = 0.5  # seconds by which an outage may seem to end before its fault, where the host's clock was not compared
SOON = 2.0  # seconds: an outage that begins later than this after the loss of a manager is not that loss's


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


def timeline(zero: float, faults: Sequence[Row], measured: Row) -> dict[str, t.Any]:
    """``timeline`` of the results: ``{zero, intervals}``, see docs/results.schema.json.

    ``zero`` is the run's begin in Unix s; ``faults`` are on_one_clock()'s; ``measured`` are the measurements of the
    run, of which what was not measured is left out.
    """
    intervals = [_interval(zero, "fault", fault["kind"], fault["target"], fault) for fault in faults]
    for phase, (start, end) in _BOUNDS.items():
        told = measured.get(phase) or {}
        if told.get(start) is not None:
            row = {"start": told[start], "end": told.get(end)}
            intervals.append(_interval(zero, "phase", phase, None, row))
    if probe := measured.get("probe"):
        intervals += [_interval(zero, "outage", "writes", None, one) for one in probe["writes"]["outages"]]
        intervals += [
            _interval(zero, "outage", "reads", manager["name"], one)
            for manager in probe["managers"]
            for one in manager["outages"]
        ]
        intervals += [_interval(zero, "leader", "acknowledges writes", one["leader"], one) for one in probe["terms"]]
    if recovery := measured.get("recovery"):
        intervals += [_interval(zero, "node", "down", name, row) for name, row in _down(recovery["changes"])]
        if faults and recovery["touched"]:
            row = {"start": min(fault["start"] for fault in faults), "end": recovery["restored_at"]}
            intervals.append(_interval(zero, "replicas", "not all run", None, row))
    return {"zero": round(zero, 4), "intervals": sorted(intervals, key=lambda one: (one["start"], one["kind"]))}


# Where a phase says when it began and ended.
_BOUNDS = {
    "create": ("first_sent", "last_acknowledged"),
    "probe": ("started", "ended"),
    "recovery": ("started", "ended"),
    "cleanup": ("first_delete", "last_gone"),
}


def _down(changes: Sequence[Row]) -> Iterator[tuple[str, Row]]:
    """Each time that a node was down, in the order in which it ended; ``end`` None where it stayed so."""
    since: dict[str, float] = {}
    for change in changes:
        name = str(change["node"])
        if change["status"] == "down":
            since.setdefault(name, change["time"])
        elif name in since:
            yield name, {"start": since.pop(name), "end": change["time"]}
    for name, start in since.items():
        yield name, {"start": start, "end": None}


def failover(fault: Row, probe: Row, role: str = "") -> dict[str, t.Any]:
    """What the loss of a manager cost, as ``measurements.failover``: ``fault`` is one of on_one_clock()'s rows.

    ``election`` is the time until another manager named a new leader, ``first_write`` the time until that one
    acknowledged one, ``write_outage`` the longest that the fault caused and ``later_outage`` the longest of the others
    after it; each value None where it never was. ``wrong_target`` is 1 where the leader was meant (``role``), and
    another one was hit, as the leadership had just moved.
    """
    was, since = str(fault["target"]), float(fault["start"])
    seen = elected(((view["time"], view["manager"], view["leader"]) for view in probe["views"]), was, since)
    after = [term for term in probe["terms"] if term["leader"] != was and term["end"] >= since]
    worst = float(probe["resolution"]["value"] or 0.0) / 1e3
    caused, later = _caused(fault, probe["writes"]["outages"], worst)
    longest = max(caused, key=lambda one: one["seconds"], default=None)
    finest = worst if longest is None else float(longest.get("within") or worst)
    others = [manager for manager in probe["managers"] if manager["name"] != was]
    first = min((max(term["start"], since) - since for term in after), default=None)
    election = None if seen is None else seen[0] - since
    outage = longest["seconds"] if longest else 0.0
    return {
        "was": was,
        "wrong_target": int(_led(probe, since) not in ("", was)) if role == "leader" else None,
        "leader": seen[1] if seen else None,
        "election": _measured(election, finest, fault.get("uncertainty")),
        "first_write": _measured(first, finest, fault.get("uncertainty")),
        "write_outage": number(outage, "s", len(caused), max(0.0, outage - 2 * finest), outage),
        "later_outage": number(max((one["seconds"] for one in later), default=None), "s", len(later)),
        "recovered": all(one["end"] is not None for one in probe["writes"]["outages"]),
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


def _caused(fault: Row, outages: Sequence[Row], finest: float) -> tuple[list[Row], list[Row]]:
    """Outages that the fault caused, and those that came later: who is silent is missed at once, or not at all."""
    since, within = float(fault["start"]), fault.get("uncertainty")
    begin = since - (BEFORE if within is None else within + finest)
    last = since + SOON if fault["kind"] in SILENCING else float("inf") if fault["end"] is None else fault["end"]
    after = [one for one in outages if one["end"] is None or one["end"] >= begin]
    return [one for one in after if one["start"] <= last], [one for one in after if one["start"] > last]


def _led(probe: Row, moment: float) -> str:
    """Who led at that moment, by the last word on it: a write's acknowledgement, or what a manager said; or empty."""
    claims = [
        *((min(term["end"], moment), term["leader"]) for term in probe["terms"] if term["start"] <= moment),
        *((view["time"], view["leader"]) for view in probe["views"] if view["time"] <= moment and view["leader"]),
    ]
    return str(max(claims, default=(0.0, ""))[1])


def measured(
    faults: Sequence[Row],
    probe: Row | None = None,
    hosts: Sequence[Row] = (),
    generator: str = "",
    recovery: Row | None = None,
    role: str = "",
) -> dict[str, t.Any]:
    """``faults``, where a manager was hit and probed ``failover``, with ``recovery`` ``loss``; see failover.yml."""
    rows = on_one_clock(faults, offsets(hosts, generator))
    found: dict[str, t.Any] = {"faults": {"count": len(rows), "faults": rows}}
    probed = [manager["name"] for manager in probe["managers"]] if probe else []
    hit = next((row for row in rows if row["target"] in probed), None)
    if hit and probe:
        hit.update(_seen(hit, probe))
    if hit and probe:
        found["failover"] = failover(hit, probe, role)
    if rows and recovery:
        found["loss"] = loss(rows, recovery, probed)
    return found


def loss(faults: Sequence[Row], recovery: Row, managers: Sequence[str] = ()) -> dict[str, t.Any]:
    """What faults cost workers and containers, as ``measurements.loss``: ``faults`` are on_one_clock()'s rows.

    ``undetected`` counts those that are none of ``managers``, were silent for NODE_DOWN_WITHIN and yet were never taken
    for down; None where no worker was silent for so long.

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
    silent = [
        str(fault["target"])
        for fault in faults
        if fault["kind"] in SILENCING
        and fault["target"] not in managers
        and (fault["end"] is None or fault["end"] - fault["start"] >= NODE_DOWN_WITHIN)
    ]

    def since(moment: float | None, n: int) -> t.Any:
        if moment is None or n == 0:
            return number(None, "s", 0)
        seconds = moment - began
        return number(seconds, "s", n, max(0.0, seconds - within), seconds)

    return {
        "targets": list(hit),
        "workers": recovery["ready_most"],
        "down": len(down),
        "undetected": sum(name not in down for name in silent) if silent else None,
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
    manager = next(one for one in probe["managers"] if one["name"] == fault["target"])
    found = sorted(manager["outages"], key=lambda one: abs(one["start"] - fault["start"]))
    if within is None and fault["kind"] in FATAL:
        found = [one for one in found if one["end"] is None]  # who is killed does not answer again
    for one in found[:1]:
        finest = float(one.get("within") or probe["resolution"]["value"] / 1e3)
        if within is None:
            return {"start": one["start"], "uncertainty": round(finest, 4)}
        low, high = fault["start"] - within, fault["start"] + within
        if low - finest <= one["start"] <= high and finest < within:
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
