# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.warren.load.plugins.module_utils.pprof.profile import Frame, Sample
from ansible_collections.warren.load.plugins.module_utils.pprof.reading import read
from ansible_collections.warren.load.plugins.module_utils.pprof.remarks import (
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
    first, second = of_cpu(CPU, known=known)
    assert first == (
        "profile-cpu",
        "scheduler.(*Scheduler).schedule holds 66 % of CPU (52 to 78 %, 47 samples), 57 % in json.Unmarshal.",
        "it decodes every container once per service",
    )
    assert second.sentence == "scheduler.fib holds 30 % of CPU (19 to 44 %, 47 samples)."
    assert not second.because
    (whole,) = of_cpu(CPU, ours="^main[.]")
    assert whole.sentence.startswith("main.cpu holds 96 % of CPU")
    assert whole.sentence.endswith("96 % in scheduler.(*Scheduler).Tick.")


def test_what_few_samples_saw_is_not_told():
    most, rare = (Sample((made.place(f"example.org/{name}.Run"),), (1, 10**7), ()) for name in ("most", "rare"))
    found = list(of_cpu(CPU._replace(samples=(most,) * 30 + (rare,) * 3)))
    assert [remark.sentence for remark in found] == ["most.Run holds 91 % of CPU (76 to 97 %, 33 samples)."]
    assert len(list(of_cpu(CPU._replace(samples=(most,) * 300 + (rare,) * 30)))) == 2
    assert not list(of_cpu(CPU._replace(samples=())))


def test_what_holds_the_heap_with_its_error():
    sentences = [remark.sentence for remark in of_heap(AFTER)]
    assert sentences == [
        "store.record holds 21.9 MB (21.1 MB to 22.8 MB) of 34 MB of the heap.",
        "store.newEntry holds 11.7 MB (10.9 MB to 12.5 MB) of 34 MB of the heap.",
    ]


def test_growth_is_told_with_its_error_and_for_each_service():
    (remark,) = of_growth([BEFORE, AFTER], 1000, known=[("record", "nobody removes records")])
    assert remark == (
        "profile-growth",
        "store.record holds 20.6 MB more than before (19.8 MB to 21.4 MB), "
        "21.1 KB (20.3 KB to 21.9 KB) for each of 1000 services.",
        "nobody removes records",
    )
    (alone,) = of_growth([BEFORE, AFTER])
    assert alone.sentence.endswith("(19.8 MB to 21.4 MB).")


def test_growth_to_the_end_is_told_of_three_captures():
    half = AFTER._replace(samples=BEFORE.samples)
    (remark,) = of_growth([BEFORE, half, AFTER])
    assert remark.sentence.endswith(", and grew to the end.")
    (stopped,) = of_growth([BEFORE, AFTER, AFTER])
    assert stopped.id == "profile-no-growth"


def test_where_nothing_grew_it_is_told_what_would_have_been_seen():
    (remark,) = of_growth([AFTER, AFTER])
    assert remark.id == "profile-no-growth"
    assert "a leak of 328 KB in one function would have been seen in 95 of 100 runs" in remark.sentence
    assert "once in 16 KB; GODEBUG=memprofilerate" in remark.because


def test_goroutines_that_came_are_counted():
    none = GOROUTINES._replace(samples=())
    assert [remark.sentence for remark in of_goroutines(none, GOROUTINES, known=[("wait", "they wait")])] == [
        "47 goroutines more than before are in main.wait (47 now, 0 before; begun as pprof.Do).",
        "25 goroutines more than before are in main.wait (25 now, 0 before; begun as main.goroutines.func2).",
    ]
    assert not list(of_goroutines(GOROUTINES, GOROUTINES))
    assert not list(of_goroutines(GOROUTINES, none))
    assert len(list(of_goroutines(none, GOROUTINES, least=40))) == 1


@pytest.mark.parametrize(
    ("count", "total", "low", "high"), [(0, 0, 0, 1), (0, 10, 0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1)]
)
def test_shares_have_wilsons_interval(count, total, low, high):
    assert share(count, total) == pytest.approx((low, high), abs=1e-4)
