# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What profiles show, in sentences: only what their samples are enough for.

Time and memory that a library or Go's runtime takes is put down to the function of the program that asked for it: the
innermost on the stack that is the program's own, which the expression ``ours`` tells ("" takes every module's for it).
So the shares of all functions make up the whole. ``known``: pairs of an expression, and the reason to give where it
matches one of the functions of a sentence. Pure functions.
"""

from __future__ import annotations

import itertools
import math
import re
import statistics
import typing as t

from ..objectives.units import many, number
from ..stats.slopes import slope
from .profile import ValueType
from .sampling import growth, leaks, live, smallest
from .views import by_stack, frames, origin, shortened

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from .profile import Frame, Profile, Sample
    from .sampling import Estimate, Growth

LEAST = 0.05  # of the whole: less is not worth a sentence
HELD = 4 << 20  # bytes of the heap in one function: less is not worth one either
BUSY = 0.02  # of a core: what a process that uses less does with it is not worth one
FINE = 4096  # bytes to one noted object, which is enough for a leak of 100 kB
MAINLY = 0.6  # of what a function holds
MOST = 5  # sentences of one kind
MOVED = 0.5  # of what a function holds more: so much less in another may be the same objects
NAMED = 3  # processes that are named; of more only the number is
Known = t.Sequence[tuple[str, str]]


class Remark(t.NamedTuple):
    """``sentence``: what was seen; ``because``: what is known of the reason (or empty)."""

    id: str
    sentence: str
    because: str = ""


def place(stack: Sequence[Frame], ours: str = "") -> str:
    """The innermost function that ``ours`` matches; where none does, of any module; else the outermost of Go's.

    The last is the collector of garbage, for one.
    """
    for wanted in (ours, ""):
        for frame in stack:
            if re.search(wanted, frame.function) if wanted else origin(frame.function) == "own":
                return frame.function
    return stack[-1].function if stack else "<unknown>"


def places(ours: str = "") -> Callable[[Sample], Iterable[str]]:
    """The same of a sample, as sampling's functions ask for it."""

    def of(sample: Sample) -> Iterable[str]:
        return (place(frames(sample), ours),)

    return of


class Part(t.NamedTuple):
    """What a function has of one process's whole: the share, with its interval (0 to 1)."""

    process: str
    share: float
    low: float
    high: float


def of_cpu(profiles: Mapping[str, Profile], *, ours: str = "", known: Known = ()) -> Iterator[Remark]:
    """Which functions hold the CPU of processes (by name): those whose share is LEAST for certain.

    Of a process that is all but idle (BUSY) nothing is said.
    """
    parts: dict[str, list[Part]] = {}
    counts: dict[str, int] = {}
    helpers: dict[str, dict[str, int]] = {}
    for process, profile in profiles.items():
        if not _busy(profile):
            continue
        own = _by_place(profile, ours, helpers)
        total = sum(own.values())
        for where, count in own.items():
            low, high = share(count, total)
            if low >= LEAST:
                parts.setdefault(where, []).append(Part(process, count / total, low, high))
                counts[where] = counts.get(where, 0) + count
    for where, found in sorted(parts.items(), key=lambda item: (-max(part.share for part in item[1]), item[0]))[:MOST]:
        sentence = f"{shortened(where)} holds {_of_whom(found, 'CPU')}"
        helper, part = max(helpers.get(where, {"": 0}).items(), key=lambda item: item[1])
        # A method of the same name that it hands its work to says nothing.
        if part >= MAINLY * counts[where] and helper.rpartition(".")[2] != where.rpartition(".")[2]:
            sentence += f", most of it in {shortened(helper)}"
        yield Remark("profile-cpu", sentence + ".", _reason(known, where, helper))


def _busy(profile: Profile) -> bool:
    used = sum(sample.values[profile.column("cpu")] for sample in profile.samples)
    return not profile.duration or used >= BUSY * profile.duration


def _by_place(profile: Profile, ours: str, helpers: dict[str, dict[str, int]]) -> dict[str, int]:
    """How many samples each function holds; what it called for them is added to ``helpers``."""
    column = profile.column("samples")
    counts: dict[str, int] = {}
    for sample in profile.samples:
        stack = frames(sample)
        where = place(stack, ours)
        counts[where] = counts.get(where, 0) + sample.values[column]
        depth = next((number for number, frame in enumerate(stack) if frame.function == where), 0)
        if depth:
            called = helpers.setdefault(where, {})
            helper = stack[depth - 1].function
            called[helper] = called.get(helper, 0) + sample.values[column]
    return counts


