# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.warren.load.plugins.module_utils.pprof.profile import (
    Frame,
    Location,
    ProfileError,
    Sample,
    ValueType,
    difference,
    pruned,
    without,
)
from ansible_collections.warren.load.plugins.module_utils.pprof.reading import read
from ansible_collections.warren.load.plugins.module_utils.pprof.views import by_stack, origin, package, shortened
from ansible_collections.warren.load.tests.unit.fixtures.pprof.made import heap, place
from ansible_collections.warren.load.tests.unit.fixtures.pprof.record import HERE


def location(*functions):
    return Location(1, None, "", tuple(Frame(name, "", 1, 1) for name in functions))


def left_of(stack, drop, keep=""):
    """The functions that are left of a stack, which is given from the outermost on."""
    given = Sample(tuple(reversed(stack)), (1, 1, 1, 1), ())
    found = pruned(heap([given])._replace(drop=drop, keep=keep)).samples[0]
    return [frame.function for where in reversed(found.stack) for frame in reversed(where.frames)]


def test_uninteresting_frames_go_with_what_they_call():
    stack = [location("main"), location("work"), location("malloc"), location("sysmalloc")]
    assert left_of(stack, "malloc") == ["main", "work"]
    assert left_of(stack, "malloc|work", keep="work") == ["main", "work"]
    assert left_of(stack, "mall") == ["main", "work", "malloc", "sysmalloc"]
    assert left_of(stack, "") == ["main", "work", "malloc", "sysmalloc"]


def test_frames_above_the_first_of_the_user_stay():
    assert left_of([location("start"), location("main"), location("start")], "start") == ["start", "main"]
    assert left_of([location("start")], "start") == ["start"]


def test_an_inlined_uninteresting_frame_goes_alone_with_what_lies_in_it():
    stack = [location("main"), location("deep", "malloc", "caller"), location("below")]
    assert left_of(stack, "malloc") == ["main", "caller"]


def test_arguments_are_no_part_of_a_name_that_is_dropped():
    assert left_of([location("main"), location("operator()(int)")], r"operator\(\)") == ["main"]
    assert left_of([location("main"), location("f(int)")], "f") == ["main"]


@pytest.mark.parametrize("wrong", ["drop", "keep"])
def test_a_profile_with_a_wrong_expression_is_told(wrong):
    found = heap([Sample((place("f"),), (1, 1, 1, 1), ())])._replace(drop="f", keep="g")
    found = found._replace(drop="(") if wrong == "drop" else found._replace(keep="(")
    with pytest.raises(ProfileError, match="no regular expression"):
        pruned(found)


def test_the_whole_stays_what_shares_are_of():
    found = read(HERE / "heap-after.pb.gz")
    some = without(found, r"store\.Leak")
    assert 0 < len(some.samples) < len(found.samples)
    assert some.totals == found.totals
    assert without(found, "nowhere") == found
    assert 0 < len(without(found, "store/store.go").samples) < len(found.samples)
    with pytest.raises(ProfileError, match="no regular expression"):
        without(found, "(")


def test_types_are_found_by_name():
    found = read(HERE / "heap-after.pb.gz")
    assert [found.column(name) for name in ("alloc_objects", "alloc_space", "inuse_objects", "")] == [0, 1, 2, 3]
    assert found._replace(default="alloc_space").column() == 1
    old = found._replace(types=(ValueType("objects", "count"), ValueType("space", "bytes")))
    assert old.column("inuse_space") == 1
    with pytest.raises(ProfileError, match=r"no cpu: it has alloc_objects, alloc_space, inuse_objects, inuse_space\."):
        found.column("cpu")


def test_profiles_of_two_kinds_have_no_difference():
    with pytest.raises(ProfileError, match="samples, cpu cannot be the base of one of alloc_objects"):
        difference(read(HERE / "heap-after.pb.gz"), read(HERE / "cpu.pb.gz"))


