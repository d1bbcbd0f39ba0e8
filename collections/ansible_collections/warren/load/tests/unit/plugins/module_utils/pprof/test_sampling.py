# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
import random

import pytest

from ansible_collections.warren.load.plugins.module_utils.pprof import sampling
from ansible_collections.warren.load.plugins.module_utils.pprof.profile import ProfileError, Sample, difference
from ansible_collections.warren.load.plugins.module_utils.pprof.reading import read
from ansible_collections.warren.load.plugins.module_utils.pprof.sampling import (
    estimate,
    growth,
    leaks,
    live,
    smallest,
)
from ansible_collections.warren.load.plugins.module_utils.pprof.views import anywhere, functions, top
from ansible_collections.warren.load.tests.unit.fixtures.pprof import made
from ansible_collections.warren.load.tests.unit.fixtures.pprof.made import (
    KIB,
    Objects,
    captures,
    heap,
    place,
    scaled,
)
from ansible_collections.warren.load.tests.unit.fixtures.pprof.record import HERE

RUNS = 150
COARSE, FINE = 512 * KIB, 4 * KIB


def sample(name, size, live_now, allocated=None, period=COARSE):
    """Of so many noted objects."""
    values = scaled(live_now if allocated is None else allocated, size, period) + scaled(live_now, size, period)
    return Sample((place(name),), values, (("bytes", size, ""),))


def one(before, after, period=COARSE):
    (found,) = growth(heap(before, period), heap(after, period))
    return found


# The limits of Garwood's exact intervals of Poisson counts, as tables have them.
@pytest.mark.parametrize(
    ("count", "low", "high"), [(1, 0.0253, 5.572), (3, 0.6187, 8.767), (10, 4.795, 18.39), (100, 81.36, 121.6)]
)
def test_the_interval_of_a_count_is_the_exact_one(count, low, high):
    found = estimate(count, count)
    assert (found.value, found.noted) == (count, count)
    assert found.low == pytest.approx(low, rel=2e-3)
    assert found.high == pytest.approx(high, rel=2e-3)


def test_an_interval_scales_with_what_an_object_stands_for():
    found, counted = estimate(40 * COARSE, 40), estimate(40, 40)
    assert found.low == pytest.approx(counted.low * COARSE)
    assert found.high == pytest.approx(counted.high * COARSE)


def test_of_nothing_seen_there_may_be_three_point_seven_periods():
    found = estimate(0, 0, step=COARSE)
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(-math.log(0.025) * COARSE, rel=1e-3)


def test_a_higher_confidence_gives_a_wider_interval():
    narrow, wide = estimate(10, 10, 0.9), estimate(10, 10, 0.99)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_the_counts_behind_a_profile_are_found_again():
    for period in (1, FINE, COARSE):
        for size in (8, 48, 4096, 70_000, 1 << 20, 40 << 20):
            for noted in (1, 2, 7, 1000):
                (found,) = live(heap([sample("f", size, noted, period=period)], period)).values()
                assert found.noted == noted, (period, size)


def test_figures_are_those_of_the_profile_and_within_their_intervals():
    profile = read(HERE / "heap-after.pb.gz")
    for kind in ("inuse_space", "inuse_objects", "alloc_space", "alloc_objects"):
        found = live(profile, kind)
        assert {name: each.value for name, each in found.items()} == {
            row.name: row.flat for row in top(profile, kind) if row.flat
        }
        assert all(each.low <= each.value <= each.high for each in found.values())
    by_cum = live(profile, places=anywhere(functions))
    assert {name: each.value for name, each in by_cum.items()} == {row.name: row.cum for row in top(profile) if row.cum}


def test_the_true_content_of_a_real_program_is_within_the_intervals():
    """3000 entries of 4 KiB; 3400 records of 4 KiB and 3 of 3 MiB, of which 3000 and the 3 came in between."""
    before, after = read(HERE / "heap-before.pb.gz"), read(HERE / "heap-after.pb.gz")
    found = {name.rpartition(".")[2]: each for name, each in live(after).items()}
    assert found["newEntry"].low < 3000 * 4096 < found["newEntry"].high
    assert found["record"].low < 3400 * 4096 + 3 * (3 << 20) < found["record"].high
    grown = {each.place.rpartition(".")[2]: each for each in growth(before, after)}
    assert grown["record"].low < 3000 * 4096 + 3 * (3 << 20) < grown["record"].high
    assert [name for name, each in grown.items() if each.significant] == ["record"]
    assert grown["newEntry"].born > 100 < grown["newEntry"].died


