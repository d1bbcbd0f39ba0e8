# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import gzip
import random

import hypothesis
import hypothesis.strategies as st
import pytest

from ansible_collections.warren.load.plugins.module_utils.pprof import reading
from ansible_collections.warren.load.plugins.module_utils.pprof.profile import (
    Frame,
    Location,
    Profile,
    ProfileError,
    Sample,
    ValueType,
)
from ansible_collections.warren.load.plugins.module_utils.pprof.reading import parse, read
from ansible_collections.warren.load.tests.unit.fixtures.pprof import made
from ansible_collections.warren.load.tests.unit.fixtures.pprof.made import field, heap, place, repeated
from ansible_collections.warren.load.tests.unit.fixtures.pprof.record import HERE

RECORDED = sorted(HERE.glob("*.pb.gz"))
HEAP = HERE / "heap-after.pb.gz"
TREE = (
    Location(9, None, "", (Frame("a.inlined", "a.go", 3, 1), Frame("a.caller", "a.go", 9, 7))),
    Location(70_000, None, "", (Frame("main.main", "main.go", 1200, 1000),)),
)


def without_mapping(profile):
    """The encoder puts all places into one program."""
    samples = []
    for sample in profile.samples:
        assert {location.file for location in sample.stack} <= {"/usr/local/bin/warren"}
        stack = tuple(location._replace(mapping=None, file="") for location in sample.stack)
        samples.append(sample._replace(stack=stack))
    return profile._replace(samples=tuple(samples))


def test_what_was_written_is_read():
    samples = [
        Sample(TREE, (5, 20480, 2, 8192), (("bytes", 4096, ""),)),
        Sample(TREE[1:], (-5, -20480, 0, 1 << 62), (("service", "web", ""), ("tries", 3, "count"))),
        Sample(TREE * 90, (0, 0, 1, 127), ()),
        Sample((), (1, 2, 3, 4), ()),
    ]
    written = heap(samples, period=4096, time=1_790_000_000_123_456_789)
    assert without_mapping(parse(made.encoded(written))) == written
    assert without_mapping(parse(made.encoded(written, packed=False))) == written


def test_profiles_with_few_values_are_read():
    """Go writes up to two numbers one by one."""
    types = (ValueType("samples", "count"), ValueType("cpu", "nanoseconds"))
    samples = (Sample(TREE, (3, 30_000_000), ()), Sample(TREE[:1], (0, -1), ()))
    written = Profile(types, "", samples, ValueType("cpu", "nanoseconds"), 10**7, 5, 0, "", "", (3, 30_000_001))
    assert without_mapping(parse(made.encoded(written))) == written


def test_fields_may_come_in_any_order_and_unknown_ones_are_passed_over():
    unknown = field(90, b"future") + made.number(91 << 3 | 1) + bytes(8) + made.number(92 << 3 | 5) + bytes(4)
    texts = ["", "space", "bytes", "main.main", "main.go"]
    line = field(2, 17) + field(1, 4)
    raw = (
        field(2, repeated(2, [7]) + unknown + repeated(1, [300]))
        + field(4, field(4, line + unknown) + field(3, 0x400123) + field(1, 300) + field(2, 2))
        + field(3, field(3, 0x500000) + field(2, 0x400000) + field(1, 2))
        + field(5, field(4, 4) + field(2, 3) + field(5, 16) + field(1, 4))
        + field(1, field(2, 2) + field(1, 1))
        + unknown
        + b"".join(field(6, text.encode()) for text in texts)
    )
    found = parse(raw)
    assert found.types == (ValueType("space", "bytes"),)
    (sample,) = found.samples
    assert sample.values == (7,)
    assert sample.stack == (Location(0x123, (0x100000, 0, ""), "", (Frame("main.main", "main.go", 17, 16),)),)