def _of_whom(found: list[Part], what: str) -> str:
    """``26 % of the CPU of manager-2 (19 to 35 %) and 12 % of manager-1 (8 to 17 %)``; of many, the most."""
    ordered = sorted(found, key=lambda part: -part.share)
    if len(ordered) > NAMED:
        most = ordered[0]
        return (
            f"up to {_percent(most.share)} % of the {what} of {len(ordered)} processes, the most of {most.process} "
            f"({_percent(most.low)} to {_percent(most.high)} %)"
        )
    texts = [
        f"{_percent(part.share)} %{'' if number else f' of the {what}'} of {part.process} "
        f"({_percent(part.low)} to {_percent(part.high)} %)"
        for number, part in enumerate(ordered)
    ]
    return listed(texts)


def of_heap(profiles: Mapping[str, Profile], *, ours: str = "", known: Known = ()) -> Iterator[Remark]:
    """What holds the memory in use of processes (by name): functions that hold LEAST of it, and HELD, for certain."""
    parts: dict[str, list[tuple[str, Estimate, float]]] = {}
    for process, profile in profiles.items():
        found = live(profile, places=places(ours))
        total = sum(each.value for each in found.values())
        for where, each in found.items():
            if each.low >= max(HELD, LEAST * total):
                parts.setdefault(where, []).append((process, each, total))

    def most(item: tuple[str, list[tuple[str, Estimate, float]]]) -> tuple[float, str]:
        return -max(each.value for _process, each, _total in item[1]), item[0]

    text = ValueType("inuse_space", "bytes").text
    for where, holders in sorted(parts.items(), key=most)[:MOST]:
        ordered = sorted(holders, key=lambda holder: -holder[1].value)
        texts = [
            f"{text(each.value)}{'' if number else ' of the heap'} of {process} "
            f"({text(each.low)} to {text(each.high)} of {text(total)})"
            for number, (process, each, total) in enumerate(ordered[:NAMED])
        ]
        more = (
            f", and some of {many(len(ordered) - NAMED, 'process', 'processes')} more" if len(ordered) > NAMED else ""
        )
        yield Remark("profile-heap", f"{shortened(where)} holds {listed(texts)}{more}.", _reason(known, where))


def of_growth(
    captures: Sequence[Profile],
    services: int = 0,
    *,
    hours: float = 0.0,
    process: str = "",
    ours: str = "",
    known: Known = (),
) -> Iterator[Remark]:
    """Where the heap grew by more than chance; if nowhere, what would have been seen.

    ``captures``: at the same load; ``services``: churned from the first to the last. Where none were, growth is told
    for an hour, if it is known how many ``hours`` lie between them.
    """
    kind = captures[-1].types[captures[-1].column("inuse_space")]
    found = leaks(captures, places=places(ours))
    for each in found[:MOST]:
        sentence = f"{shortened(each.place)}{f' of {process}' if process else ''} holds {kind.text(each.value)} more "
        sentence += f"than before ({_range(each, kind.text)})"
        if services or hours:
            share_of = each.per(services or hours)
            of = f"for each of {many(services, 'service')}" if services else "an hour"
            sentence += f", {kind.text(share_of.value)} ({_range(share_of, kind.text)}) {of}"
        sentence += ", and grew to the end" if len(captures) > 2 else ""
        sentence += _moved(captures, each, ours, kind) + "."
        yield Remark("profile-growth", sentence, _reason(known, each.place))
    if not found:
        yield nothing_grew({process: captures}, ours=ours)


def _moved(captures: Sequence[Profile], grown: Growth, ours: str, kind: ValueType) -> str:
    """What may be the other side of growth: a constant cache that another function fills now grew in no sum."""
    least = min(growth(captures[0], captures[-1], places=places(ours), alarm=0), key=lambda each: each.value)
    if least.high >= 0 or -least.value < MOVED * grown.value:
        return ""
    return f", while {shortened(least.place)} holds {kind.text(-least.value)} less: it may have moved"


