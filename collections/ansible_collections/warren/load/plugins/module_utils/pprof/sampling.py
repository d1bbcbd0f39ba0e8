# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How sure a heap profile is: error bars of its figures, and which growth is more than the chance of its sampling.

Go notes one allocation in ``period`` bytes (runtime.MemProfileRate, 512 KiB unless set): an object of ``size`` bytes
is noted with the probability p = 1 - exp(-size / period), and each that was noted stands for 1 / p objects in the
profile. So behind every figure there is a count of noted objects, and a figure is as sure as its count. The counts are
worked out again from the values and from the size of the objects, which stands in the label ``bytes``
(runtime/pprof/protomem.go: scaleHeapSample).

A figure: the count is binomial. Its interval is that of Fay and Feuer (1997) for weighted Poisson sums, with the
variance times 1 - p; it is the exact one of Garwood where all objects are small, is never below the bytes of the
objects that were noted, and of what was not noted at all it says "up to 3.7 periods".

A difference: an object that lives in both captures was noted in both or in neither, so a cache that nobody touches has
no error at all. Only what was born or died in between counts: at most as many noted objects died as were freed since,
and as lived before; the rest follows. Would a heap of constant size show such growth? In it each of these births and
deaths could as well have been the other, so that growth is a sum of random signs, whose chance Chernoff's inequality
bounds. Of large objects nearly all are noted, so that the deaths which nobody noted are few: there the chance is that
of so many births and deaths as there can have been at most (but for 1 in a million), again by Chernoff's inequality.
Bounds lie above the chance, never below.

Many places: with a hundred functions, one in a hundred grows "significantly" for each per cent of chance. The chance
that any place of a constant heap is called growing is held to ``ALARM`` by the correction of Tarone (1990), which does
not count places of which too few objects changed to ever be called growing.

What that can see: of a leak of small objects alone in its place at least log2(places / ALARM) objects must be noted.
At 512 KiB a leak of 100 kB is seen by none: 0.2 objects of it are noted. For 95 of 100 it takes some 10 MB there, or a
period of 4 KiB (GODEBUG=memprofilerate=4096 in the environment of the program) for 100 kB; see smallest().