@pytest.mark.parametrize("number", range(1, 16))
def test_a_field_of_another_kind_is_passed_over(number):
    """As protobuf does: a text in place of a number, or the other way round."""
    raw = gzip.decompress(HEAP.read_bytes())
    wrong = field(number, b"text" if number in (7, 8, 9, 10, 12, 14) else 5)
    assert parse(raw + wrong) == parse(raw)


def test_a_location_is_read_by_its_fields_not_by_their_places():
    """As long as one of Go's, and in another order."""
    line = field(4, field(1, 1) + field(2, 5))
    swapped = broken(location=field(4, field(3, 0x400009) + field(1, 1) + field(5, 1) + line))
    (sample,) = parse(swapped).samples
    assert sample.stack == (Location(0x400009, None, "", (Frame("main.main", "", 5, 0),)),)
    # A line without its number, and the mapping once more: the last one counts.
    mappings = b"".join(field(3, field(1, number) + field(2, number)) for number in (1, 5))
    numbers = field(1, 1) + field(2, 1) + field(3, 9)
    odd = broken(location=mappings + field(4, numbers + field(4, field(1, 1)) + field(2, 5)))
    (sample,) = parse(odd).samples
    assert (sample.stack[0].address, sample.stack[0].frames[0].line) == (4, 0)


def test_a_stack_of_any_length_is_read():
    places = tuple(place(f"f{number}") for number in range(1, 19))
    stacks = [places, *(places[:1] * length + places[17:] for length in (126, 127, 128, 300))]
    written = heap(Sample(stack, (1, 2, 3, 4), ()) for stack in stacks)
    assert without_mapping(parse(made.encoded(written))) == written


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("main.main", "main.main"),
        ("store.(*Store).Get", "store.(*Store).Get"),
        ("sync.OnceValue[go.shape.func(*json.Encoder)]", "sync.OnceValue[go.shape.func]"),
        ("a.(*List[go.shape.func(int)]).Keep", "a.(*List[go.shape.func(int)]).Keep"),
        ("a.Send[go.shape.<-chan func(int)]", "a.Send[go.shape.<-chan func(int)]"),
        ("std::vector<int, f(x)>::push(int)", "std::vector::push"),
        ("a::b(c(d))e)f((g))", "a::be)f((g))"),
    ],
)
def test_names_are_those_that_pprof_shows(name, shown):
    found = heap([Sample((place(name),), (1, 1, 1, 1), ())])
    assert parse(made.encoded(found)).samples[0].stack[0].frames[0].function == shown


@pytest.mark.parametrize("file", RECORDED, ids=[file.name for file in RECORDED])
def test_a_profile_of_go_is_read_in_whole(file):
    found = read(file)
    assert found.samples
    assert found.period
    assert found.time
    assert all(sample.stack and all(place.frames for place in sample.stack) for sample in found.samples)
    assert {len(sample.values) for sample in found.samples} == {len(found.types)}


def test_the_rate_of_a_heap_is_its_period():
    found = read(HEAP)
    assert (found.period, found.period_type) == (16384, ValueType("space", "bytes"))
    assert found.types[found.column()].type == "inuse_space"
    assert read(HERE / "allocs.pb.gz").default == "alloc_space"


def sentence(data):
    with pytest.raises(ProfileError) as raised:
        parse(data, "heap.prof")
    text = str(raised.value)
    assert text.startswith("heap.prof ")
    assert text.endswith(".")
    assert "\n" not in text
    return text