def test_a_profile_less_itself_is_empty():
    found = read(HERE / "heap-after.pb.gz")
    nothing = difference(found, found)
    assert (nothing.samples, nothing.totals) == ((), (0, 0, 0, 0))
    of_base = difference(found, found, of_base=True)
    assert of_base.totals == found.totals


def test_goroutines_are_grouped_by_stack_and_labels():
    groups = by_stack(read(HERE / "goroutine.pb.gz"))
    assert [group.value for group in groups] == [40, 25, 7, 1]
    assert [{key: value for key, value, _unit in group.labels}.get("service") for group in groups[:3]] == [
        "web",
        None,
        "db",
    ]
    assert [frame.function for frame in groups[1].stack] == [
        "runtime.gopark",
        "runtime.chanrecv",
        "runtime.chanrecv1",
        "main.wait",
        "main.goroutines.func2",
    ]
    assert (groups[0].stack[3].file, groups[0].stack[3].line) == ("example.test/workload/main.go", 52)
    text = (HERE / "goroutine.txt").read_text(encoding="utf-8")
    assert sorted(group.value for group in groups) == sorted(
        int(line.split()[0]) for line in text.splitlines() if " @ 0x" in line
    )


@pytest.mark.parametrize(
    ("function", "home", "short", "whose"),
    [
        ("example.org/store.(*Store).Get", "example.org/store", "store.(*Store).Get", "own"),
        ("github.com/cuemby/warren/pkg/api.Run.func1", "github.com/cuemby/warren/pkg/api", "api.Run.func1", "own"),
        ("main.main", "main", "main.main", "own"),
        ("encoding/json.Unmarshal", "encoding/json", "json.Unmarshal", "library"),
        ("runtime.mallocgc", "runtime", "runtime.mallocgc", "runtime"),
        ("internal/runtime/maps.NewMap", "internal/runtime/maps", "maps.NewMap", "runtime"),
        ("a.org/b.Keep[go.shape.struct { c.org/d.E }]", "a.org/b", "b.Keep[go.shape.struct { c.org/d.E }]", "own"),
        ("sync.(*Map[go.shape.*a.org/b.C]).Load", "sync", "sync.(*Map[go.shape.*a.org/b.C]).Load", "library"),
        ("memeqbody", "memeqbody", "memeqbody", "runtime"),
        (
            "github.com/hashicorp/go-hclog.(*intLogger).Log",
            "github.com/hashicorp/go-hclog",
            "go-hclog.(*intLogger).Log",
            "own",
        ),
        (
            "github.com/armon/go-metrics.(*Metrics).Sample",
            "github.com/armon/go-metrics",
            "go-metrics.(*Metrics).Sample",
            "own",
        ),
        (
            "github.com/hashicorp/go-immutable-radix.(*Txn[go.shape.*a.org/b.C]).Insert",
            "github.com/hashicorp/go-immutable-radix",
            "go-immutable-radix.(*Txn[go.shape.*a.org/b.C]).Insert",
            "own",
        ),
        ("gopkg.in/yaml%2ev3.(*decoder).unmarshal", "gopkg.in/yaml.v3", "yaml%2ev3.(*decoder).unmarshal", "own"),
        ("std::vector::push", "std", "std::vector::push", "runtime"),
        ("google.golang.org/grpc.(*Server).Serve", "google.golang.org/grpc", "grpc.(*Server).Serve", "own"),
    ],
)
def test_functions_tell_their_package_and_whose_they_are(function, home, short, whose):
    assert (package(function), shortened(function), origin(function)) == (home, short, whose)


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("bytes", 3_355_443, "3.2 MB"),
        ("bytes", -512, "-512 B"),
        ("bytes", 2 << 30, "2 GB"),
        ("nanoseconds", 41_000_000, "41 ms"),
        ("nanoseconds", 12, "12 ns"),
        ("count", 17, "17"),
    ],
)
def test_values_are_told_in_a_unit_that_fits(unit, value, text):
    assert ValueType("any", unit).text(value) == text
