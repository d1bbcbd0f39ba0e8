# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cluster keeps of services that were deleted: ``measurements.leaks``, in units for each service. Pure.

Records are counted, all of them: their figures have no error. What a process holds changes by itself, too, so its
figure is the slope over all rounds, with an interval; one round gives the difference alone.
"""

from __future__ import annotations

import typing as t

from ansible_collections.warren.load.plugins.module_utils.stats.slopes import slope

Row = dict[str, t.Any]

# What footprint tells of a process: name, in what unit, and what one unit of it is divided by.
HELD: tuple[tuple[str, str, float], ...] = (
    ("heap", "KB", 1024),
    ("private", "KB", 1024),
    ("rss", "KB", 1024),
    ("goroutines", "goroutines", 1),
    ("open_files", "files", 1),
    ("database", "KB", 1024),
    ("raft_log", "KB", 1024),
    ("log", "KB", 1024),
    ("containers", "containers", 1),
    ("containers_known", "containers", 1),
)
JUDGED = ("heap", "goroutines", "open_files", "database", "containers")
COUNTED = ("containers", "containers_known")  # without error: each is there for as long as its service's record is


def leaks(rounds: t.Sequence[t.Mapping[str, t.Any]], footprints: t.Sequence[t.Sequence[t.Mapping[str, t.Any]]]) -> Row:
    """``measurements.leaks`` from what each round measured, and from what the hosts said before it and after each.

    ``footprints``: for each moment the results of a loop of module ``footprint`` over ``{host, ...}``. Nothing where no
    round came to its end.
    """
    churned = [0]
    for one in rounds:
        churned.append(churned[-1] + int(one["deleted"]))
    if not churned[-1]:
        return {}
    last = rounds[-1]
    found: Row = {
        "rounds": len(rounds),
        "churned": churned[-1],
        "service_records": _exact(last["services_left"], churned[-1], "services"),
        "container_records": _exact(last["orphans"], churned[-1], "records"),
        "still_running": last["running"],
        "points": [
            {"churned": total, **{name: one[name] for name in ("records_left", "orphans", "running")}}
            for total, one in zip(churned[1:], rounds, strict=True)
        ],
        "held": [],
        "unavailable": [],
    }
    moments = [_by_process(moment, found["unavailable"]) for moment in footprints[: len(churned)]]
    for key in dict.fromkeys(key for moment in moments for key in moment):
        seen = [(total, moment[key]) for total, moment in zip(churned, moments, strict=False) if key in moment]
        lives = {(row["pid"], row["start"]) for _total, row in seen}
        if len(lives) > 1:
            found["unavailable"].append(f"What {key[1]} kept is not known: it was started again in between.")
        elif len(seen) > 1:
            found["held"] += _held(key, seen)
    for name in JUDGED:
        found[name] = _most([row for row in found["held"] if row["what"] == name])
    found["unavailable"] = list(dict.fromkeys(found["unavailable"]))
    return found


def _by_process(results: t.Iterable[t.Mapping[str, t.Any]], notes: list[str]) -> dict[tuple[str, str], Row]:
    """Rows by host and name of a process."""
    rows: dict[tuple[str, str], Row] = {}
    for result in results:
        if result.get("skipped"):
            continue
        item = result.get("item")
        host = str(item["host"]) if isinstance(item, dict) and "host" in item else "a host"
        if "rows" not in result:
            reason = " ".join(str(result.get("msg") or "it gave no answer").split()).rstrip(".")
            notes.append(f"What the processes of {host} kept is not known: {reason}.")
            continue
        rows |= {(host, row["name"]): row for row in result["rows"]}
        notes += result.get("unavailable") or []
    return rows


def _held(key: tuple[str, str], seen: list[tuple[int, Row]]) -> t.Iterator[Row]:
    for name, unit, size in HELD:
        points = [(total, row[name] / size) for total, row in seen if row.get(name) is not None]
        if len(points) < 2 or points[0][0] == points[-1][0]:
            continue
        total = points[-1][1] - points[0][1]
        service = points[-1][0] - points[0][0]
        if name in COUNTED:
            figure = _exact(total, service, unit)
        else:
            rise, low, high = slope([x for x, _y in points], [y for _x, y in points])
            figure = _number(rise, unit, service, low, high)
        yield {
            "process": key[1],
            "kind": seen[0][1]["kind"],
            "host": key[0],
            "what": name,
            "before": round(points[0][1], 3),
            "after": round(points[-1][1], 3),
            "unit": unit,
            "per_service": figure,
            # More than what it varies by itself.
            "grew": figure["low"] is not None and figure["low"] > 0,
            "points": [[x, round(y, 3)] for x, y in points],
        }


def _most(rows: list[Row]) -> Row | None:
    """That of the process which grew most."""
    return max((row["per_service"] for row in rows), key=lambda figure: figure["value"], default=None)


def _exact(count: float, services: int, unit: str) -> Row:
    return _number(count / services, unit, services, count / services, count / services)


def _number(value: float, unit: str, n: int, low: float | None, high: float | None) -> Row:
    return {"value": _rounded(value), "unit": unit, "low": _rounded(low), "high": _rounded(high), "n": n}


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")