def test_growth_is_that_of_the_difference():
    before, after = read(HERE / "heap-before.pb.gz"), read(HERE / "heap-after.pb.gz")
    for kind in ("inuse_space", "inuse_objects", "alloc_space"):
        rows = {row.name: row.flat for row in top(difference(after, before), kind) if row.flat}
        assert {each.place: each.value for each in growth(before, after, kind) if each.value} == rows


def test_stacks_that_look_the_same_are_added_up():
    found = one([sample("f", 4096, 30), sample("f", 4096, 40)], [sample("f", 4096, 45), sample("f", 4096, 40)])
    assert (found.born, found.died) == (15, 0)


def test_a_large_object_is_nearly_certain():
    small = live(heap([sample("f", 512, 40)]))["f"]
    large = live(heap([sample("f", 4 << 20, 5)]))["f"]
    assert (small.high - small.low) / small.value > 0.5
    assert large.low >= 5 * (4 << 20)
    assert (large.high - large.low) / large.value < 0.15


def test_with_every_allocation_noted_there_is_no_doubt():
    found = live(heap([sample("f", 512, 40, period=1)], period=1))["f"]
    assert (found.low, found.value, found.high) == (20480, 20480, 20480)
    grown = one([sample("f", 512, 40, period=1)], [sample("f", 512, 41, period=1)], period=1)
    assert (grown.low, grown.value, grown.high, grown.significant) == (512, 512, 512, True)


def test_a_cache_that_nobody_touches_has_no_error():
    still = [sample("f", 4096, 100)]
    found = one(still, still)
    assert (found.value, found.born, found.died, found.chance) == (0, 0, 0, 1.0)
    assert found.high < 4 * COARSE


def test_only_what_was_born_or_died_in_between_counts():
    leak = one([sample("f", 4096, 100)], [sample("f", 4096, 120)])
    assert (leak.born, leak.died, leak.significant) == (20, 0, True)
    busy = one([sample("f", 4096, 100, 100)], [sample("f", 4096, 120, 220)])
    assert (busy.born, busy.died, busy.significant) == (120, 100, False)
    assert busy.value == leak.value
    assert busy.low < 0 < leak.low


def test_what_passes_by_hides_at_most_what_lived_before():
    found = one([sample("f", 4096, 3, 3)], [sample("f", 4096, 30, 100_000)])
    assert (found.born, found.died) == (30, 3)


def test_after_a_restart_nothing_is_left_of_before():
    found = one([sample("f", 4096, 100, 5000)], [sample("f", 4096, 20, 30)])
    assert (found.born, found.died) == (20, 100)


@pytest.mark.parametrize(("born", "died"), [(5, 0), (12, 0), (30, 10), (200, 150)])
def test_the_chance_is_never_understated(born, died):
    """By the exact binomial distribution of so many signs."""
    found = one([sample("f", 48, died, died)], [sample("f", 48, born, died + born)])
    count = born + died
    exact = sum(math.comb(count, births) for births in range(born, count + 1)) / 2**count
    assert exact <= found.chance * 1.000001
    assert found.chance <= min(1.0, 12 * exact)


def test_few_large_objects_are_growth_but_not_one():
    assert not one([], [sample("f", 2 << 20, 1)]).chance < 0.01
    assert one([], [sample("f", 2 << 20, 5)]).significant


@pytest.mark.parametrize("size", [600 * KIB, 1 << 20, 3 << 20])
def test_the_chance_of_large_objects_is_never_understated(size):
    """All of a few are replaced, again and again."""
    source = random.Random(size)
    limits = (0.3, 0.1, 0.03, 0.01)
    below = dict.fromkeys(limits, 0)
    runs = 3000
    for _run in range(runs):
        before, after = captures(source, [Objects("f", 6, size, 1.0)], COARSE, 1)
        (found,) = growth(before, after) or [None]
        for limit in limits:
            below[limit] += found is not None and found.chance <= limit
    for limit in limits:
        assert below[limit] <= limit * runs + 3 * math.sqrt(limit * runs)


