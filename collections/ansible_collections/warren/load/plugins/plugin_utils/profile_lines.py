# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the profiles of a run are, for banner and terminal: a line for each process, and what they cost. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.warren.load.plugins.module_utils.objectives.units import many, number

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Row = dict[str, t.Any]

SUMMARIZED = 5  # processes with a line of their own
BESIDE = ("load", "during")  # moments at which a load may be there
# Of which moment a process's figures are: the first of these that it has, and beside a load, of most services.
ORDER = ("load", "during", "now", "settled", "after", "baseline")


def fullness(row: Row) -> tuple[float, bool]:
    """How much of the load is there for certain: of so many services, the first look is not after it was removed."""
    return (row.get("load") or {}).get("services") or 0.0, row["moment"] == "load"


def _order(row: Row) -> tuple[float, ...]:
    services, first = fullness(row)
    return (-1, -services, -first) if row["moment"] in BESIDE else (ORDER.index(row["moment"]), 0, 0)


def summary(profiles: Mapping[str, t.Any]) -> Iterator[tuple[str, str]]:
    """Of each process that uses most CPU or memory: its name, and ``2.9 s of CPU in 30 s (9.7 % of a core), …``."""
    by_process: dict[tuple[str, str], dict[str, Row]] = {}
    for row in sorted(profiles["captures"], key=_order):
        kinds = by_process.setdefault((row["kind"], row["process"]), {})
        if row["top"]:
            kinds.setdefault(row["profile"], row)
    ordered = sorted(by_process.items(), key=lambda item: (item[0][0], -_weight(item[1])))
    for (_kind, process), kinds in ordered[:SUMMARIZED]:
        parts = []
        if (cpu := kinds.get("cpu")) is not None:
            used, seconds = cpu["cpu"], cpu["seconds"]
            told = cpu["top"]["total"] if used is None else f"{number(used)} s"
            of_core = f" ({number(100 * used / seconds)} % of a core)" if used is not None and seconds else ""
            parts.append(f"{told} of CPU in {number(round(seconds))} s{of_core}")
        if (heap := kinds.get("heap")) is not None:
            parts.append(f"{heap['top']['total']} of heap")
        if (routines := kinds.get("goroutine")) is not None:
            parts.append(routines["top"]["total"])
        if parts:
            yield process, ", ".join(parts)
    if len(ordered) > SUMMARIZED:
        yield "Others", f"{many(len(ordered) - SUMMARIZED, 'process', 'processes')} more, see index.json"


def _weight(kinds: dict[str, Row]) -> float:
    return float((kinds.get("cpu") or {}).get("cpu") or 0.0)


def pages_text(pages: list[str], folder: str = "") -> str:
    """``manager-1-load-cpu.html and 8 more``."""
    name = next((page for page in pages if page.endswith("-cpu.html")), pages[0])
    return f"{folder}{name}" + (f" and {len(pages) - 1} more" if pages[1:] else "")


def cost(profiles: Mapping[str, t.Any]) -> str:
    """How many profiles there are, and what they cost the process that paid most."""
    overhead = profiles["overhead"]
    text = many(len(profiles["captures"]), "profile") + " of " + many(len(overhead), "process", "processes")
    told = [one for one in overhead if one["cpu"]["n"]]
    if not told:
        return text
    largest = max(told, key=lambda one: float(one["cpu"]["value"]))
    spent = f"{number(1e3 * largest['cpu']['value'])} ms of CPU"
    besides = ", besides its profile of CPU" if largest["cpu_profiled"] else ""
    return f"{text}; they cost " + (f"it {spent}" if len(told) == 1 else f"at most {spent} a process") + besides
