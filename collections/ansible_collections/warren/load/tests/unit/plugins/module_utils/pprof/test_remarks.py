# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random

import pytest

from ansible_collections.warren.load.plugins.module_utils.pprof import remarks
from ansible_collections.warren.load.plugins.module_utils.pprof.profile import Frame, Sample
from ansible_collections.warren.load.plugins.module_utils.pprof.reading import read
from ansible_collections.warren.load.plugins.module_utils.pprof.remarks import (
    nothing_grew,
    of_cpu,
    of_goroutines,
    of_growth,
    of_heap,
    place,
    share,
)
from ansible_collections.warren.load.tests.unit.fixtures.pprof import made
from ansible_collections.warren.load.tests.unit.fixtures.pprof.record import HERE

BEFORE, AFTER, CPU, GOROUTINES = (
    read(HERE / f"{name}.pb.gz") for name in ("heap-before", "heap-after", "cpu", "goroutine")
)


def stack(*functions):
    return tuple(Frame(name, "", 1, 1) for name in functions)


def test_what_libraries_take_is_put_down_to_who_asked():
    called = stack(
        "runtime.mallocgc", "encoding/json.Unmarshal", "go.etcd.io/bbolt.Open", "example.org/a.Run", "main.main"
    )
    assert place(called) == "go.etcd.io/bbolt.Open"
    assert place(called, r"^example\.org/") == "example.org/a.Run"
    assert place(called, "nowhere") == "go.etcd.io/bbolt.Open"
    assert place(stack("runtime.scanobject", "runtime.gcBgMarkWorker")) == "runtime.gcBgMarkWorker"
    assert place(()) == "<unknown>"


def test_who_holds_the_cpu():
    known = [("nothing", "wrong"), ("json", "it decodes every container once per service")]
    first, second = of_cpu({"m1": CPU}, known=known)
    assert first == (
        "profile-cpu",
        "scheduler.(*Scheduler).schedule holds 66 % of the CPU of m1 (52 to 78 %), most of it in json.Unmarshal.",
        "it decodes every container once per service",
    )
    assert second.sentence == "scheduler.fib holds 30 % of the CPU of m1 (19 to 44 %)."
    assert not second.because
    (whole,) = of_cpu({"m1": CPU}, ours="^main[.]")
    assert whole.sentence == (
        "main.cpu holds 96 % of the CPU of m1 (86 to 99 %), most of it in scheduler.(*Scheduler).Tick."
    )


def test_a_function_has_one_sentence_however_many_processes_run_it():
    half = CPU._replace(samples=(*CPU.samples, Sample((made.place("example.org/other.Run"),), (60, 6 * 10**8), ())))
    sentences = [remark.sentence for remark in of_cpu({"m1": half, "m2": CPU})]
    assert sentences[0].startswith(
        "scheduler.(*Scheduler).schedule holds 66 % of the CPU of m2 (52 to 78 %) and 29 % of m1 (21 to 38 %), most"
    )
    assert sentences[1] == "other.Run holds 56 % of the CPU of m1 (47 to 65 %)."
    many = [remark.sentence for remark in of_cpu({f"m{number}": CPU for number in range(5)})]
    assert many[0].startswith(
        "scheduler.(*Scheduler).schedule holds up to 66 % of the CPU of 5 processes, the most of m0 (52 to 78 %), most"
    )


def test_of_an_idle_process_nothing_is_said():
    used = sum(sample.values[1] for sample in CPU.samples)
    assert not list(of_cpu({"m1": CPU._replace(duration=100 * used)}))
    assert list(of_cpu({"m1": CPU._replace(duration=10 * used)}))


def test_a_method_of_the_same_name_is_no_explanation():
    called = (made.place("example.org/store.(*Store).List"), made.place("example.org/api.(*Server).List"))
    (remark,) = of_cpu({"m1": CPU._replace(samples=(Sample(called, (90, 9 * 10**8), ()),))}, ours="api")
    assert remark.sentence == "api.(*Server).List holds 100 % of the CPU of m1 (96 to 100 %)."