def test_more_places_take_more_evidence():
    grown = [sample("leak", 48, 8)]
    assert one([], grown).significant
    busy = [sample(f"busy{index}", 48, 20) for index in range(40)]
    later = [sample(f"busy{index}", 48, 20, 40) for index in range(40)]
    found = {each.place: each for each in growth(heap(busy), heap([*later, *grown]))}
    assert not found["leak"].significant
    still = {each.place: each for each in growth(heap(busy), heap([*busy, *grown]))}
    assert still["leak"].significant


@pytest.mark.parametrize("period", [COARSE, FINE])
def test_constant_caches_raise_no_alarm(period):
    source = random.Random(period)
    alarms = [leaks(captures(source, made.manager(), period, 4)) for _run in range(RUNS)]
    assert sum(map(bool, alarms)) <= 3
    alarms_of_two = 0
    for _run in range(RUNS):
        before, after = captures(source, made.manager(), period, 1)
        alarms_of_two += any(each.significant for each in growth(before, after))
    assert alarms_of_two <= 3


def found_leaks(leak, period, runs=RUNS, *, kept=0, size=1000, rounds=4):
    """Beside ``kept`` objects of the same function, all of which are replaced in each round."""
    source, found = random.Random(leak), 0
    for _run in range(runs):
        leaking = Objects("leaking", kept, size, 1.0 if kept else 0.0)
        program = [*made.manager(), leaking]
        seen = leaks(captures(source, program, period, rounds, leaking, leak // (rounds * size)))
        found += any(each.place == "leaking" for each in seen)
    return found / runs


def test_the_smallest_leak_is_found_as_often_as_is_said():
    assert found_leaks(math.ceil(smallest(FINE)), FINE) >= 0.92
    assert found_leaks(int(smallest(FINE) / 4), FINE) < 0.5
    assert found_leaks(100_000, COARSE) == 0


def test_a_leak_hides_where_the_same_function_replaces_what_it_holds():
    """So smallest() holds for a function that replaces nothing else."""
    assert found_leaks(math.ceil(smallest(FINE)), FINE, 40, kept=4000) < 0.5


# Three rounds of 50 services, each of which leaves one object: what docs/profiles.md says of it.
@pytest.mark.parametrize(
    ("size", "period", "least", "most"),
    [(64, FINE, 0, 0.05), (256, FINE, 0, 0.5), (512, FINE, 0.8, 1), (1024, FINE, 1, 1), (4096, COARSE, 0, 0.02)],
)
def test_from_which_size_on_one_object_per_service_is_found(size, period, least, most):
    assert least <= found_leaks(150 * size, period, 60, size=size, rounds=3) <= most


def test_the_rate_that_is_proposed_finds_a_leak_of_100_kb():
    assert smallest(4096) < 100_000 < smallest(8192)
    assert smallest(COARSE) == pytest.approx(10.7e6, rel=0.01)


def test_a_cache_that_fills_once_is_no_leak():
    filled = [heap([sample("f", 4096, count)], time=index) for index, count in enumerate((10, 60, 100, 99, 101))]
    assert growth(filled[0], filled[-1])[0].significant
    assert not leaks(filled)
    leaking = [heap([sample("f", 4096, count)], time=index) for index, count in enumerate((10, 30, 50, 70, 100))]
    assert [each.place for each in leaks(leaking)] == ["f"]
    assert leaks(leaking)[0].per(45).value == pytest.approx(leaks(leaking)[0].value / 45)


def test_a_shrinking_place_is_not_growing():
    found = one([sample("f", 4096, 100)], [sample("f", 4096, 10)])
    assert found.value < 0
    assert found.high < 0
    assert (found.chance, found.significant) == (1.0, False)


def test_wrong_profiles_are_named():
    cpu, before = read(HERE / "cpu.pb.gz"), read(HERE / "heap-before.pb.gz")
    with pytest.raises(ProfileError, match="for heap profiles; this one holds samples, cpu"):
        live(cpu)
    with pytest.raises(ProfileError, match="sampled every 16384 bytes, the other every 4096: run both"):
        growth(before, before._replace(period=4096))
    with pytest.raises(ProfileError, match="two captures"):
        leaks([before])


def test_a_sample_without_the_size_of_its_objects_still_counts():
    values = scaled(40, 4096, COARSE) * 2
    (found,) = live(heap([Sample((place("f"),), values, ())])).values()
    assert found.noted == pytest.approx(40, abs=1)


def test_quantiles_of_small_and_large_shapes_meet():
    below, above = sampling._gamma(0.975, 49.999), sampling._gamma(0.975, 50.001)
    assert above == pytest.approx(below, rel=1e-3)
