# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cluster keeps of services that were deleted: ``measurements.leaks``, in units for each service. Pure.

Records and containers are counted, all of them: their figures have no error. What else a process holds changes by
itself, too, so its figure is the slope over the rounds, with a 95 % interval; one round gives the difference alone.

A leak is named (``grew``) where such growth is more than chance. The chance that any process of a constant cluster is
named is held to ``ALARM`` for each thing that is looked at, so the interval which has to lie above 0 is wider, the more
processes there are. And it has to go on: a cache that fills grows less and less (``LATE``).
"""

from __future__ import annotations

import typing as t

from ansible_collections.warren.load.plugins.module_utils.stats.slopes import slope

Row = dict[str, t.Any]
Points = list[tuple[int, float]]


class Thing(t.NamedTuple):
    """What footprint tells of a process: name, in what unit, what one unit of it is divided by, in what steps it goes.

    What goes in steps (numbers, pages of a file) does not vary as a heap does.
    """

    name: str
    unit: str
    size: float
    grain: float


HELD = (
    Thing("heap", "KB", 1024, 0),
    Thing("private", "KB", 1024, 0),
    Thing("rss", "KB", 1024, 0),
    Thing("goroutines", "goroutines", 1, 1),
    Thing("open_files", "files", 1, 1),
    Thing("database", "KB", 1024, 4),
    Thing("raft_log", "KB", 1024, 4),
    Thing("log", "KB", 1024, 0),
    Thing("containers", "containers", 1, 1),
    Thing("containers_known", "containers", 1, 1),
)
COUNTED = ("containers", "containers_known")  # without error: each is there for as long as its service's record is
# What is judged, and of which things: a container that has stopped and is still known is left, too.
JUDGED = {
    "heap": ("heap",),
    "goroutines": ("goroutines",),
    "open_files": ("open_files",),
    "database": ("database",),
    "containers": COUNTED,
}
ALARM = 0.01  # the chance that anything of one kind that does not grow is named
LATE = 2 / 3  # of the slope that the second half of the rounds has at least, where it is a leak
WARM = 4  # rounds from which on the first is left out, in which caches fill


def leaks(
    rounds: t.Sequence[t.Mapping[str, t.Any]],
    footprints: t.Sequence[t.Sequence[t.Mapping[str, t.Any]]],
    goroutine_stacks: t.Sequence[Row] = (),
) -> Row:
    """``measurements.leaks`` from what each round measured, and from what the hosts said before it and after each.

    ``footprints``: for each moment the results of a loop of module ``footprint`` over ``{host, ...}``;
    ``goroutine_stacks``: what profiles say, see profiles.py. Nothing where no round came to its end.
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
        # Of the worst round: the next one deletes them once more.
        "service_records": _exact(max(one["services_left"] for one in rounds), churned[-1], "services"),
        "container_records": _exact(last["orphans"], churned[-1], "records"),
        "still_running": last["running"],
        "points": [
            {"churned": total, **{name: one[name] for name in ("records_left", "orphans", "running")}}
            for total, one in zip(churned[1:], rounds, strict=True)
        ],
        "held": [],
        "goroutine_stacks": list(goroutine_stacks),
        "unavailable": [],
    }
    moments = [_by_process(moment, found["unavailable"]) for moment in footprints[: len(churned)]]
    processes: dict[tuple[str, str], list[tuple[int, Row]]] = {}
    for key in dict.fromkeys(key for moment in moments for key in moment):
        seen = [(total, moment[key]) for total, moment in zip(churned, moments, strict=False) if key in moment]
        if len({(row["pid"], row["start"]) for _total, row in seen}) > 1:
            found["unavailable"].append(f"What {key[1]} kept is not known: it was started again in between.")
        else:
            processes[key] = seen
    found["held"] = list(_held(processes))
    for name, things in JUDGED.items():
        found[name] = _worst([row for row in found["held"] if row["what"] in things])
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


def _held(processes: t.Mapping[tuple[str, str], list[tuple[int, Row]]]) -> t.Iterator[Row]:
    """A row for each process and thing that was seen twice or more."""
    points = {(key, thing): _points(seen, thing) for key, seen in processes.items() for thing in HELD}
    points = {of: found for of, found in points.items() if len(found) > 1 and found[0][0] != found[-1][0]}
    for (key, thing), found in points.items():
        used = found[1:] if found[0][0] == 0 and len(found) > WARM else found
        services = used[-1][0] - used[0][0]
        if thing.name in COUNTED:
            figure = _exact(found[-1][1] - found[0][1], found[-1][0] - found[0][0], thing.unit)
            grew = figure["value"] > 0
        else:
            rise, low, high = _slope(used)
            figure = _number(rise, thing.unit, services, low, high)
            grew = _grew(used, thing, sum(other is thing for _key, other in points))
        yield {
            "process": key[1],
            "kind": processes[key][0][1]["kind"],
            "host": key[0],
            "what": thing.name,
            "before": round(found[0][1], 3),
            "after": round(found[-1][1], 3),
            "unit": thing.unit,
            "per_service": figure,
            "grew": grew,
            "points": [[x, round(y, 3)] for x, y in found],
        }


def _points(seen: list[tuple[int, Row]], thing: Thing) -> Points:
    return [(total, row[thing.name] / thing.size) for total, row in seen if row.get(thing.name) is not None]


def _slope(points: Points, confidence: float = 0.95, grain: float = 0.0) -> tuple[float, float | None, float | None]:
    return slope([x for x, _y in points], [y for _x, y in points], confidence, grain)


def _grew(points: Points, thing: Thing, series: int) -> bool:
    """Whether that is a leak, where so many processes are looked at."""
    # Two rounds in which a cache fills evenly are a line: a third has to say whether it ends.
    if len(points) < 3 + (not thing.grain):
        return False
    rise, low, _high = _slope(points, 1 - 2 * ALARM / series, thing.grain)
    if low is None or low <= 0:
        return False
    return _slope(points[len(points) // 2 :])[0] >= LATE * rise


def _worst(rows: list[Row]) -> Row | None:
    """The growth of the process that grew most, and how far that of any may go.

    ``low`` is above 0 only where a leak is named. None where no process has an interval, as after one round.
    """
    figures = [row["per_service"] for row in rows]
    lows = [
        low if row["grew"] else min(low, 0.0)
        for row, low in ((row, row["per_service"]["low"]) for row in rows)
        if low is not None
    ]
    if not lows:
        return None
    highs = [figure["high"] for figure in figures]
    return {
        "value": max(figure["value"] for figure in figures),
        "unit": figures[0]["unit"],
        "low": max(lows),
        "high": None if None in highs else max(highs),
        "n": min(figure["n"] for figure in figures),
    }


def _exact(count: float, services: int, unit: str) -> Row:
    return _number(count / services, unit, services, count / services, count / services)


def _number(value: float, unit: str, n: int, low: float | None, high: float | None) -> Row:
    return {"value": _rounded(value), "unit": unit, "low": _rounded(low), "high": _rounded(high), "n": n}


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")
