# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``measurements`` can hold, and whether an expression asks for something that is not there.

A JMESPath expression that names nothing yields null, which looks like "not measured". So expressions are checked
against this shape before a run begins.
"""

from __future__ import annotations

import dataclasses
import difflib
import typing as t


@dataclasses.dataclass(frozen=True)
class Leaf:
    """A value. With a unit it is a number, alone or as ``{"value", "unit", "low", "high", "n"}``."""

    unit: str = ""


@dataclasses.dataclass(frozen=True)
class Fields:
    """An object with known keys."""

    of: dict[str, Shape]


@dataclasses.dataclass(frozen=True)
class Each:
    """An object with any keys (names of nodes, texts of errors), all values alike."""

    of: Shape


@dataclasses.dataclass(frozen=True)
class Items:
    """A list."""

    of: Shape


if t.TYPE_CHECKING:
    Shape: t.TypeAlias = "Leaf | Fields | Each | Items | None"  # None is anything: what a function returns


class UnknownPath(Exception):
    """An expression that asks for what measurements never hold; str() says what, in half a sentence."""


def _spread(unit: str) -> Fields:
    return Fields({name: Leaf(unit) for name in ("min", "p50", "p90", "p95", "p99", "p999", "max", "mean")})


_COUNTS = Each(Leaf("1"))
_PROCESS = Fields(
    {
        "name": Leaf(),
        "kind": Leaf(),
        "host": Leaf(),
        "pid": Leaf(),
        "source": Leaf(),
        "rss": Leaf("MB"),
        "rss_peak": Leaf("MB"),
        "cpu": Leaf("s"),
        "cpu_share": Leaf("%"),
        "cpu_share_peak": Leaf("%"),
        "open_files": Leaf("files"),
        "open_files_peak": Leaf("files"),
        "threads": Leaf("threads"),
        "threads_peak": Leaf("threads"),
        "goroutines": Leaf("goroutines"),
        "goroutines_peak": Leaf("goroutines"),
        "restarts": Leaf("restarts"),
        "ended": Leaf(),
        "log": Fields(
            {
                **{level: Leaf("1") for level in ("error", "warning", "refused")},
                **{f"first_{level}": Leaf() for level in ("error", "warning", "refused")},
            }
        ),
        "growth": Fields(
            {
                "rate": Leaf("MB/min"),
                "window": Leaf("s"),
                "needs": Leaf("s"),
                "why": Leaf(),
            }
        ),
        "open_files_growth": Leaf("1/min"),
        "goroutines_growth": Leaf("1/min"),
        "metrics": Each(Fields({"start": Leaf("1"), "end": Leaf("1"), "max": Leaf("1")})),
        "containers": Fields(
            {"count": Leaf("1"), "count_peak": Leaf("1"), "memory_peak": Leaf("MB"), "shims_peak": Leaf("MB")}
        ),
    }
)
_SAMPLER = Fields(
    {
        "host": Leaf(),
        "samples": Leaf("1"),
        "interval": Leaf("s"),
        "duration": Leaf("s"),
        "cpu_share": Leaf("%"),
        "rss": Leaf("MB"),
        "scrapes": Leaf("1"),
        "scrape_time": Leaf("ms"),
    }
)

_CALLS: dict[str, Shape] = {
    "calls": Leaf("calls"),
    "ok": Leaf("calls"),
    "errors": _COUNTS,
    "error_count": Leaf("calls"),
    "service_time": _spread("ms"),
}
_CLOSED_LOOP: dict[str, Shape] = {
    **_CALLS,
    "unsent": Leaf("calls"),
    "connections": Leaf("1"),
    "rate": Leaf("1/s"),
    "duration": Leaf("s"),
}
_LATENCY = Fields(
    {
        **_CALLS,
        "method": Leaf(),
        "mix": _COUNTS,
        "manager": Leaf(),
        "arrivals": Leaf(),
        "seed": Leaf(),
        "concurrency": Leaf("1"),
        "reply_bytes": Leaf("B"),
        "unsent": Leaf("calls"),
        "rate_planned": Leaf("1/s"),
        "rate_achieved": Leaf("1/s"),
        "send_lag": _spread("ms"),
        "response_time": _spread("ms"),
        "duration": Leaf("s"),
        "methods": Items(Fields({**_CALLS, "method": Leaf(), "write": Leaf(), "response_time": _spread("ms")})),
    }
)

_TICK = ("t", "created", "assigned", "running")

_OUTAGES: dict[str, Shape] = {
    "outages": Items(Fields({"start": Leaf(), "end": Leaf(), "seconds": Leaf("s"), "within": Leaf("s")})),
    "outage_count": Leaf("outages"),
    "longest_outage": Leaf("s"),
    "recovered": Leaf(),
}
_PROBE = Fields(
    {
        "started": Leaf(),
        "ended": Leaf(),
        "duration": Leaf("s"),
        "rate": Leaf("1/s"),
        "least_outage": Leaf("s"),
        "resolution": Leaf("ms"),
        "unsent": Leaf("calls"),
        "writes": Fields(
            {"probes": Leaf("calls"), "acknowledged": Leaf("calls"), "errors": _COUNTS, **_OUTAGES},
        ),
        "managers": Items(
            Fields(
                {
                    "name": Leaf(),
                    "probes": Leaf("calls"),
                    "answered": Leaf("calls"),
                    "errors": _COUNTS,
                    "writes_acknowledged": Leaf("calls"),
                    "service_time": _spread("ms"),
                    **_OUTAGES,
                }
            )
        ),
        "terms": Items(Fields({"leader": Leaf(), "start": Leaf(), "end": Leaf()})),
        "views": Items(Fields({"time": Leaf(), "manager": Leaf(), "leader": Leaf()})),
    }
)
_AUDIT_WRITES = Fields(
    {
        "manager": Leaf(),
        "listed": Leaf("services"),
        **{
            name: Leaf("creations")
            for name in ("acknowledged", "refused", "ambiguous", "ambiguous_present", "ambiguous_absent")
        },
        **{name: Leaf("creations") for name in ("lost", "doubled", "resent_doubled")},
        **{name: Leaf("creations") for name in ("resurrected", "unasked", "broken")},
        "examples": Each(Items(Leaf())),
    }
)
_FAULT = ("kind", "target", "host", "undone_by", "outcome", "start", "end", "uncertainty")
_FAILOVER = Fields(
    {
        "was": Leaf(),
        "wrong_target": Leaf("nodes"),
        "leader": Leaf(),
        "election": Leaf("s"),
        "first_write": Leaf("s"),
        "write_outage": Leaf("s"),
        "later_outage": Leaf("s"),
        "read_outage": Leaf("s"),
        "recovered": Leaf(),
        "reads": Each(Leaf("s")),
    }
)
_HELD = ("process", "kind", "host", "what", "unit", "grew", "before", "after", "per_service")
_LEAKS = Fields(
    {
        "rounds": Leaf("1"),
        "churned": Leaf("services"),
        "service_records": Leaf("services"),
        "container_records": Leaf("records"),
        "still_running": Leaf("records"),
        "heap": Leaf("KB"),
        "goroutines": Leaf("goroutines"),
        "open_files": Leaf("files"),
        "database": Leaf("KB"),
        "containers": Leaf("containers"),
        "points": Items(Each(Leaf("1"))),
        "held": Items(Fields({**{name: Leaf() for name in _HELD}, "points": Items(Items(Leaf()))})),
        "goroutine_stacks": Items(
            Fields(
                {
                    **{name: Leaf() for name in ("process", "function", "begun", "grew")},
                    "counts": Items(Leaf()),
                    "per_service": Leaf("goroutines"),
                }
            )
        ),
        "unavailable": Items(Leaf()),
    }
)
_RECOVERY = Fields(
    {
        **{name: Leaf() for name in ("started", "ended", "settled", "why", "last_replaced", "restored_at")},
        "duration": Leaf("s"),
        "resolution": Leaf("s"),
        "looks": Leaf("calls"),
        "expected": Leaf("containers"),
        "running": Leaf("containers"),
        "records": Leaf("records"),
        "states": _COUNTS,
        "lost": Items(Leaf()),
        "touched": Leaf("services"),
        "replaced": Leaf("records"),
        "placed_on_lost": Leaf("records"),
        "workers": Leaf("nodes"),
        "ready_most": Leaf("nodes"),
        "ready_end": Leaf("nodes"),
        "changes": Items(Fields({"time": Leaf(), "node": Leaf(), "status": Leaf()})),
    }
)
_LOSS = Fields(
    {
        "targets": Items(Leaf()),
        **{name: Leaf("nodes") for name in ("workers", "down", "undetected", "ready_end")},
        **{name: Leaf("s") for name in ("detection", "all_down", "replacement", "restored")},
        "touched": Leaf("services"),
        "replaced": Leaf("records"),
        "placed_on_lost": Leaf("records"),
        "missing": Leaf("containers"),
        "why": Leaf(),
    }
)
MEASUREMENTS = Fields(
    {
        "leaks": _LEAKS,
        "settle": Fields(
            {
                "seconds": Leaf("s"),
                "duration": Leaf("s"),
                "deleted": Leaf("services"),
                "services_left": Leaf("services"),
                "records_left": Leaf("records"),
                "orphans": Leaf("records"),
                "running": Leaf("records"),
                "states": _COUNTS,
            }
        ),
        "recovery": _RECOVERY,
        "loss": _LOSS,
        "probe": _PROBE,
        "audit_writes": _AUDIT_WRITES,
        "faults": Fields({"count": Leaf("1"), "faults": Items(Fields({name: Leaf() for name in _FAULT}))}),
        "failover": _FAILOVER,
        "create": Fields(
            {
                "services": Leaf("services"),
                "replicas": Leaf("1"),
                "created": Leaf("services"),
                "found": Leaf("services"),
                "failed": Leaf("creations"),
                "ambiguous": Leaf("creations"),
                "left_out": Leaf("creations"),
                "causes": _COUNTS,
                "attempts": Leaf("calls"),
                "retries": Leaf("calls"),
                "concurrency": Leaf("1"),
                "rate_planned": Leaf("1/s"),
                "send_lag": _spread("ms"),
                "first_sent": Leaf(),
                "last_acknowledged": Leaf(),
                "duration": Leaf("s"),
                "rate": Leaf("1/s"),
                "service_time": _spread("ms"),
                "response_time": _spread("ms"),
            }
        ),
        "await": Fields(
            {
                "expected": Leaf("containers"),
                "records": Leaf("records"),
                "running": Leaf("containers"),
                "settled": Leaf(),
                "unscheduled": Leaf("containers"),
                "not_running": Leaf("containers"),
                "last_running": Leaf(),
                "duration": Leaf("s"),
                "states": _COUNTS,
                "scheduling_latency": _spread("s"),
                "create_to_running": _spread("s"),
                "placement": _COUNTS,
                "nodes_ready": Leaf("nodes"),
                "polls": Leaf("calls"),
                "poll_interval": Leaf("s"),
                "poll_interval_max": Leaf("s"),
                "poll_time": Leaf("s"),
                "poll_share": Leaf("%"),
                "poll_bytes": Leaf("B"),
                "poll_cpu_estimate": Leaf("s"),
                "create_to_running_resolution": Leaf("s"),
                "ticks": Items(Fields({key: Leaf("s" if key == "t" else "containers") for key in _TICK})),
                "missing": Items(Leaf()),
                "scheduler": Fields(
                    {
                        "ticks": Leaf("ticks"),
                        "largest": Leaf("containers"),
                        "duration": Leaf("s"),
                        "rate": Leaf("1/min"),
                        "rows": Items(
                            Fields(
                                {
                                    **{key: Leaf("s") for key in ("t", "duration")},
                                    **{key: Leaf("containers") for key in ("containers", "running")},
                                    "services": Leaf("services"),
                                    "nodes": _COUNTS,
                                }
                            )
                        ),
                    }
                ),
            }
        ),
        "hold": Fields(
            {
                "seconds": Leaf("s"),
                "duration": Leaf("s"),
                "started": Leaf(),
                "ended": Leaf(),
                "services": Leaf("services"),
                "containers": Leaf("containers"),
                "looks": Leaf("1"),
                "failed_looks": Leaf("1"),
                "short_looks": Leaf("1"),
                "running_least": Leaf("%"),
                "records_most": Leaf("records"),
                "records_last": Leaf("records"),
                "churn": Fields(
                    {
                        "percent": Leaf("%"),
                        "interval": Leaf("s"),
                        "purge": Leaf(),
                        "cycles": Leaf("1"),
                        "late": Leaf("1"),
                        "deleted": Leaf("services"),
                        "created": Leaf("services"),
                        "failed": Leaf("creations"),
                        "slow": Leaf("services"),
                        "records_left": Leaf("records"),
                        "records_purged": Leaf("records"),
                        "left_per_service": Leaf("records"),
                        "create_time": _spread("ms"),
                        "to_running": _spread("s"),
                    }
                ),
                "ticks": Items(
                    Fields({"t": Leaf("s"), "services": Leaf("services"), "running": Leaf("1"), "records": Leaf("1")})
                ),
            }
        ),
        "latency": _LATENCY,
        "throughput": Fields(
            {
                "method": Leaf(),
                "mix": _COUNTS,
                "manager": Leaf(),
                "reply_bytes": Leaf("B"),
                "ab": Fields({**_CLOSED_LOOP, "concurrency": Leaf("1")}),
                "parallel": Fields({**_CLOSED_LOOP, "clients": Leaf("1"), "calls_each": Leaf("calls")}),
                "highest_rate": Leaf("1/s"),
                "planned": _LATENCY,
                "duration": Leaf("s"),
            }
        ),
        "resources": Fields(
            {
                "managers": Items(_PROCESS),
                "workers": Items(_PROCESS),
                "others": Items(_PROCESS),
                "manager_rss_max": Leaf("MB"),
                "worker_rss_max": Leaf("MB"),
                "container_memory": Leaf("MB"),
                "ended": Leaf("processes"),
                "log_errors": Leaf("1"),
                "log_warnings": Leaf("1"),
                "memory_growth": Leaf("MB/min"),
                "open_files_growth": Leaf("1/min"),
                "goroutines_growth": Leaf("1/min"),
                "sampler": Items(_SAMPLER),
                "unavailable": Items(Leaf()),
            }
        ),
        "cleanup": Fields(
            {
                "services_found": Leaf("services"),
                "services_deleted": Leaf("services"),
                "services_left": Leaf("services"),
                "containers_found": Leaf("records"),
                "containers_purged": Leaf("records"),
                "containers_left": Leaf("records"),
                "orphans_found": Leaf("records"),
                "forced": Leaf("records"),
                "stuck": Leaf("records"),
                "writes": Leaf("calls"),
                "failures": _COUNTS,
                "runs": Items(Leaf()),
                "duration": Leaf("s"),
                "first_delete": Leaf(),
                "last_gone": Leaf(),
            }
        ),
        "hollow": Fields(
            {
                "nodes": Leaf("nodes"),
                "registered": Leaf("nodes"),
                "time": Leaf(),
                "pid": Leaf(),
                "manager": Leaf(),
                "mode": Leaf(),
                "quiet": Leaf(),
                "clock_factor": Leaf("1"),
                "states": _COUNTS,
                "containers": Leaf("containers"),
                "heartbeats": _COUNTS,
                "polls": _COUNTS,
                "missed_deadlines": Leaf("calls"),
                "errors": _COUNTS,
                "rss_bytes": Leaf("B"),
                "cpu_seconds": Leaf("s"),
            }
        ),
    }
)

_PARTS_OF_A_NUMBER = ("value", "unit", "low", "high", "n", "effective", "largest")


def shape_of(node: dict[str, t.Any], within: Shape = MEASUREMENTS) -> Shape:
    """The shape that a parsed JMESPath expression (``jmespath.compile(...).parsed``) yields. Raises UnknownPath."""
    kind: str = node["type"]
    children: list[dict[str, t.Any]] = node.get("children", [])
    if kind == "field":
        return _field(within, node["value"])
    if kind in ("subexpression", "index_expression", "pipe"):
        for child in children:
            within = shape_of(child, within)
        return within
    if kind == "index":
        return _element(within)
    if kind == "slice":
        return within
    if kind in ("projection", "filter_projection"):
        element = _element(shape_of(children[0], within))
        if kind == "filter_projection":
            shape_of(children[2], element)
        return Items(shape_of(children[1], element))
    if kind == "value_projection":
        mapping = shape_of(children[0], within)
        return Items(shape_of(children[1], mapping.of if isinstance(mapping, Each) else None))
    if kind == "flatten":
        listing = shape_of(children[0], within)
        inner = _element(listing)
        return inner if isinstance(inner, Items) else listing
    if kind in ("identity", "current"):
        return within
    if kind == "multi_select_list" and len(children) == 1:
        return Items(shape_of(children[0], within))
    # Comparisons, functions, literals, multi-selects: their parts are checked, what they yield can be anything.
    for child in children:
        shape_of(child, None if kind == "expref" else within)
    return None


def _field(within: Shape, name: str) -> Shape:
    if within is None:
        return None
    if isinstance(within, Fields):
        if name in within.of:
            return within.of[name]
        near = difflib.get_close_matches(name, within.of, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"there is {', '.join(within.of)}"
        raise UnknownPath(f"there is no '{name}' in the measurements ({hint})")
    if isinstance(within, Each):
        return within.of
    if isinstance(within, Leaf) and within.unit and name in _PARTS_OF_A_NUMBER:
        return Leaf(within.unit) if name in ("value", "low", "high") else Leaf("" if name == "unit" else "1")
    raise UnknownPath(f"'{name}' is asked of {'a list' if isinstance(within, Items) else 'a single value'}")


def _element(within: Shape) -> Shape:
    if within is None:
        return None
    if isinstance(within, Items):
        return within.of
    raise UnknownPath("it treats as a list what is none")
