# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A profile of a Go program, and what can be done to it as a whole: pruned, without some of it, less another.

The meaning is that of `go tool pprof` (github.com/google/pprof: profile/prune.go, filter.go, merge.go, index.go), so
that its figures and ours are the same to the byte. Regular expressions are Python's: the common ones mean the same in
Go. Pure functions; profiles are never changed. Standard library only, Python 3.9 and newer.
"""

from __future__ import annotations

import re
import typing as t

from ..objectives.units import quantity

if t.TYPE_CHECKING:
    from collections.abc import Iterable

Label = tuple[str, t.Union[str, int], str]  # key, value, unit ("" for texts)
# A MB is 1024 KB here too, as in all of this collection.
_LARGER = {
    "bytes": (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)),
    "nanoseconds": (("s", 10**9), ("ms", 10**6), ("us", 10**3)),
}
DIFF_BASE: Label = ("pprof::base", "true", "")


class ProfileError(ValueError):
    """One sentence: what is wrong with a profile, or with what was asked of it, and what to do."""


class ValueType(t.NamedTuple):
    """What a number of a sample is: ``type`` as in inuse_space, ``unit`` as in bytes, count or nanoseconds."""

    type: str
    unit: str

    def text(self, value: float) -> str:
        """A value as a person reads it: 3.2 MB, 41 ms, 17."""
        sign, size = ("-" if value < 0 else ""), abs(value)
        for unit, least in _LARGER.get(self.unit, ()):
            if size >= least:
                return sign + quantity(size / least, unit)
        return sign + quantity(size, {"bytes": "B", "nanoseconds": "ns"}.get(self.unit, ""))


class Frame(t.NamedTuple):
    """A call on the stack. ``start`` is the line in which the function begins, 0 where unknown."""

    function: str
    file: str
    line: int
    start: int


class Location(t.NamedTuple):
    """A place in the program. ``frames``: the innermost first; the others had what lies before them inlined.

    ``address`` is counted from the start of the ``mapping`` (size, offset, build id or file), so that it is the same
    in every process that runs the program. ``file`` is the path of the program or library.
    """

    address: int
    mapping: tuple[int, int, str] | None
    file: str
    frames: tuple[Frame, ...]


class Sample(t.NamedTuple):
    """``stack``: the innermost location first. ``values``: one for each of the profile's types. ``labels`` by key."""

    stack: tuple[Location, ...]
    values: tuple[int, ...]
    labels: tuple[Label, ...]


class Profile(t.NamedTuple):
    """A decoded profile.

    ``default``: the type that is meant if none is named; ``period``: of ``period_type``, one sample is taken (heap:
    bytes allocated, cpu: nanoseconds), 0 where unknown; ``time`` of capture and ``duration`` in ns, 0 where unknown;
    ``totals``: for each type, what shares are of: the sum over all samples, kept as it was when samples are left out.
    """

    types: tuple[ValueType, ...]
    default: str
    samples: tuple[Sample, ...]
    period_type: ValueType
    period: int
    time: int
    duration: int
    drop: str
    keep: str
    totals: tuple[int, ...]

    def column(self, name: str = "") -> int:
        """Which value of a sample ``name`` is, as `-sample_index` has it; ProfileError if there is none of this name.

        Without a name it is the profile's default, and the last one where it names none.
        """
        if not name:
            names = [each.type for each in self.types]
            return names.index(self.default) if self.default in names else len(names) - 1
        wanted = (name, name.removeprefix("inuse_"))
        for index, each in enumerate(self.types):
            if each.type in wanted:
                return index
        raise ProfileError(
            f"The profile holds no {name}: it has {', '.join(each.type for each in self.types) or 'no values at all'}."
        )


def totals(samples: Iterable[Sample], types: int) -> tuple[int, ...]:
    """The sums of the samples' absolute values; of the base alone, where a base is marked."""
    sums, base = [0] * types, [0] * types
    for sample in samples:
        marked = DIFF_BASE in sample.labels
        for index, value in enumerate(sample.values):
            sums[index] += abs(value)
            if marked:
                base[index] += abs(value)
    return tuple(of_base or of_all for of_base, of_all in zip(base, sums))