def test_what_few_samples_saw_is_not_told():
    most, rare = (Sample((made.place(f"example.org/{name}.Run"),), (1, 10**7), ()) for name in ("most", "rare"))
    busy = CPU._replace(duration=10**9)
    found = list(of_cpu({"m1": busy._replace(samples=(most,) * 30 + (rare,) * 3)}))
    assert [remark.sentence for remark in found] == ["most.Run holds 91 % of the CPU of m1 (76 to 97 %)."]
    assert len(list(of_cpu({"m1": busy._replace(samples=(most,) * 300 + (rare,) * 30)}))) == 2
    assert not list(of_cpu({"m1": busy._replace(samples=())}))


def test_what_holds_the_heap_with_its_error():
    sentences = [remark.sentence for remark in of_heap({"m1": AFTER})]
    assert sentences == [
        "store.record holds 21.9 MB of the heap of m1 (21.1 MB to 22.8 MB of 34 MB).",
        "store.newEntry holds 11.7 MB of the heap of m1 (10.9 MB to 12.5 MB of 34 MB).",
    ]
    both = [remark.sentence for remark in of_heap({"m1": BEFORE, "m2": AFTER})]
    assert both[1].startswith("store.newEntry holds 11.")
    assert " and 11." in both[1]
    four = [remark.sentence for remark in of_heap(dict.fromkeys("abcd", AFTER))]
    assert four[0].endswith("of 34 MB), and some of 1 process more.")


def test_what_holds_little_of_the_heap_is_not_told(monkeypatch):
    assert len(list(of_heap({"m1": AFTER}))) == 2
    monkeypatch.setattr(remarks, "HELD", 15 << 20)
    assert len(list(of_heap({"m1": AFTER}))) == 1


def test_growth_is_told_with_its_error_and_for_each_service():
    (remark,) = of_growth([BEFORE, AFTER], 1000, known=[("record", "nobody removes records")])
    assert remark == (
        "profile-growth",
        "store.record holds 20.6 MB more than before (19.8 MB to 21.4 MB), "
        "21.1 KB (20.3 KB to 21.9 KB) for each of 1000 services.",
        "nobody removes records",
    )
    (alone,) = of_growth([BEFORE, AFTER], process="m1")
    assert alone.sentence == "store.record of m1 holds 20.6 MB more than before (19.8 MB to 21.4 MB)."


def test_growth_to_the_end_is_told_of_three_captures():
    half = AFTER._replace(samples=BEFORE.samples)
    (remark,) = of_growth([BEFORE, half, AFTER])
    assert remark.sentence.endswith(", and grew to the end.")
    (stopped,) = of_growth([BEFORE, AFTER, AFTER])
    assert stopped.id == "profile-no-growth"


def test_where_nothing_grew_it_is_told_what_would_have_been_seen():
    (remark,) = of_growth([AFTER, AFTER])
    assert remark.id == "profile-no-growth"
    assert (
        "a leak of 328 KB in a function that replaces nothing else would have been seen in 95 of 100 runs"
        in remark.sentence
    )
    assert remark.because.startswith("One object in 16 KB is noted there; ")
    assert "GODEBUG=memprofilerate=4096" in remark.because
    fine = AFTER._replace(period=4096)
    assert not nothing_grew({"m1": [fine, fine]}).because


def test_processes_in_which_nothing_grew_share_a_sentence():
    remark = nothing_grew({"m2": [AFTER, AFTER], "m1": [AFTER, AFTER]})
    assert remark.sentence.startswith("Nothing in the heap of m1 and m2 grew by more than chance; a leak of 328 KB in")
    assert nothing_grew({f"m{number}": [AFTER] * 2 for number in range(9)}).sentence.startswith(
        "Nothing in the heap of 9 processes grew"
    )


