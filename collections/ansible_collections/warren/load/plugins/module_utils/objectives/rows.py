# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objectives as data: one row each, checked before it is used.

A row (keys with a * are required)::

    id*         stable name, lower case and hyphens
    sentence*   what is promised, without numbers: it names the JUnit case, which must be the same in every run
    label       short name for the table, at most 22 characters (default: from id)
    source*     where the objective comes from
    statistic*  p50, p95, p99, mean, max, count, total, rate, ...: what the value is
    path*       JMESPath into measurements
    unit*       unit of the limits; measured values are converted
    direction*  below | above | equal: on which side of a limit a good value lies
    inclusive   the limit itself is good too (default no: "< 100 ms", "> 1/s"; yes: "100 nodes")
    limits*     {target, acceptable, critical}: numbers, or a JMESPath into measurements ("await.expected").
                Only target is required. Without acceptable it equals target. Without critical nothing is critical.
    scales      {scale: limits}: replaces single limits at that scale
    advice      sentence or list: what to look at when it is missed
    timed       the value went through the generator's clock, so that an audit that voids the run voids it (default yes)
    exact       the value counts everything there was; its interval, if it has one, says nothing (default no)
    size        the value is a size that the run held: judged last, and only if nothing else was missed (default no)
    samples     what is counted by n: calls, containers, ... (default calls)
    marks       which marks of a run touch the value besides simulator: hollow, shared-host (default none)
    not_judged_with   {mark: reason}: with that mark the value would say nothing
    if_missing  reason to give where the path yields nothing
    scenarios   the runs that the row is judged in (default: all)
"""

from __future__ import annotations

import dataclasses
import math
import re
import typing as t

from ansible_collections.warren.load.plugins.module_utils.scenarios import SCENARIOS

from .shape import Each, Fields, Items, Leaf, UnknownPath, shape_of
from .units import UNITS, dimension

try:
    import jmespath
except ImportError:  # judge.py says so in a sentence
    jmespath = None

SCALES = ("small", "medium", "large", "massive", "custom")
MARKS = ("simulator", "hollow", "shared-host")
DIRECTIONS = ("below", "above", "equal")

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*$")
REQUIRED = ("id", "sentence", "source", "statistic", "path", "unit", "direction", "limits")
_TEXTS = ("id", "sentence", "source", "statistic", "path", "unit", "direction", "label", "samples", "if_missing")
_FLAGS = ("inclusive", "timed", "exact", "size")
_OTHERS = ("scales", "advice", "marks", "not_judged_with", "scenarios")
_KEYS = (*REQUIRED, *(key for key in (*_TEXTS, *_FLAGS, *_OTHERS) if key not in REQUIRED))
_LIMITS = ("target", "acceptable", "critical")

if t.TYPE_CHECKING:
    Limit: t.TypeAlias = "float | str"  # a number in the row's unit, or a JMESPath expression that yields one


class ObjectiveError(Exception):
    """A row that cannot be used; str() is one sentence that names the row and the remedy."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One objective, checked. Limits are complete: ``acceptable`` is always there, ``critical`` may be missing."""

    id: str
    label: str
    sentence: str
    source: str
    statistic: str
    path: str
    unit: str
    direction: str
    inclusive: bool
    limits: dict[str, Limit]
    scales: dict[str, dict[str, Limit]]
    advice: tuple[str, ...]
    timed: bool
    exact: bool
    size: bool
    samples: str
    marks: tuple[str, ...]
    not_judged_with: dict[str, str]
    if_missing: str
    scenarios: tuple[str, ...]

    def limits_at(self, scale: str) -> dict[str, Limit]:
        """The limits that hold at a scale."""
        return _complete({**self.limits, **self.scales.get(scale, {})})


def load_rows(raw: t.Any) -> list[Row]:
    """Rows from plain data (a list of dicts). Raises ObjectiveError for the first thing that is wrong."""
    if not isinstance(raw, list):
        raise ObjectiveError("The objectives are not a list: write one '- id: ...' entry for each.")
    if not raw:
        raise ObjectiveError("The list of objectives is empty: a run that judges nothing cannot pass.")
    rows: list[Row] = []
    for position, entry in enumerate(raw, 1):
        row = _row(entry, position)
        if any(row.id == other.id for other in rows):
            raise ObjectiveError(f"Objective '{row.id}' is there twice: give each an id of its own.")
        rows.append(row)
    return rows


def compile_path(path: str) -> t.Any:
    """A compiled JMESPath expression; raises ValueError (jmespath's own text) if it is none."""
    if jmespath is None:
        raise ObjectiveError(
            "The Python package jmespath is missing here: install it, or let the role generator do so."
        )
    try:
        return jmespath.compile(path)
    except jmespath.exceptions.JMESPathError as error:
        raise ValueError(" ".join(str(error).split())) from error


def search(path: str, measurements: t.Any) -> t.Any:
    """What a checked expression yields; None too where a function finds nothing to work on (the sum of what was not
    measured)."""
    try:
        return compile_path(path).search(measurements)
    except jmespath.exceptions.JMESPathError:
        return None