Standard library only, Python 3.9 and newer. Nothing here is random.
"""

from __future__ import annotations

import functools
import math
import statistics
import typing as t

from .profile import ProfileError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from .profile import Profile, Sample

    Places = Callable[[Sample], Iterable[t.Any]]  # what a sample counts for: functions, packages, lines, ...

ALARM = 0.01  # the chance that a heap of constant size is said to grow, in whatever place
STILL = 0.05  # the chance that a place which stopped growing in the first half of the captures is said to grow still
LARGE = 0.75  # objects are large if more than this part of them is noted
RARE = 1e-6
SMALLEST_OBJECT = 8  # bytes, of Go's allocator


class Estimate(t.NamedTuple):
    """A figure of a heap profile: ``low`` to ``high`` holds the true one; ``noted``: objects that it rests on."""

    value: float
    low: float
    high: float
    noted: float


class Growth(t.NamedTuple):
    """How much more lives in a place, in bytes (objects, if that was asked).

    ``born`` and ``died``: the noted objects; ``chance``: at most that of a heap of constant size to show this much in
    this place; ``significant``: whether this is to be called growth, after all places were looked at.
    """

    place: t.Any  # as the function that names places does
    value: float
    low: float
    high: float
    born: float
    died: float
    chance: float
    significant: bool

    def per(self, units: float) -> Growth:
        """The same for each of so many churned services; ZeroDivisionError for none."""
        return self._replace(value=self.value / units, low=self.low / units, high=self.high / units)


class _Class(t.NamedTuple):
    """Objects of one size that were allocated by one stack: noted ones born and died, what one of them stands for."""

    weight: float
    probability: float
    born: float
    died: float
    seen: float  # of the weight, what is certain: the object itself


def flat(sample: Sample) -> Iterable[str]:
    """The place of a sample: the function that allocated."""
    return (next((frame.function for location in sample.stack for frame in location.frames), "<unknown>"),)


class Change(t.NamedTuple):
    """What there was and is of the objects of one size from one stack, and the variance of the difference."""

    sample: Sample
    before: int
    after: int
    variance: float
    objects: _Class


def changes(before: Profile, after: Profile, sample_type: str = "inuse_space") -> Iterator[Change]:
    """Of each stack and size, in the order of the profiles. ProfileError if these are not two heaps of one rate."""
    period = _period(before)
    if _period(after) != period:
        raise ProfileError(
            f"One heap was sampled every {period} bytes, the other every {_period(after)}: run both with the same rate."
        )
    column = after.column(sample_type)
    allocated, in_use = (1, 3) if sample_type.endswith("_space") else (0, 2)
    # Go hides the runtime's innermost frames, so that several of its stacks may look the same here.
    both: dict[tuple[t.Any, ...], tuple[Sample, tuple[list[int], list[int]]]] = {}
    for side, profile in enumerate((before, after)):
        for sample in profile.samples:
            _first, sides = both.setdefault((sample.stack, sample.labels), (sample, ([0] * 4, [0] * 4)))
            for index, value in enumerate(sample.values):
                sides[side][index] += value
    for sample, (old, new) in both.values():
        one = _class(sample, period, sample_type)
        born = _count(new[allocated], one) - _count(old[allocated], one)
        if column == allocated:
            one = one._replace(born=max(born, 0.0), died=max(-born, 0.0))
        else:
            lived, lives = _count(old[in_use], one), _count(new[in_use], one)
            freed = born - (lives - lived)
            died = max(0.0, lived - lives, min(lived, freed) if freed >= 0 else lived)
            one = one._replace(born=died + lives - lived, died=died)
        variance = one.weight**2 * (one.born + one.died) * (1 - one.probability)
        yield Change(sample, old[column], new[column], variance, one)


def estimate(value: float, count: float, confidence: float = 0.95, step: float = 0.0, seen: float = 0.0) -> Estimate:
    """The interval of a figure that rests on ``count`` noted objects; ``count`` may be effective, and so a fraction.

    ``step``: what one object more would stand for, value / count if 0; ``seen``: what is there for certain.
    """
    tail = (1 - confidence) / 2
    step = step or (value / count if count else 0.0)
    low = max(seen, value / count * _gamma(tail, count) if count else 0.0)
    variance = value * value / count if count else 0.0
    if not step and not variance:
        return Estimate(value, low, value, count)
    above, spread = value + step, variance + step * step
    return Estimate(value, min(low, value), above and spread / above * _gamma(1 - tail, above * above / spread), count)


def live(profile: Profile, sample_type: str = "inuse_space", places: Places = flat) -> dict[t.Any, Estimate]:
    """The figures of a heap profile with their 95 % intervals, by place. ProfileError if it is none of a heap."""
    period, column = _period(profile), profile.column(sample_type)
    classes: dict[t.Any, list[_Class]] = {}
    values: dict[t.Any, int] = {}
    for sample in profile.samples:
        if sample.values[column]:
            one = _class(sample, period, sample_type)
            count = _count(sample.values[column], one)
            for place in places(sample):
                values[place] = values.get(place, 0) + sample.values[column]
                classes.setdefault(place, []).append(one._replace(born=count))
    return {
        place: _born(values[place], found, period, sample_type)
        for place, found in sorted(classes.items(), key=lambda item: -values[item[0]])
    }


def growth(
    before: Profile,
    after: Profile,
    sample_type: str = "inuse_space",
    places: Places = flat,
    alarm: float = ALARM,
) -> list[Growth]:
    """What lives in each place now and did not before, the most first; ProfileError if these are not two heaps.

    ``value`` is that of `go tool pprof -base`. Both are of one process: after a restart nothing is left of before.
    With ``alarm`` 0 no place is tested, which takes most of the time, and none is significant.
    """
    period = _period(before)
    classes: dict[t.Any, list[_Class]] = {}
    values: dict[t.Any, int] = {}
    for change in changes(before, after, sample_type):
        for place in places(change.sample):
            values[place] = values.get(place, 0) + change.after - change.before
            classes.setdefault(place, []).append(change.objects)
    found = [_growth(place, values[place], classes[place], period, sample_type) for place in classes]
    if alarm:
        found = _tested(found, classes, alarm)
    return sorted(found, key=lambda each: (-each.value, str(each.place)))


def _tested(found: list[Growth], classes: dict[t.Any, list[_Class]], alarm: float) -> list[Growth]:
    found = [each._replace(chance=_chance(classes[each.place])) for each in found]
    limit = _corrected(
        [_chance([one._replace(born=one.born + one.died, died=0) for one in classes[g.place]]) for g in found], alarm
    )
    return [each._replace(significant=each.value > 0 and each.chance <= limit) for each in found]


def leaks(
    captures: Sequence[Profile],
    sample_type: str = "inuse_space",
    places: Places = flat,
    alarm: float = ALARM,
) -> list[Growth]:
    """Where more lives at the end than at the beginning, and the second half of the captures grew too.

    The second condition tells a leak from a cache that fills once; it needs three captures at equal distances. Values
    are those of the whole time. ProfileError for less than two captures.
    """
    if len(captures) < 2:
        raise ProfileError("Growth needs two captures of the heap or more.")
    grown = [each for each in growth(captures[0], captures[-1], sample_type, places, alarm) if each.significant]
    if len(captures) == 2 or not grown:
        return grown
    late = growth(captures[(len(captures) - 1) // 2], captures[-1], sample_type, places, alarm)
    still = {each.place for each in late if each.value > 0 and each.chance <= STILL}
    return [each for each in grown if each.place in still]


def smallest(period: float, places: int = 20, alarm: float = ALARM, power: float = 0.95) -> float:
    """Bytes of small objects that must leak to be found by leaks() in ``power`` of the cases, by any of ``places``.

    ``places``: those where enough objects change to be tested (a busy manager has some 20). It holds for a place that
    replaces nothing else: where that replaces 4 MB, such a leak is found in a third of the cases at most.
    """
    return period * _needed(places, alarm, power)


def _needed(places: int, alarm: float, power: float) -> float:
    """How many objects of a leak must be noted on average."""
    first = math.ceil(math.log2(places / alarm))
    half = math.ceil(-math.log2(STILL))
    # Each condition may fail in half of the cases left over.
    enough = (1 + power) / 2
    return max(_gamma(enough, first), 2 * _gamma(enough, half))


def _period(profile: Profile) -> int:
    if [each.type for each in profile.types[:1]] != ["alloc_objects"] or "inuse_space" not in [
        each.type for each in profile.types
    ]:
        raise ProfileError(
            f"Error bars are for heap profiles; this one holds {', '.join(each.type for each in profile.types)}."
        )
    return max(1, profile.period)


def _class(sample: Sample, period: int, sample_type: str) -> _Class:
    size = next((value for key, value, _unit in sample.labels if key == "bytes" and isinstance(value, int)), 0)
    if not size:
        objects, space = max((sample.values[2:4], sample.values[0:2]), key=lambda pair: pair[0])
        size = space // objects if objects else 1
    probability = 1.0 if period == 1 else -math.expm1(-size / period)
    unit = size if sample_type.endswith("_space") else 1
    return _Class(unit / probability, probability, 0.0, 0.0, float(unit))


def _count(value: int, one: _Class) -> float:
    """Noted objects behind a value; Go rounds values down, so to the nearest count."""
    return float(round(value / one.weight))


def _growth(place: t.Any, value: int, classes: list[_Class], period: int, sample_type: str) -> Growth:
    """The interval is that of a difference of two sums whose own intervals are known (MOVER, Zou and Donner 2008)."""
    born = _born(sum(one.weight * one.born for one in classes), classes, period, sample_type)
    reverse = [one._replace(born=one.died) for one in classes]
    died = _born(sum(one.weight * one.died for one in classes), reverse, period, sample_type)
    low = value - math.hypot(born.value - born.low, died.high - died.value)
    high = value + math.hypot(born.high - born.value, died.value - died.low)
    counts = (sum(one.born for one in classes), sum(one.died for one in classes))
    return Growth(place, value, low, high, *counts, 1.0, False)


def _born(value: float, classes: list[_Class], period: int, sample_type: str) -> Estimate:
    """The interval of a sum over classes of objects."""
    counts = sum(one.born for one in classes)
    variance = sum(one.weight**2 * one.born * (1 - one.probability) for one in classes)
    seen = min(value, sum(one.seen * one.born for one in classes))
    if period == 1:
        return Estimate(value, value, value, counts)
    step = float(period)
    if not sample_type.endswith("_space"):
        step = max((one.weight for one in classes if one.born), default=period / SMALLEST_OBJECT)
    effective = value * value / variance if variance else 0.0
    return estimate(value, effective, step=step, seen=value if not variance else seen)._replace(noted=counts)


def _chance(classes: list[_Class]) -> float:
    """At most the chance that a place of constant size grows by this much or more."""
    changed = [one for one in classes if one.born + one.died]
    grown = sum(one.weight * (one.born - one.died) for one in changed)
    if grown <= 0:
        return 1.0
    if all(one.probability == 1.0 for one in changed):
        return 0.0
    pairs = {one: _most_pairs(one) for one in changed if one.probability > LARGE}

    def exponent(scale: float) -> float:
        """Of Chernoff's bound: any scale gives a valid one."""
        total = -scale * grown
        for one in changed:
            reach = scale * one.weight
            if one in pairs:
                missed = one.probability * (1 - one.probability)
                total += pairs[one] * math.log1p(4 * missed * math.sinh(reach / 2) ** 2)
            else:
                total += (one.born + one.died) * (reach + math.log1p(math.exp(-2 * reach)) - math.log(2))
        return total

    heaviest = max(one.weight for one in changed)
    scales = [1.3**power / heaviest for power in range(-40, 25)]
    values = [exponent(scale) for scale in scales]
    best = values.index(min(values))
    around = [scales[best] * 1.3 ** (step / 8) for step in range(-8, 9)]
    return min(1.0, math.exp(min(0.0, *(exponent(scale) for scale in around))) + (RARE if pairs else 0.0))


