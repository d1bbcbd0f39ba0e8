# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a profile says: by function, by line, by package, by caller, by stack; as `go tool pprof` defines them.

*Flat* is what a function took itself, *cum* what it and all that it called took; a function that is on a stack more
than once counts once. Functions that were inlined count as functions. A goroutine's *flat* is always the runtime's
parking place, so goroutines are grouped by their whole stack. (github.com/google/pprof: internal/graph/graph.go and
internal/report/report.go, source.go, package.go.)

Every view takes the name of a sample type, as `-sample_index` does ("" is the profile's default). Values are in that
type's unit, whole numbers. Rows come largest first. ProfileError for a type that the profile has not.
"""

from __future__ import annotations

import re
import typing as t

from .profile import expression

if t.TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from .profile import Frame, Label, Location, Profile, Sample

# pprof takes letters alone for the last part, and so gives functions of a/go-metrics and a/yaml%2ev3 no package.
PACKAGE = re.compile(r"((?:.*/)?[^/.:]+)(?:\.|::)[^/]*")

HOST_AND_PATH = re.compile(r"^(?:[\w.-]+/)+(?=[^./]+\.)")  # as pprof leaves it out of its graphs

Key = t.TypeVar("Key", bound="Hashable")


class Row(t.NamedTuple):
    """What a function or a package took. ``inlined``: "", "inline", or "partial-inline" where only some calls were."""

    name: str
    flat: int
    cum: int
    inlined: str = ""


class Line(t.NamedTuple):
    """What a line of a source file took."""

    line: int
    flat: int
    cum: int


class Routine(t.NamedTuple):
    """The lines of one function in one file; ``cum`` is their sum, in which recursion counts more than once."""

    name: str
    file: str
    flat: int
    cum: int
    lines: tuple[Line, ...]


class Edge(t.NamedTuple):
    """What of a function was taken on behalf of a caller, or in what it called."""

    name: str
    value: int
    inlined: bool


class Neighbours(t.NamedTuple):
    """A function, who called it, and what it called."""

    row: Row
    callers: tuple[Edge, ...]
    callees: tuple[Edge, ...]


class Group(t.NamedTuple):
    """Samples with the same stack and labels. ``stack``: the innermost frame first."""

    value: int
    stack: tuple[Frame, ...]
    labels: tuple[Label, ...]


class _Graph(t.Generic[Key]):
    """Flat, cum and calls by any key of a frame (graph.go's newGraph)."""

    def __init__(self, profile: Profile, index: int, keys: Callable[[Location], list[Key]]) -> None:
        self.flat: dict[Key, int] = {}
        self.cum: dict[Key, int] = {}
        self.calls: dict[tuple[Key, Key], int] = {}
        self.called_as: dict[tuple[Key, Key], bool] = {}  # True: inlined every time
        # Of each location, outermost first: the key, and whether it was inlined.
        known: dict[int, list[tuple[Key, bool]]] = {}
        for sample in profile.samples:
            value = sample.values[index]
            if not value:
                continue
            seen: set[Key] = set()
            calls: set[tuple[Key, Key]] = set()
            parent: Key | None = None
            for location in reversed(sample.stack):
                steps = known.get(id(location))
                if steps is None:
                    found = keys(location)
                    steps = [(key, number > 0) for number, key in enumerate(reversed(found))]
                    known[id(location)] = steps
                for key, inlined in steps:
                    if key not in seen:
                        seen.add(key)
                        self.cum[key] = self.cum.get(key, 0) + value
                    if parent is not None and parent != key:
                        call = (parent, key)
                        if call not in calls:
                            calls.add(call)
                            self.calls[call] = self.calls.get(call, 0) + value
                            self.called_as[call] = self.called_as.get(call, True) and inlined
                    parent = key
            if parent is not None:
                self.flat[parent] = self.flat.get(parent, 0) + value

    def present(self) -> list[Key]:
        """Of which there is anything to say."""
        return [key for key, cum in self.cum.items() if cum or self.flat.get(key)]


def functions(location: Location) -> list[str]:
    """The functions of a location, the innermost first; its program where they have no names."""
    if location.frames:
        return [frame.function for frame in location.frames]
    return [f"[{location.file.rpartition('/')[2]}]" if location.file else "<unknown>"]


def packages(location: Location) -> list[str]:
    """Their packages."""
    return [package(function) for function in functions(location)]


def lines(location: Location) -> list[tuple[str, str, int]]:
    """Their names, files and lines."""
    if location.frames:
        return [(frame.function, frame.file, frame.line) for frame in location.frames]
    return [(functions(location)[0], "", 0)]


def innermost(keys: Callable[[Location], list[Key]]) -> Callable[[Sample], Iterable[Key]]:
    """Of a sample the key that its value is flat of."""
    return lambda sample: keys(sample.stack[0])[:1] if sample.stack else []


def anywhere(keys: Callable[[Location], list[Key]]) -> Callable[[Sample], Iterable[Key]]:
    """Of a sample the keys that its value is cum of."""
    return lambda sample: {key for location in sample.stack for key in keys(location)}


def calls(sample: Sample) -> Iterable[tuple[str, str]]:
    """Callers and callees on the stack of a sample."""
    path = [function for location in sample.stack for function in functions(location)]
    return {(caller, callee) for callee, caller in zip(path, path[1:]) if caller != callee}


def whole(sample: Sample) -> Iterable[tuple[tuple[Frame, ...], tuple[Label, ...]]]:
    """The stack of a sample, and its labels."""
    return [(frames(sample), sample.labels)]


def top(profile: Profile, sample_type: str = "", by_cum: bool = False) -> list[Row]:
    """All functions (`-top`, or `-top -cum`), none left out."""
    graph = _Graph(profile, profile.column(sample_type), functions)
    ways: dict[str, set[bool]] = {}
    for (_caller, callee), inlined in graph.called_as.items():
        ways.setdefault(callee, set()).add(inlined)
    names = {frozenset([True]): "inline", frozenset([True, False]): "partial-inline"}
    return _sorted(
        (
            Row(key, graph.flat.get(key, 0), graph.cum[key], names.get(frozenset(ways.get(key, ())), ""))
            for key in graph.present()
        ),
        by_cum,
    )


def by_package(profile: Profile, sample_type: str = "", by_cum: bool = False) -> list[Row]:
    """All packages; what belongs to none stands under its function's name."""
    graph = _Graph(profile, profile.column(sample_type), packages)
    return _sorted((Row(key, graph.flat.get(key, 0), graph.cum[key]) for key in graph.present()), by_cum)


def package(function: str) -> str:
    """The package of a function, itself where it names none: example.org/store.(*Store).Get → example.org/store."""
    # The type of a generic function stands in brackets, with a path of its own.
    found = PACKAGE.fullmatch(function.partition("[")[0])
    # The linker writes a dot in the last part of a path as %2e.
    return found.group(1).replace("%2e", ".") if found else function


def origin(function: str) -> str:
    """What a function belongs to: ``own`` of the program's modules, the standard ``library``, or Go's ``runtime``."""
    home = package(function)
    if "." not in function or home == "runtime" or home.startswith(("runtime/", "internal/")):
        return "runtime"
    return "own" if home == "main" or "." in home.partition("/")[0] else "library"


def shortened(function: str) -> str:
    """Without the path of its package: example.org/store.(*Store).Get → store.(*Store).Get."""
    return HOST_AND_PATH.sub("", function)


def peek(profile: Profile, function: str, sample_type: str = "") -> list[Neighbours]:
    """The functions that a regular expression matches, with their callers and callees (`-peek`)."""
    wanted = expression(function)
    graph = _Graph(profile, profile.column(sample_type), functions)
    found = []
    for row in top(profile, sample_type):
        if wanted.search(row.name):
            callers, callees = [], []
            for (caller, callee), value in graph.calls.items():
                if callee == row.name:
                    callers.append(Edge(caller, value, graph.called_as[caller, callee]))
                if caller == row.name:
                    callees.append(Edge(callee, value, graph.called_as[caller, callee]))
            found.append(Neighbours(row, _largest(callers), _largest(callees)))
    return found


def by_line(profile: Profile, function: str, sample_type: str = "") -> list[Routine]:
    """The lines of all functions that a regular expression matches (`-list`), by name and file."""
    wanted = expression(function)
    graph = _Graph(profile, profile.column(sample_type), lines)
    routines: dict[tuple[str, str], dict[int, tuple[int, int]]] = {}
    for key in graph.present():
        name, file, line = key
        if wanted.search(name):
            found = routines.setdefault((name, file), {})
            flat, cum = found.get(line, (0, 0))
            found[line] = (flat + graph.flat.get(key, 0), cum + graph.cum[key])
    return [
        Routine(
            name,
            file,
            sum(flat for flat, _cum in found.values()),
            sum(cum for _flat, cum in found.values()),
            tuple(Line(line, flat, cum) for line, (flat, cum) in sorted(found.items())),
        )
        for (name, file), found in sorted(routines.items())
    ]


def by_stack(profile: Profile, sample_type: str = "") -> list[Group]:
    """The samples with the same stack and labels together: of a goroutine profile, how many wait in the same place."""
    index = profile.column(sample_type)
    groups: dict[tuple[tuple[Frame, ...], tuple[Label, ...]], int] = {}
    for sample in profile.samples:
        for key in whole(sample):
            groups[key] = groups.get(key, 0) + sample.values[index]
    found = [Group(value, stack, labels) for (stack, labels), value in groups.items() if value]
    return sorted(found, key=lambda group: (-abs(group.value), group.stack, tuple(map(str, group.labels))))


def frames(sample: Sample) -> tuple[Frame, ...]:
    """All calls on a sample's stack, the innermost first."""
    return tuple(frame for location in sample.stack for frame in location.frames)


def _sorted(rows: Iterable[Row], by_cum: bool) -> list[Row]:
    if by_cum:
        return sorted(rows, key=lambda row: (-abs(row.cum), row.name, -abs(row.flat)))
    return sorted(rows, key=lambda row: (-abs(row.flat), row.name, -abs(row.cum)))


def _largest(edges: list[Edge]) -> tuple[Edge, ...]:
    return tuple(sorted(edges, key=lambda edge: (-abs(edge.value), edge.name)))