def nothing_grew(processes: Mapping[str, Sequence[Profile]], *, ours: str = "", finer: str = "") -> Remark:
    """The sentence on processes (by name) in none of which anything grew: how large a leak would have been seen.

    ``finer``: what to set, so that it would have been a smaller one.
    """
    least, period = 0.0, 0
    for captures in processes.values():
        changed = [each for each in growth(captures[0], captures[-1], places=places(ours)) if each.born + each.died]
        least = max(least, smallest(captures[-1].period, max(1, len(changed))))
        period = max(period, captures[-1].period)
        kind = captures[-1].types[captures[-1].column("inuse_space")]
    names = sorted(filter(None, processes))
    whose = f" of {listed(names)}" if 0 < len(names) <= NAMED else f" of {len(names)} processes" if names else ""
    return Remark(
        "profile-no-growth",
        f"Nothing in the heap{whose} grew by more than chance; a leak of {kind.text(least)} in a function that "
        "replaces nothing else would have been seen in 95 of 100 runs.",
        f"One object in {kind.text(period)} is noted there; with {finer or f'GODEBUG=memprofilerate={FINE}'} more are, "
        "and the program works more."
        if period > FINE
        else "",
    )


class Stack(t.NamedTuple):
    """Goroutines that wait in a function: how many there were at each capture, and what they were begun as."""

    place: str
    begun: str
    counts: tuple[int, ...]

    @property
    def more(self) -> int:
        """Than at the first capture."""
        return self.counts[-1] - self.counts[0]

    def per(self, services: int) -> tuple[float, float | None, float | None]:
        """``(value, low, high)`` for each of so many services, churned evenly: a slope, which takes three captures."""
        places = [services * at / (len(self.counts) - 1) for at in range(len(self.counts))]
        return slope(places, self.counts)

    def leaks(self, services: int) -> bool:
        """Whether there is one more for each of the services, or more after each of three rounds or more."""
        steady = all(old < new for old, new in zip(self.counts, self.counts[1:]))
        return services > 0 and (self.more >= services or (steady and len(self.counts) > 3))


def stacks(captures: Sequence[Profile], ours: str = "") -> list[Stack]:
    """Where there are more goroutines than before, the most first. They are counted: no chance is in that."""
    counts: dict[tuple[str, str], list[int]] = {}
    for at, profile in enumerate(captures):
        for group in by_stack(profile):
            if group.stack:
                key = (place(group.stack, ours), group.stack[-1].function)
                counts.setdefault(key, [0] * len(captures))[at] += group.value
    found = [Stack(*key, tuple(each)) for key, each in counts.items()]
    return sorted((each for each in found if each.more > 0), key=lambda each: (-each.more, each.place, each.begun))


def of_goroutines(
    captures: Sequence[Profile],
    services: int = 0,
    *,
    least: int = 10,
    process: str = "",
    ours: str = "",
    known: Known = (),
) -> Iterator[Remark]:
    """Where there are at least so many goroutines more than before, or one more for each of ``services``."""
    whose = f" of {process}" if process else ""
    told = (each for each in stacks(captures, ours) if each.more >= least or each.leaks(services))
    for each in itertools.islice(told, MOST):
        begun = f"; begun as {shortened(each.begun)}" if each.begun != each.place else ""
        more = f"{many(each.more, 'goroutine')}{whose} more than before {'is' if each.more == 1 else 'are'}"
        sentence = f"{more} in {shortened(each.place)} ({each.counts[-1]} now, {each.counts[0]} before{begun})"
        if services:
            value, low, high = each.per(services)
            span = "" if low is None or high is None else f" ({number(low)} to {number(high)})"
            sentence += f", {number(value)}{span} for each of {many(services, 'service')}"
        yield Remark("profile-goroutines", sentence + ".", _reason(known, each.place, each.begun))


def share(count: float, total: float, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of a share of independent samples (Wilson 1927); 0 to 1 of none."""
    if total <= 0:
        return 0.0, 1.0
    z = statistics.NormalDist().inv_cdf((1 + confidence) / 2)
    part, weight = count / total, z * z / total
    middle = (part + weight / 2) / (1 + weight)
    reach = z * math.sqrt(part * (1 - part) / total + weight / total / 4) / (1 + weight)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def listed(texts: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else "".join(texts)


def _percent(part: float) -> str:
    return number(round(100 * part))


def _range(each: Estimate | Growth, text: t.Callable[[float], str]) -> str:
    return f"{text(each.low)} to {text(each.high)}"


def _reason(known: Known, *functions: str) -> str:
    return next((because for wanted, because in known if any(re.search(wanted, name) for name in functions)), "")