def test_a_cache_that_another_function_fills_now_is_told_as_moved():
    def cache(function, count):
        values = made.scaled(40, 512 << 10, 512 << 10) + made.scaled(count, 512 << 10, 512 << 10)
        return Sample((made.place(f"example.org/fsm.{function}"),), values, (("bytes", 512 << 10, ""),))

    before = made.heap([cache("restore", 40), cache("apply", 0)._replace(values=(0, 0, 0, 0))])
    moved = made.heap([cache("restore", 0), cache("apply", 40)])
    (remark,) = of_growth([before, moved])
    assert remark.sentence.startswith("fsm.apply holds 31.6 MB more than before (")
    assert remark.sentence.endswith("), while fsm.restore holds 31.6 MB less: it may have moved.")
    (grown,) = of_growth([before, made.heap([cache("restore", 40), cache("apply", 40)])])
    assert "less" not in grown.sentence


def test_a_leak_of_an_object_per_service_is_named():
    leaking = made.Objects("example.org/fsm.keep", 0, made.KIB)
    program = [*made.manager(), leaking]
    (remark,) = of_growth(made.captures(random.Random(7), program, 4 * made.KIB, 3, leaking, 50), 150)
    assert remark.sentence.startswith("fsm.keep holds ")
    assert " for each of 150 services" in remark.sentence


def test_goroutines_that_came_are_counted():
    none = GOROUTINES._replace(samples=())
    assert [remark.sentence for remark in of_goroutines([none, GOROUTINES], known=[("wait", "they wait")])] == [
        "47 goroutines more than before are in main.wait (47 now, 0 before; begun as pprof.Do).",
        "25 goroutines more than before are in main.wait (25 now, 0 before; begun as main.goroutines.func2).",
    ]
    assert not list(of_goroutines([GOROUTINES, GOROUTINES]))
    assert not list(of_goroutines([GOROUTINES, none]))
    (most,) = of_goroutines([none, GOROUTINES], least=40, process="m1")
    assert most.sentence.startswith("47 goroutines of m1 more than before are in main.wait")


def waiting(*counts):
    """A capture at which so many goroutines wait, each number in a function of its own."""
    places = enumerate(counts)
    samples = (Sample((made.place(f"example.org/w.Wait{at}"),), (count,), ()) for at, count in places if count)
    return GOROUTINES._replace(samples=tuple(samples))


def test_goroutines_of_each_service_are_told():
    pair = [waiting(3, 20), waiting(9, 20)]
    assert not list(of_goroutines(pair))
    (one,) = of_goroutines(pair, services=3, process="worker-1")
    assert one.sentence == (
        "6 goroutines of worker-1 more than before are in w.Wait0 (9 now, 3 before), 2 for each of 3 services."
    )
    assert not list(of_goroutines(pair, services=50))
    rounds = [waiting(2 + 150 * at + (at == 1)) for at in range(4)]
    (several,) = of_goroutines(rounds, services=150)
    assert several.sentence.endswith("(452 now, 2 before), 3 (2.98 to 3.02) for each of 150 services.")


def test_few_goroutines_that_came_in_each_round_are_a_leak():
    growing = [waiting(1 + at, 4) for at in range(4)]
    (told,) = of_goroutines(growing, services=150)
    assert told.sentence.startswith(
        "3 goroutines more than before are in w.Wait0 (4 now, 1 before), 0.02 (0.02 to 0.02)"
    )
    assert not list(of_goroutines([*growing[:2], *growing[1:3], growing[3]], services=150))
    # Of two rounds it may be chance.
    assert not list(of_goroutines(growing[:3], services=150))
    (single,) = of_goroutines([waiting(0), waiting(1)], services=1)
    assert single.sentence == "1 goroutine more than before is in w.Wait0 (1 now, 0 before), 1 for each of 1 service."


def test_growth_is_told_for_each_service_or_hour():
    (found, *_rest) = of_growth([BEFORE, AFTER], 50, hours=2.0)
    assert " for each of 50 services." in found.sentence
    (found, *_rest) = of_growth([BEFORE, AFTER], hours=2.0)
    assert found.sentence.endswith(" an hour.")
    assert "service" not in found.sentence


@pytest.mark.parametrize(
    ("count", "total", "low", "high"), [(0, 0, 0, 1), (0, 10, 0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1)]
)
def test_shares_have_wilsons_interval(count, total, low, high):
    assert share(count, total) == pytest.approx((low, high), abs=1e-4)