def pruned(profile: Profile) -> Profile:
    """Without the frames that the profile itself calls uninteresting, nor what they call.

    A frame that ``drop`` matches goes with all that it calls, unless ``keep`` matches it too, and unless nothing else
    lies above it. ProfileError if one of them is no regular expression.
    """
    if not profile.drop:
        return profile
    drop = expression(f"^({profile.drop})$")
    keep = expression(f"^({profile.keep})$") if profile.keep else None
    verdicts: dict[Location, tuple[Location | None, bool]] = {}

    def goes(function: str) -> bool:
        name = re.sub(r"^\.", "", function)
        for found in re.finditer(r"\(anonymous namespace\)|operator\(\)|\(", name):
            if found.group() == "(":
                name = name[: found.start()]
                break
        return bool(name and drop.search(name) and not (keep and keep.search(name)))

    def verdict(location: Location) -> tuple[Location | None, bool]:
        """What is left of a location, and whether the stack ends here."""
        for index in range(len(location.frames) - 1, -1, -1):
            if goes(location.frames[index].function):
                rest = location.frames[index + 1 :]
                return (location._replace(frames=rest) if rest else None), True
        return location, False

    def shortened(stack: tuple[Location, ...]) -> tuple[Location, ...]:
        kept: list[Location] = []
        below_another = False
        for location in reversed(stack):
            if location not in verdicts:
                verdicts[location] = verdict(location)
            rest, ends = verdicts[location]
            if ends and below_another:
                kept += [rest] if rest else []
                break
            kept.append(rest or location)
            below_another = below_another or not ends
        return tuple(reversed(kept))

    return profile._replace(samples=tuple(s._replace(stack=shortened(s.stack)) for s in profile.samples))


def without(profile: Profile, ignore: str) -> Profile:
    """Only the samples of which no frame's function or file matches ``ignore``, as `-ignore` has it.

    Shares stay those of the whole. ProfileError if it is no regular expression.
    """
    unwanted = expression(ignore)
    known: dict[Location, bool] = {}

    def goes(location: Location) -> bool:
        if location not in known:
            names = [name for frame in location.frames for name in (frame.function, frame.file)]
            known[location] = any(unwanted.search(name) for name in (*names, location.file))
        return known[location]

    return profile._replace(samples=tuple(each for each in profile.samples if not any(map(goes, each.stack))))


def difference(profile: Profile, base: Profile, of_base: bool = False) -> Profile:
    """``profile`` less ``base``, as `-base` has it: shares are of the difference; ``of_base``, as `-diff_base`: of it.

    ProfileError for profiles of different kinds.
    """
    if profile.types != base.types or profile.period_type != base.period_type:
        raise ProfileError(
            f"A profile of {_kinds(base)} cannot be the base of one of {_kinds(profile)}: give two of the same kind."
        )
    merged: dict[tuple[tuple[Location, ...], tuple[Label, ...]], list[int]] = {}
    mark = (DIFF_BASE,) if of_base else ()
    for source, sign, marks in ((profile, 1, ()), (base, -1, mark)):
        for sample in source.samples:
            key = (sample.stack, tuple(sorted(sample.labels + marks, key=lambda label: label[0])))
            values = merged.setdefault(key, [0] * len(profile.types))
            for index, value in enumerate(sample.values):
                values[index] += sign * value
    samples = tuple(Sample(stack, tuple(values), labels) for (stack, labels), values in merged.items() if any(values))
    return profile._replace(
        samples=samples,
        period=max(profile.period, base.period),
        duration=profile.duration + base.duration,
        totals=totals(samples, len(profile.types)),
    )


def _kinds(profile: Profile) -> str:
    return ", ".join(each.type for each in profile.types)


def expression(text: str) -> re.Pattern[str]:
    """Of a text that a person gave; ProfileError if it is none."""
    try:
        return re.compile(text)
    except re.error as error:
        raise ProfileError(f"{text!r} is no regular expression: {error}.") from error
