# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Profiles of the simulator's own process in pprof's format (gzip of a protobuf), written by hand: it is small."""

from __future__ import annotations

import asyncio
import gc
import gzip
import sys
import threading
import time
import types
import typing as t

from .metrics import resident_bytes

if t.TYPE_CHECKING:
    from collections.abc import Iterable

SAMPLE_PERIOD = 0.01  # seconds, pprof's 100 Hz
DEEPEST = 64

Stack = tuple[tuple[str, str, int], ...]  # (function, file, line), innermost first


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _int(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def encode(
    types_and_units: list[tuple[str, str]],
    samples: Iterable[tuple[Stack, tuple[int, ...]]],
    *,
    period: tuple[str, str, int],
    seconds: float = 0.0,
) -> bytes:
    """A gzipped profile.proto: ``samples`` have one number for each of ``types_and_units``."""
    strings: dict[str, int] = {"": 0}
    functions: dict[tuple[str, str], int] = {}
    locations: dict[tuple[str, str, int], int] = {}
    out = bytearray()
    tables = bytearray()

    def text(string: str) -> int:
        return strings.setdefault(string, len(strings))

    def location(frame: tuple[str, str, int]) -> int:
        known = locations.get(frame)
        if known is not None:
            return known
        name, file, line = frame
        function = functions.get((name, file))
        if function is None:
            function = functions[name, file] = len(functions) + 1
            body = _int(1, function) + _int(2, text(name)) + _int(3, text(name)) + _int(4, text(file))
            tables.extend(_bytes(5, body))
        number = locations[frame] = len(locations) + 1
        tables.extend(_bytes(4, _int(1, number) + _bytes(4, _int(1, function) + _int(2, line))))
        return number

    for kind, unit in types_and_units:
        out += _bytes(1, _int(1, text(kind)) + _int(2, text(unit)))
    for stack, values in samples:
        where = b"".join(_varint(location(frame)) for frame in stack)
        numbers = b"".join(map(_varint, values))
        out += _bytes(2, _bytes(1, where) + _bytes(2, numbers))
    kind, unit, every = period
    period_type = _bytes(11, _int(1, text(kind)) + _int(2, text(unit)))
    comment = _int(13, text("simulator: not Warren"))
    out += tables
    for string in strings:
        out += _bytes(6, string.encode())
    out += _int(9, time.time_ns()) + _int(10, int(seconds * 1e9)) + period_type + _int(12, every) + comment
    return gzip.compress(bytes(out))


def _objects() -> tuple[dict[str, int], dict[str, int]]:
    """The number and the bytes of the objects in memory, by type.

    It walks every object and stops the process meanwhile: some 100 ms for a large cluster.
    """
    counts: dict[str, int] = {}
    sizes: dict[str, int] = {}
    seen: set[int] = set()

    def add(thing: t.Any) -> None:
        if id(thing) in seen:
            return
        seen.add(id(thing))
        kind = type(thing)
        name = f"{kind.__module__}.{kind.__qualname__}"
        counts[name] = counts.get(name, 0) + 1
        sizes[name] = sizes.get(name, 0) + sys.getsizeof(thing)

    for thing in gc.get_objects():
        add(thing)
        if isinstance(thing, types.ModuleType):
            continue  # up to Python 3.12.5 that of asyncio holds freed objects (python/cpython issue 122695)
        for part in gc.get_referents(thing):
            if not gc.is_tracked(part):
                add(part)
    return counts, sizes


def heap() -> bytes:
    """What is in memory now, by type of object; memory outside of Python's objects is one entry of its own."""
    counts, sizes = _objects()
    native = resident_bytes() - sum(sizes.values())
    if native > 0:
        counts["(memory outside of Python objects)"] = 1
        sizes["(memory outside of Python objects)"] = native
    samples = [(((name, "", 0),), (counts[name], sizes[name], counts[name], sizes[name])) for name in counts]
    kinds = [
        ("alloc_objects", "count"),
        ("alloc_space", "bytes"),
        ("inuse_objects", "count"),
        ("inuse_space", "bytes"),
    ]
    return encode(kinds, samples, period=("space", "bytes", 1))


def heap_text() -> bytes:
    """The same as text: the few of Go's lines that tell what is held, without memory outside of Python's objects."""
    counts, sizes = _objects()
    number, size = sum(counts.values()), sum(sizes.values())
    lines = [
        f"heap profile: {number}: {size} [{number}: {size}] @ heap/1",
        "# Python objects of the simulator",
        "# runtime.MemStats",
        f"# HeapAlloc = {size}",
        f"# HeapObjects = {number}",
    ]
    return ("\n".join(lines) + "\n").encode()


def _stack(frame: types.FrameType | None) -> Stack:
    stack: list[tuple[str, str, int]] = []
    while frame is not None and len(stack) < DEEPEST:
        code = frame.f_code
        stack.append((code.co_qualname, code.co_filename, frame.f_lineno or 0))
        frame = frame.f_back
    return tuple(stack)


def _thread_cpu(thread_id: int) -> float | None:
    try:
        return time.clock_gettime(time.pthread_getcpuclockid(thread_id))
    except (AttributeError, OSError):
        return None


def cpu(seconds: float) -> bytes:
    """Watch all threads for ``seconds`` s: stacks with the CPU time that their threads used since the last look."""
    spent: dict[Stack, list[int]] = {}
    last: dict[int, float] = {}
    me = threading.get_ident()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(SAMPLE_PERIOD)
        for thread_id, frame in sys._current_frames().items():
            if thread_id == me:
                continue
            now = _thread_cpu(thread_id)
            # Without a clock for each thread (macOS), every thread counts as running.
            used = SAMPLE_PERIOD if now is None else now - last.get(thread_id, now)
            if now is not None:
                last[thread_id] = now
            if used > 0:
                values = spent.setdefault(_stack(frame), [0, 0])
                values[0] += 1
                values[1] += int(used * 1e9)
    samples = [(stack, (count, nanoseconds)) for stack, (count, nanoseconds) in spent.items()]
    kinds = [("samples", "count"), ("cpu", "nanoseconds")]
    return encode(kinds, samples, period=("cpu", "nanoseconds", int(SAMPLE_PERIOD * 1e9)), seconds=seconds)


def _running(loop: asyncio.AbstractEventLoop) -> list[Stack]:
    """The stacks of all threads and of all tasks of ``loop``: what comes nearest to goroutines."""
    me = threading.get_ident()
    stacks = [_stack(frame) for thread_id, frame in sys._current_frames().items() if thread_id != me]
    for task in asyncio.all_tasks(loop):
        frames = [
            (frame.f_code.co_qualname, frame.f_code.co_filename, frame.f_lineno or 0) for frame in task.get_stack()
        ]
        stacks.append(tuple(reversed(frames)) or ((task.get_name(), "", 0),))
    return stacks


def goroutines(loop: asyncio.AbstractEventLoop, *, as_text: bool) -> bytes:
    """Threads and tasks, as a profile or as text."""
    counts: dict[Stack, int] = {}
    for stack in _running(loop):
        counts[stack] = counts.get(stack, 0) + 1
    if not as_text:
        samples = [(stack, (count,)) for stack, count in counts.items()]
        return encode([("goroutine", "count")], samples, period=("goroutine", "count", 1))
    lines = [f"goroutine profile: total {sum(counts.values())}", "# threads and tasks of the simulator"]
    for stack, count in sorted(counts.items(), key=lambda item: -item[1]):
        lines += ["", f"{count} @", *(f"#\t{name}\t{file}:{line}" for name, file, line in stack)]
    return ("\n".join(lines) + "\n").encode()


def empty(kind: str) -> bytes:
    """A profile without samples, as of block and mutex, which Warren never enables."""
    return encode([("contentions", "count"), ("delay", "nanoseconds")], [], period=(kind, "count", 1))
