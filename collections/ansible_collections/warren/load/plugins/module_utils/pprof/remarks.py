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

import math
import re
import statistics
import typing as t

from ..objectives.units import many, number
from .sampling import growth, leaks, live, smallest
from .views import by_stack, frames, origin, shortened

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from .profile import Frame, Profile, Sample
    from .sampling import Estimate, Growth

LEAST = 0.05  # of the whole: less is not worth a sentence
MOST = 5  # sentences of one kind
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


def of_cpu(profile: Profile, *, ours: str = "", known: Known = ()) -> Iterator[Remark]:
    """Which functions hold the CPU: those whose share is LEAST for certain."""
    column = profile.column("samples")
    counts: dict[str, int] = {}
    helpers: dict[str, dict[str, int]] = {}
    for sample in profile.samples:
        stack = frames(sample)
        where = place(stack, ours)
        counts[where] = counts.get(where, 0) + sample.values[column]
        depth = next((number for number, frame in enumerate(stack) if frame.function == where), 0)
        helper = stack[depth - 1].function if depth else ""
        if helper:
            called = helpers.setdefault(where, {})
            called[helper] = called.get(helper, 0) + sample.values[column]
    total = sum(counts.values())
    for where, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST]:
        low, high = share(count, total)
        if low < LEAST:
            continue
        sentence = f"{shortened(where)} holds {_percent(count / total)} % of CPU ({_percent(low)} to {_percent(high)} %"
        sentence += f", {many(total, 'sample')})"
        helper, part = max(helpers.get(where, {"": 0}).items(), key=lambda item: item[1])
        if part and share(part, total)[0] >= LEAST:
            sentence += f", {_percent(part / total)} % in {shortened(helper)}"
        yield Remark("profile-cpu", sentence + ".", _reason(known, where, helper))


def of_heap(profile: Profile, *, ours: str = "", known: Known = ()) -> Iterator[Remark]:
    """What holds the memory in use: functions whose share is LEAST for certain."""
    kind = profile.types[profile.column("inuse_space")]
    found = live(profile, places=places(ours))
    total = sum(each.value for each in found.values())
    for where, each in list(found.items())[:MOST]:
        if total and each.low >= LEAST * total:
            sentence = f"{shortened(where)} holds {kind.text(each.value)} ({_range(each, kind.text)})"
            sentence += f" of {kind.text(total)} of the heap."
            yield Remark("profile-heap", sentence, _reason(known, where))


def of_growth(captures: Sequence[Profile], services: int = 0, *, ours: str = "", known: Known = ()) -> Iterator[Remark]:
    """Where the heap grew by more than chance; if nowhere, what would have been seen.

    ``captures``: after a collection each, at the same load; ``services``: churned from the first to the last.
    """
    kind = captures[-1].types[captures[-1].column("inuse_space")]
    found = leaks(captures, places=places(ours))
    for each in found[:MOST]:
        sentence = f"{shortened(each.place)} holds {kind.text(each.value)} more than before ({_range(each, kind.text)})"
        if services:
            share_of = each.per(services)
            sentence += f", {kind.text(share_of.value)} ({_range(share_of, kind.text)}) for each of {services} services"
        sentence += ", and grew to the end." if len(captures) > 2 else "."
        yield Remark("profile-growth", sentence, _reason(known, each.place))
    if not found:
        changed = [each for each in growth(captures[0], captures[-1], places=places(ours)) if each.born + each.died]
        least = smallest(captures[-1].period, max(1, len(changed)))
        yield Remark(
            "profile-no-growth",
            f"Nothing in the heap grew by more than chance; a leak of {kind.text(least)} in one function would have "
            f"been seen in 95 of 100 runs.",
            "The heap is sampled once in "
            f"{kind.text(captures[-1].period)}; GODEBUG=memprofilerate in the program's environment makes that finer.",
        )


def of_goroutines(
    before: Profile, after: Profile, least: int = 10, *, ours: str = "", known: Known = ()
) -> Iterator[Remark]:
    """Where there are at least so many goroutines more than before. They are counted: no chance is in that."""
    counts: dict[tuple[str, str], list[int]] = {}
    for side, profile in enumerate((before, after)):
        for group in by_stack(profile):
            if group.stack:
                begun = group.stack[-1].function
                counts.setdefault((place(group.stack, ours), begun), [0, 0])[side] += group.value
    for (where, begun), (old, new) in sorted(counts.items(), key=lambda item: (item[1][0] - item[1][1], item[0]))[
        :MOST
    ]:
        if new - old >= least:
            sentence = f"{new - old} goroutines more than before are in {shortened(where)} ({new} now, {old} before"
            sentence += f"; begun as {shortened(begun)})." if begun != where else ")."
            yield Remark("profile-goroutines", sentence, _reason(known, where, begun))


def share(count: float, total: float, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of a share of independent samples (Wilson 1927); 0 to 1 of none."""
    if total <= 0:
        return 0.0, 1.0
    z = statistics.NormalDist().inv_cdf((1 + confidence) / 2)
    part, weight = count / total, z * z / total
    middle = (part + weight / 2) / (1 + weight)
    reach = z * math.sqrt(part * (1 - part) / total + weight / total / 4) / (1 + weight)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _percent(part: float) -> str:
    return number(round(100 * part))


def _range(each: Estimate | Growth, text: t.Callable[[float], str]) -> str:
    return f"{text(each.low)} to {text(each.high)}"


def _reason(known: Known, *functions: str) -> str:
    return next((because for wanted, because in known if any(re.search(wanted, name) for name in functions)), "")