def _most_pairs(one: _Class) -> float:
    """How many objects can have been born, and as many died, with so many of them noted; more in 1 of a million."""
    noted = one.born + one.died
    mean = noted * (1 - one.probability) / one.probability**2
    missed = math.ceil(mean + 5 * math.sqrt(mean) + 5)
    if mean < 100:
        missed, term, rest = 0, math.exp(-mean), 1 - math.exp(-mean)
        while rest > RARE:
            missed += 1
            term *= mean / missed
            rest -= term
    return max(one.born, one.died, (noted + missed) / 2)


def _corrected(best: list[float], alarm: float) -> float:
    """The chance at which one of many places is called growing (Tarone 1990); ``best``: the least each could reach."""
    for count in range(1, len(best) + 1):
        if sum(each <= alarm / count for each in best) <= count:
            return alarm / count
    return alarm


@functools.lru_cache(maxsize=4096)
def _gamma(probability: float, shape: float) -> float:
    """The quantile of the gamma distribution of a shape (its scale is 1), to a thousandth."""
    if shape <= 0:
        return 0.0
    z = statistics.NormalDist().inv_cdf(probability)
    guess = shape * max(1e-9, 1 - 1 / (9 * shape) + z / (3 * math.sqrt(shape))) ** 3  # Wilson and Hilferty
    if shape > 50:
        return guess
    low, high = 0.0, shape + 10 * math.sqrt(shape) + 20
    for _round in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _below(middle, shape) < probability else (low, middle)
    return (low + high) / 2


def _below(x: float, shape: float) -> float:
    """The gamma distribution's function, by its series."""
    term = total = 1 / shape
    divisor = shape
    while term > total * 1e-12:
        divisor += 1
        term *= x / divisor
        total += term
    return total * math.exp(-x + shape * math.log(x) - math.lgamma(shape)) if x > 0 else 0.0
