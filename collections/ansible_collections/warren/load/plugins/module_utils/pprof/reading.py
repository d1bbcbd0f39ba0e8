# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads profiles as Go programs write them: gzip around the message of github.com/google/pprof's profile.proto.

Without generated code: every message but the profile and its samples consists of numbers alone, and these are read in
one go. Standard library only, Python 3.9 and newer.
"""

from __future__ import annotations

import re
import typing as t
import zlib
from pathlib import Path

from .profile import Frame, Label, Location, Profile, ProfileError, Sample, ValueType, pruned, totals

LARGEST = 512 << 20  # bytes, unpacked: a profile of a large program has 10 MB
GZIP = b"\x1f\x8b"
# How the texts begin that Go's listener gives for ?debug=1 and ?debug=2.
TEXTS = re.compile(rb"(goroutine|heap|threadcreate|allocs) profile: |--- (contention|mutex|heap)|goroutine \d+ \[")
TEMPLATE = re.compile(r"[<>\[\]]|::")
_tuple = tuple.__new__  # makes a named tuple in a third of the time
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class _Broken(Exception):
    """What is wrong with the bytes."""


class _Short(_Broken):
    """The bytes end too early."""


def read(path: Path) -> Profile:
    """The profile in a file; ProfileError says in a sentence why it cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ProfileError(f"{path} cannot be read: {error.strerror or error}.") from error
    return parse(data, str(path))


def parse(data: bytes, name: str = "the profile") -> Profile:
    """The profile in the bytes of a file, gzipped or not, without the frames that it says are uninteresting.

    ProfileError, which calls it ``name``, for whatever is no whole profile.
    """
    if not data:
        raise ProfileError(f"{name} is empty: capture it again.")
    if data[:2] == GZIP:
        data = _unpacked(data, name)
    else:
        _not_a_text(data, name)
    try:
        profile = _profile(data)
    except _Short as error:
        raise ProfileError(f"{name} is cut short: capture it again.") from error
    except (_Broken, UnicodeDecodeError) as error:
        raise ProfileError(f"{name} is corrupt, or no profile of a Go program ({error}): capture it again.") from error
    return pruned(profile)


def _unpacked(data: bytes, name: str) -> bytes:
    gzip = zlib.decompressobj(wbits=31)
    try:
        unpacked = gzip.decompress(data, LARGEST)
    except zlib.error as error:
        raise ProfileError(f"{name} is corrupt, its compressed data are damaged: capture it again.") from error
    if gzip.unconsumed_tail:
        raise ProfileError(f"{name} is no profile: it unpacks to more than {LARGEST >> 20} MB.")
    if not gzip.eof:
        raise ProfileError(f"{name} is cut short: capture it again.")
    if gzip.unused_data:
        raise ProfileError(f"{name} is corrupt, something follows the profile in it: capture it again.")
    if not unpacked:
        raise ProfileError(f"{name} is empty: capture it again.")
    return unpacked


def _not_a_text(data: bytes, name: str) -> None:
    """ProfileError for what a listener, or something in front of it, says instead of a profile."""
    begin = data[:512].lstrip()
    if TEXTS.match(begin):
        raise ProfileError(f"{name} is a profile as text, not as data: capture it without debug= in its address.")
    if begin.startswith(b"<"):
        raise ProfileError(f"{name} is a web page, no profile: the address is not that of Go's profiles.")
    first = begin.split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    if first and first.isprintable() and "\ufffd" not in first:
        raise ProfileError(f"{name} is a text, no profile ({first[:100]!r}): look at the address it was captured from.")


def _varints(data: bytes) -> list[int]:
    """All numbers in bytes that hold nothing else."""
    if data.isascii():
        return list(data)
    numbers: list[int] = []
    keep = numbers.append
    following = iter(data)
    for byte in following:
        if byte < 128:
            keep(byte)
            continue
        value = byte - 128
        shift = 7
        for more in following:
            if more < 128:
                keep(value | more << shift)
                break
            value |= more - 128 << shift
            shift += 7
            if shift > 63:
                raise _Broken("number of more than 64 bits")
        else:
            raise _Short
    return numbers