@pytest.mark.parametrize("data", [b"", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_said_to_be_empty(data):
    assert sentence(data) == "heap.prof is empty: capture it again."


def test_a_file_that_is_cut_short_is_said_to_be_so():
    whole = HEAP.read_bytes()
    for end in (2, 9, 100, len(whole) // 2, len(whole) - 1):
        assert sentence(whole[:end]) == "heap.prof is cut short: capture it again."
    assert sentence(made.number(2 << 3 | 2) + made.number(100) + b"\x0a") == "heap.prof is cut short: capture it again."


def test_damaged_files_are_corrupt():
    whole = HEAP.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 255
    assert "corrupt, its compressed data are damaged" in sentence(bytes(flipped))
    assert "something follows the profile" in sentence(whole + whole)
    assert "corrupt, or no profile of a Go program" in sentence(gzip.compress(b"no protobuf at all"))
    assert "corrupt, or no profile of a Go program" in sentence(bytes(range(128, 256)))


@pytest.mark.parametrize(
    "text",
    [
        (HERE / "goroutine.txt").read_bytes(),
        b"heap profile: 1: 8 [2: 16] @ heap/1048576\n",
        b"goroutine 1 [running]:\nmain.main()\n",
        b"--- mutex:\ncycles/second=2000000000\n",
    ],
)
def test_a_profile_as_text_names_debug(text):
    assert "is a profile as text" in sentence(text)
    assert "without debug=" in sentence(text)


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html>", b"\n <html><head>404", b"<?xml version='1.0'?>"])
def test_a_page_is_no_profile(page):
    assert "is a web page" in sentence(page)


def test_what_a_listener_refuses_with_is_shown():
    assert "('404 page not found')" in sentence(b"404 page not found\n")
    text = b"Could not enable CPU profiling: cpu profiling already in use\n"
    assert "cpu profiling already in use" in sentence(text)


def test_what_is_larger_than_any_profile_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(reading, "LARGEST", 1 << 20)
    assert "unpacks to more than 1 MB" in sentence(gzip.compress(bytes(3 << 20)))


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(ProfileError, match=r"nothing\.prof cannot be read: No such file"):
        read(tmp_path / "nothing.prof")


def broken(**changes):
    parts = {
        "types": field(1, field(1, 1) + field(2, 2)),
        "sample": field(2, repeated(1, [1]) + repeated(2, [7])),
        "location": field(4, field(1, 1) + field(4, field(1, 1) + field(2, 5))),
        "function": field(5, field(1, 1) + field(2, 3)),
        "texts": b"".join(field(6, text) for text in (b"", b"space", b"bytes", b"main.main")),
    } | changes
    return b"".join(parts.values())


def test_references_that_lead_nowhere_are_corrupt():
    assert parse(broken()).samples
    for wrong in (
        {"location": b""},
        {"function": b""},
        {"texts": b""},
        {"types": b""},
        {"types": field(1, field(1, 9))},
        {"sample": field(2, repeated(1, [1]) + repeated(2, [7, 8]))},
        {"sample": field(2, repeated(1, [1]))},
        {"texts": b"".join(field(6, text) for text in (b"first", b"space", b"bytes", b"main.main"))},
        {"sample": b"\x14"},
        {"sample": field(2, field(1, b"\xff" * 40))},
    ):
        assert "corrupt" in sentence(broken(**wrong)), wrong


def test_a_number_without_an_end_is_not_read_for_ever():
    endless = b"\xff" * 40 + b"\x01"
    for wrong in ({"sample": field(2, field(1, endless))}, {"sample": b"\x12" + endless}):
        assert "number of more than 64 bits" in sentence(broken(**wrong))


@hypothesis.given(st.data())
@hypothesis.settings(max_examples=150)
def test_whatever_is_wrong_with_the_bytes_it_is_a_sentence(data):
    raw = bytearray(gzip.decompress((HERE / "goroutine.pb.gz").read_bytes()))
    for _change in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    for wrong in (bytes(raw), bytes(raw[:cut])):
        try:
            parse(wrong)
        except ProfileError as error:
            assert str(error).endswith(".")


def test_values_add_up_to_the_totals():
    found = heap([Sample((place("a"),), (1, -2, 3, 4), ()), Sample((place("b"),), (1, 2, 3, 4), ())])
    assert parse(made.encoded(found)).totals == (2, 4, 6, 8)


def test_a_large_profile_is_read_as_it_was_written():
    written = made.large(random.Random(2), 200)
    assert without_mapping(parse(made.encoded(written))) == written
