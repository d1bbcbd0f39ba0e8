# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the processes of a host hold at this moment: memory, goroutines, open files, databases, containers.

PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on cluster nodes.
"""

from __future__ import annotations

import os
import re
import struct
import time
from typing import Any, NamedTuple

from ansible_collections.warren.load.plugins.module_utils.node import (
    commands,
    containers,
    metrics_page,
    process_table,
    profiling,
    sampling,
)

PATIENCE = 15.0  # seconds for a page: the heap's comes after a collection of garbage
LARGEST = 128 << 20  # bytes of a page: a finely sampled heap has many, and what is asked for comes last
COLLECTIONS = 3  # of garbage: what lies in a pool of Go's goes with the second
SOCKETS = ("/run/warren-containerd/containerd.sock", "/run/containerd/containerd.sock")  # Warren's own, the host's
STATE = "warren.db"
LOG = "raft-log.db"
HEAP = re.compile(r"^# HeapAlloc = (\d+)$", re.MULTILINE)
OBJECTS = re.compile(r"^# HeapObjects = (\d+)$", re.MULTILINE)
# A bbolt file has two meta pages, each a header of 16 bytes and this; the one with the later transaction holds.
META = struct.Struct("<IIIIQQQQQ")  # magic, version, page size, flags, root (page, sequence), free list, pages, txid
PAGE = struct.Struct("<QHHI")  # id, flags, count, overflow
MAGIC = 0xED0CDAED
FREELIST = 0x10
NO_FREELIST = (1 << 64) - 1
MANY = 0xFFFF  # a free list so long that its length is the first of its entries


class Database(NamedTuple):
    """A bbolt file: bytes of the file, bytes of pages that hold something, transactions so far."""

    size: int
    used: int
    transactions: int


def database(path: str) -> Database | None:
    """What a bbolt file holds; None for what is none, or is being written just now each time we look."""
    for _attempt in range(3):
        try:
            with open(path, "rb") as stream:
                found = _database(stream)
        except OSError:
            return None
        if found is not None:
            return found
        time.sleep(0.02)
    return None


def _database(stream: Any) -> Database | None:
    size = os.fstat(stream.fileno()).st_size
    first = _meta(stream, 0)
    page_size = first[0] if first else os.sysconf("SC_PAGESIZE")
    metas = [meta for meta in (first, _meta(stream, page_size)) if meta]
    if not metas:
        return None
    page_size, freelist, pages, transaction = max(metas, key=lambda meta: meta[3])
    free = 0
    if freelist != NO_FREELIST:
        stream.seek(freelist * page_size)
        raw = stream.read(PAGE.size + 8)
        if len(raw) < PAGE.size + 8:
            return None
        _id, flags, count, _overflow = PAGE.unpack(raw[: PAGE.size])
        if not flags & FREELIST:
            return None
        free = struct.unpack("<Q", raw[PAGE.size :])[0] if count == MANY else count
    return Database(size, max(0, pages - free) * page_size, transaction)


def _meta(stream: Any, place: int) -> tuple[int, int, int, int] | None:
    """(page size, page of the free list, pages, transaction) of a meta page; None where there is none."""
    stream.seek(place + PAGE.size)
    raw = stream.read(META.size)
    if len(raw) < META.size:
        return None
    magic, _version, page_size, _flags, _root, _sequence, freelist, pages, transaction = META.unpack(raw)
    return (page_size, freelist, pages, transaction) if magic == MAGIC else None


def look(targets: list[sampling.Target]) -> dict[str, Any]:
    """``rows``, one a process that runs, and ``unavailable``, sentences on what cannot be told. A collection of
    garbage comes before the heap is measured."""
    rows, unavailable = [], []
    for target in targets:
        pid, why = sampling.find(target)
        if pid is None:
            unavailable.append(f"What {target.name} holds is not known: {why}.")
            continue
        row = _row(target, pid)
        rows.append(row)
        if row["containers"] and row["containers_known"] is None:
            unavailable.append(f"What containerd knows on the host of {target.name} is not known: ctr does not say.")
    return {"rows": rows, "unavailable": unavailable, "time": time.time()}


def _row(target: sampling.Target, pid: int) -> dict[str, Any]:
    for _collection in range(COLLECTIONS - 1):
        _page(target, pid, "heap?gc=1")
    page = _page(target, pid, "heap?gc=1&debug=1")
    alive = _page(target, pid, "goroutine?debug=1")
    usage = process_table.usage(pid)
    files = _databases(pid)
    counted = containers.look() if target.kind == "worker" else None
    goroutines = metrics_page.GOROUTINES.match(alive)
    return {
        "name": target.name,
        "kind": target.kind,
        "pid": pid,
        "start": process_table.start_time(pid),
        "rss": usage.rss if usage else None,
        "private": usage.private if usage else None,
        "open_files": usage.open_files if usage else None,
        "threads": usage.threads if usage else None,
        "goroutines": int(goroutines.group(1)) if goroutines else None,
        "heap": _number(HEAP, page),
        "heap_objects": _number(OBJECTS, page),
        "database": files[STATE].used if STATE in files else None,
        "database_file": files[STATE].size if STATE in files else None,
        "raft_log": files[LOG].used if LOG in files else None,
        "raft_log_file": files[LOG].size if LOG in files else None,
        "log": _size(process_table.output_file(pid)),
        "containers": counted.count if counted else None,
        "containers_known": _known_containers() if counted else None,
    }


def _page(target: sampling.Target, pid: int, query: str) -> str:
    """A page of the process's profiles as text, empty where it has none of its own."""
    if not (target.metrics_url or target.pprof_url) or not sampling.owns_page(target, pid):
        return ""
    try:
        return metrics_page.get(f"{profiling.base_url(target)}/{query}", PATIENCE, largest=LARGEST)
    except (OSError, ValueError):
        return ""


def _number(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return int(found.group(1)) if found else None


def _databases(pid: int) -> dict[str, Database]:
    """The bbolt files that a process has open, by name."""
    found: dict[str, Database] = {}
    folder = os.path.join(process_table.PROC, str(pid), "fd")
    try:
        numbers = os.listdir(folder)
    except OSError:
        return {}
    for number in numbers:
        link = os.path.join(folder, number)
        try:
            name = os.path.basename(os.readlink(link))
        except OSError:
            continue
        if name in (STATE, LOG) and name not in found:
            # Through the descriptor: the process's own file, whatever folders it sees.
            database_found = database(link)
            if database_found is not None:
                found[name] = database_found
    return found


def _known_containers() -> int | None:
    """The containers that containerd knows in Warren's namespace, running or not; None where ctr does not say."""
    for socket in SOCKETS:
        if os.path.exists(socket):
            said = commands.output(["ctr", "--address", socket, "--namespace", "warren", "containers", "list"])
            return len(said.splitlines()) - 1 if said else None  # without its heading
    return None


def _size(path: str | None) -> int | None:
    try:
        return os.stat(path).st_size if path else None
    except OSError:
        return None