def _fields(data: bytes) -> list[tuple[int, int, t.Any]]:
    """The fields of a message: number, kind, and the number or the bytes in it."""
    fields: list[tuple[int, int, t.Any]] = []
    at, end = 0, len(data)
    try:
        while at < end:
            tag = data[at]
            at += 1
            if tag > 127:
                tag, at = _varint(data, at - 1)
            kind = tag & 7
            if kind in (VARINT, BYTES):
                value = data[at]
                at += 1
                if value > 127:
                    value, at = _varint(data, at - 1)
                if kind == VARINT:
                    fields.append((tag >> 3, kind, value))
                else:
                    fields.append((tag >> 3, kind, data[at : at + value]))
                    at += value
            elif kind in (FIXED64, FIXED32):
                at += 8 if kind == FIXED64 else 4
            else:
                raise _Broken(f"field of kind {kind}")
    except IndexError as error:
        raise _Short from error
    if at > end:
        raise _Short
    return fields


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins there, and where the next thing begins; IndexError if it has no end."""
    value = shift = 0
    while data[at] > 127:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if shift > 63:
            raise _Broken("number of more than 64 bits")
    return value | data[at] << shift, at + 1


def _numbers(data: bytes) -> dict[int, int]:
    """A message that holds only numbers, by the fields' numbers."""
    plain = _varints(data)
    tags = plain[::2]
    for tag in tags:
        if tag & 7:
            break
    else:
        if len(plain) == 2 * len(tags):
            return {tag >> 3: value for tag, value in zip(tags, plain[1::2])}
    return {number: value for number, kind, value in _fields(data) if kind == VARINT}


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _profile(data: bytes) -> Profile:
    """_Broken if a reference leads nowhere, or a sample has not one value for each type."""
    texts: list[str] = []
    raw_types, raw_samples, raw_mappings, raw_locations, raw_functions = [], [], [], [], []
    single: dict[int, int] = {}
    period: dict[int, int] = {}
    for number, kind, value in _fields(data):
        if kind == VARINT:
            single[number] = value
        elif number == 2:
            raw_samples.append(value)
        elif number == 4:
            raw_locations.append(value)
        elif number == 5:
            raw_functions.append(_numbers(value))
        elif number == 6:
            texts.append(value.decode("utf-8", "replace"))
        elif number == 3:
            raw_mappings.append(_numbers(value))
        elif number == 1:
            raw_types.append(_numbers(value))
        elif number == 11:
            period = _numbers(value)

    if not texts or texts[0]:
        raise _Broken("no table of texts")
    if not raw_types:
        raise _Broken("no types of values")
    try:
        types = tuple(ValueType(texts[raw.get(1, 0)], texts[raw.get(2, 0)]) for raw in raw_types)
        locations = _locations(raw_locations, raw_functions, raw_mappings, texts)
        samples = tuple(_samples(raw_samples, locations, texts, len(types)))
        return Profile(
            types=types,
            default=texts[single.get(14, 0)],
            samples=samples,
            period_type=ValueType(texts[period.get(1, 0)], texts[period.get(2, 0)]),
            period=_signed(single.get(12, 0)),
            time=_signed(single.get(9, 0)),
            duration=_signed(single.get(10, 0)),
            drop=texts[single.get(7, 0)],
            keep=texts[single.get(8, 0)],
            totals=totals(samples, len(types)),
        )
    except (IndexError, KeyError) as error:
        raise _Broken(f"a reference leads nowhere: {error}") from error


def _locations(
    raw_locations: list[bytes],
    raw_functions: list[dict[int, int]],
    raw_mappings: list[dict[int, int]],
    texts: list[str],
) -> dict[int, Location]:
    functions = {
        raw[1]: (_shown(texts[raw.get(2, 0)], texts[raw.get(3, 0)]), texts[raw.get(4, 0)], raw.get(5, 0))
        for raw in raw_functions
    }
    mappings = {raw[1]: _mapping(raw, texts) for raw in raw_mappings}
    locations = {}
    for raw in raw_locations:
        identity, mapping, address, lines = _parts(raw)
        begin, key, file = mappings[mapping] if mapping else (0, None, "")
        frames = []
        for number, line in lines:
            name, source, start = functions[number]
            frames.append(_tuple(Frame, (name, source, _signed(line), start)))
        locations[identity] = _tuple(Location, (address - begin, key, file, tuple(frames)))
    return locations