def _row(entry: t.Any, position: int) -> Row:
    if not isinstance(entry, dict):
        raise ObjectiveError(f"Objective number {position} is not a mapping: write 'id: ...', 'path: ...' and so on.")
    name = f"Objective '{entry['id']}'" if isinstance(entry.get("id"), str) else f"Objective number {position}"
    for key in entry:
        if key not in _KEYS:
            raise ObjectiveError(f"{name} has the unknown key '{key}': known are {', '.join(_KEYS)}.")
    for key in REQUIRED:
        if key not in entry:
            raise ObjectiveError(f"{name} has no '{key}': add it.")
    for key in _TEXTS:
        if key in entry and not (isinstance(entry[key], str) and entry[key].strip()):
            raise ObjectiveError(f"{name}: '{key}' must be a text, not {entry[key]!r}.")
    for key in _FLAGS:
        if key in entry and not isinstance(entry[key], bool):
            raise ObjectiveError(f"{name}: '{key}' must be true or false, not {entry[key]!r}.")
    if not _ID.match(entry["id"]):
        raise ObjectiveError(
            f"{name}: write the id in lower case letters, digits and single hyphens, such as manager-memory."
        )
    if entry["direction"] not in DIRECTIONS:
        raise ObjectiveError(f"{name}: direction '{entry['direction']}' is unknown: use {', '.join(DIRECTIONS)}.")
    if entry["unit"] not in UNITS:
        raise ObjectiveError(f"{name}: unit '{entry['unit']}' is unknown: use one of {', '.join(UNITS)}.")
    label = entry.get("label", entry["id"].replace("-", " ").capitalize())
    if len(label) > 22:
        raise ObjectiveError(f"{name}: the label '{label}' is longer than 22 characters: shorten it.")
    _check_path(name, "path", entry["path"], entry["unit"])
    limits = _limits(name, entry, "limits", entry["limits"])
    scales = _mapping(name, "scales", entry.get("scales"), SCALES)
    for scale, changed in scales.items():
        scales[scale] = _limits(name, entry, f"scales.{scale}", changed, limits)
    not_judged_with = _mapping(name, "not_judged_with", entry.get("not_judged_with"), MARKS)
    advice = entry.get("advice") or []
    marks = _words(name, "marks", entry.get("marks"), MARKS)
    return Row(
        **{key: str(entry[key]) for key in REQUIRED if key != "limits"},
        label=label,
        inclusive=entry.get("inclusive", False),
        limits=limits,
        scales=scales,
        advice=tuple(str(line) for line in ([advice] if isinstance(advice, str) else advice)),
        timed=entry.get("timed", True),
        exact=entry.get("exact", False),
        size=entry.get("size", False),
        samples=entry.get("samples", "calls"),
        scenarios=tuple(_words(name, "scenarios", entry.get("scenarios"), SCENARIOS)),
        marks=("simulator", *(mark for mark in marks if mark != "simulator")),
        not_judged_with={mark: str(reason) for mark, reason in not_judged_with.items()},
        if_missing=entry.get("if_missing", ""),
    )


def _check_path(name: str, key: str, path: str, unit: str) -> None:
    try:
        shape = shape_of(compile_path(path).parsed)
    except ValueError as error:
        raise ObjectiveError(f"{name}: '{key}' is not a JMESPath expression: {error}.") from error
    except UnknownPath as error:
        raise ObjectiveError(f"{name}: '{key}' is '{path}', but {error}.") from error
    if isinstance(shape, (Fields, Each, Items)):
        raise ObjectiveError(f"{name}: '{key}' is '{path}', which is a group of values: name one of them.")
    if isinstance(shape, Leaf) and shape.unit and dimension(shape.unit) != dimension(unit):
        raise ObjectiveError(
            f"{name}: '{path}' is measured in {shape.unit}, which cannot be judged in '{unit}': change the unit."
        )


def _words(name: str, key: str, value: t.Any, allowed: tuple[str, ...]) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or any(word not in allowed for word in value):
        raise ObjectiveError(f"{name}: '{key}' must be a list of {', '.join(allowed)}, not {value!r}.")
    return list(value)


def _mapping(name: str, key: str, value: t.Any, allowed: tuple[str, ...]) -> dict[str, t.Any]:
    if value is None:
        return {}
    if not isinstance(value, dict) or any(entry not in allowed for entry in value):
        raise ObjectiveError(f"{name}: '{key}' must be a mapping with keys of {', '.join(allowed)}.")
    return dict(value)


def _limits(
    name: str, entry: dict[str, t.Any], key: str, value: t.Any, base: dict[str, Limit] | None = None
) -> dict[str, Limit]:
    """Checked limits as given (a scale gives only what it changes)."""
    limits: dict[str, Limit] = _mapping(name, key, value, _LIMITS)
    for level, limit in limits.items():
        if isinstance(limit, str):
            _check_path(name, f"{key}.{level}", limit, entry["unit"])
        elif isinstance(limit, bool) or not isinstance(limit, (int, float)) or not math.isfinite(limit):
            raise ObjectiveError(f"{name}: {key}.{level} must be a number or a JMESPath expression, not {limit!r}.")
        else:
            limits[level] = float(limit)
    whole = _complete({**(base or {}), **limits})
    if "target" not in whole:
        raise ObjectiveError(f"{name}: {key} has no 'target': add it.")
    if entry["direction"] == "equal":
        if len({**(base or {}), **limits}) > 1:
            raise ObjectiveError(f"{name}: with direction 'equal' there is one limit: give only {key}.target.")
        return limits
    numbers = [whole[level] for level in _LIMITS if isinstance(whole.get(level), float)]
    if numbers != sorted(numbers, reverse=entry["direction"] == "above"):
        order = "rise" if entry["direction"] == "below" else "fall"
        raise ObjectiveError(f"{name}: {key} must {order} from target over acceptable to critical.")
    return limits


def _complete(limits: dict[str, Limit]) -> dict[str, Limit]:
    if "target" in limits and "acceptable" not in limits:
        return {**limits, "acceptable": limits["target"]}
    return limits