def _parts(raw: bytes) -> tuple[int, int, int, list[tuple[int, int]]]:
    """Of a location: its number, its mapping's, its address, and of each line the function's number and the line's."""
    plain = _varints(raw)
    # As Go writes it, it is: 1 id, 2 mapping, 3 address, and for each line: 4 length: 1 function, 2 line.
    found = []
    if plain[:6:2] == [8, 16, 24]:
        at, begin = len(plain), len(raw)
        while at > 6 and plain[at - 2] == 16 and plain[at - 4] == 8 and plain[at - 6] == 34:
            found.append((plain[at - 3], plain[at - 1]))
            begin -= plain[at - 5] + 2
            at -= 6
        if at == 6 and raw[begin : begin + 1] == b"\x22":
            found.reverse()
            return plain[1], plain[3], plain[5], found
        found.clear()
    single: dict[int, int] = {}
    for number, kind, value in _fields(raw):
        if kind == VARINT:
            single[number] = value
        elif number == 4:
            line = _numbers(value)
            found.append((line[1], line.get(2, 0)))
    return single[1], single.get(2, 0), single.get(3, 0), found


def _shown(name: str, system_name: str) -> str:
    """The name that pprof shows: it takes some of Go's generic functions for C++ and leaves their arguments out.

    (internal/symbolizer/symbolizer.go: demangleSingleFunction)
    """
    if name and name != system_name:
        return name
    name = system_name
    if TEMPLATE.search(name) and ".<" not in name and "])." not in name:
        for opening, closing in ("()", "<>"):
            name = _without(name, opening, closing)
    return name


def _without(name: str, opening: str, closing: str) -> str:
    at = begin = depth = 0
    while at < len(name):
        if name[at] == opening:
            depth += 1
            begin = at if depth == 1 else begin
        elif name[at] == closing:
            depth -= 1
            if depth < 0:
                return name
            if depth == 0:
                name = name[:begin] + name[at + 1 :]
                at = begin - 1
        at += 1
    return name


def _mapping(raw: dict[int, int], texts: list[str]) -> tuple[int, tuple[int, int, str], str]:
    """Where it begins, what it is in every process that runs the program (merge.go's mappingKey), and its file."""
    begin, file, build = raw.get(2, 0), texts[raw.get(5, 0)], texts[raw.get(6, 0)]
    size = -(-(raw.get(3, 0) - begin) // 0x1000) * 0x1000
    return begin, (size, raw.get(4, 0), build or file), file


def _samples(
    raw_samples: list[bytes], locations: dict[int, Location], texts: list[str], types: int
) -> t.Iterator[Sample]:
    place = locations.__getitem__
    label_sets: dict[bytes, tuple[Label, ...]] = {b"": ()}
    for raw in raw_samples:
        # As Go writes it, where both are short: 1 length locations, 2 length values, and the labels.
        size = len(raw)
        middle = raw[1] + 2 if size > 1 and raw[0] == 10 else size
        if middle < 130 and middle + 1 < size and raw[middle] == 18 and raw[middle + 1] < 128:
            end = middle + 2 + raw[middle + 1]
            stack, values, rest = _varints(raw[2:middle]), _varints(raw[middle + 2 : end]), raw[end:]
        else:
            stack, values, rest = _repeated(raw, 1), _repeated(raw, 2), raw
        if len(values) != types:
            raise _Broken(f"{len(values)} values in a sample, {types} types")
        if max(values) >> 63:
            values = [_signed(value) for value in values]
        labels = label_sets.get(rest)
        if labels is None:
            labels = label_sets[rest] = _labels(rest, texts)
        yield _tuple(Sample, (tuple(map(place, stack)), tuple(values), labels))


def _repeated(raw: bytes, wanted: int) -> list[int]:
    """The numbers of a field that is repeated, packed or one by one."""
    found: list[int] = []
    for number, kind, value in _fields(raw):
        if number == wanted:
            found += _varints(value) if kind == BYTES else (value,)
    return found


def _labels(rest: bytes, texts: list[str]) -> tuple[Label, ...]:
    labels: list[Label] = []
    for field, kind, value in _fields(rest):
        if field != 3 or kind != BYTES:
            continue
        numbers = _numbers(value)
        if numbers.get(2):
            labels.append((texts[numbers.get(1, 0)], texts[numbers[2]], ""))
        elif numbers.get(3) or numbers.get(4):
            labels.append((texts[numbers.get(1, 0)], _signed(numbers.get(3, 0)), texts[numbers.get(4, 0)]))
    return tuple(sorted(labels, key=lambda label: label[0]))
