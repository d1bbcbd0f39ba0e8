# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes profiles of Go programs from their own listeners, on the node: they listen on loopback alone.

As a program of its own it takes them while a load runs, beside what it profiles: when it is told that the load begins,
a profile of CPU and, beside that, what the memory holds; that also every so many seconds. It ends when it is told to,
when its time is over, or when its folder is gone. Each profile is a file as it was served, which `go tool pprof` opens,
and a line in ROWS.

PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on cluster nodes.
"""

from __future__ import annotations

import dataclasses
import http.client
import json
import os
import platform
import re
import signal
import socket
import sys
import threading
import time
import zlib
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.warren.load.plugins.module_utils.node import metrics_page, process_table, sampling

READY = "Profiling"
ROWS = "profiles.jsonl"
LOAD = "load"  # the file whose appearance says that the load begins
FIELDS = 15  # of profile.proto's outermost message
UNPACKED = 256 << 20  # bytes of a profile
LARGEST = 64 << 20  # bytes of a profile as it is served: one of a large program has 1 MB
PATIENCE = 15.0  # seconds for a profile, besides those that it takes
PAGE_PATIENCE = 1.0  # seconds for the page that tells the load
IDLE = 0.25  # seconds before, in which the process's own use of CPU is seen
LOOK = 0.2  # seconds between two looks whether there is something to do
SOON = 2.0  # seconds into the load at which memory is looked at: also a short load is there then
FIRST = 4.0  # seconds to the next look, and twice as many to each of EARLY, where the interval is longer
EARLY = 3
SERVED = {
    "heap": "heap",
    "allocs": "allocs",
    "goroutine": "goroutine",
    "cpu": "profile",
    "mutex": "mutex",
    "block": "block",
}
MEMORY = ("goroutine", "heap", "allocs")
# What each moment is worth; heaps beside a load are not collected before, so that it is not disturbed.
MOMENTS: dict[str, tuple[str, ...]] = {
    "baseline": MEMORY,
    "load": ("cpu", *MEMORY),
    "during": ("goroutine", "heap"),
    "settled": ("goroutine", "heap"),
    "after": MEMORY,
    "now": (*MEMORY, "cpu", "mutex", "block"),
}
COLLECTED = ("baseline", "settled", "after", "now")  # a collection of garbage comes first: what is held then, is held
PORTS = {"manager": 9090, "worker": 6060}
GZIP = b"\x1f\x8b"


class CaptureError(Exception):
    """Half a sentence: why there is no profile."""


class NotServed(CaptureError):
    """The program answers, and has no such profile."""


class Silent(CaptureError):
    """Nothing listens: the other profiles need not be asked for."""


class Stuck(Silent):
    """Something listens, and does not answer in time."""


class NoWay(Silent):
    """There is no connection to the address."""


def base_url(target: sampling.Target) -> str:
    """Where the profiles of a process are: ``http://127.0.0.1:9090/debug/pprof``."""
    if target.pprof_url:
        return target.pprof_url.partition("/debug/pprof")[0] + "/debug/pprof"
    if target.metrics_url:
        return target.metrics_url.rpartition("/")[0] + "/debug/pprof"
    return f"http://127.0.0.1:{PORTS.get(target.kind, 9090)}/debug/pprof"


def get(url: str, patience: float, largest: int = LARGEST) -> bytes:
    """The whole gzipped profile at an address, within ``patience`` seconds in all. Raises CaptureError."""
    where = urlsplit(url)
    deadline = time.monotonic() + patience
    # No proxy of the environment, and no redirection: it is this machine.
    connection = http.client.HTTPConnection(where.hostname or "", where.port or 80, timeout=min(patience, PATIENCE))
    try:
        _connect(connection)
        connection.sock.settimeout(patience)
        connection.request("GET", f"{where.path}?{where.query}" if where.query else where.path)
        answer = connection.getresponse()
        content = _body(answer, deadline, largest)
    except http.client.IncompleteRead as error:
        raise CaptureError("the profile was cut short: the connection ended before it was whole") from error
    except (socket.timeout, TimeoutError) as error:  # one and the same from 3.10 on
        raise Stuck(f"no answer came within {patience:.0f} s") from error
    except ConnectionResetError as error:
        raise CaptureError("the profile was cut short: the connection ended without an answer") from error
    except http.client.HTTPException as error:
        raise CaptureError(f"what answers there does not speak HTTP ({type(error).__name__})") from error
    except OSError as error:
        raise CaptureError(f"the profile was cut short: {error.strerror or error}") from error
    finally:
        connection.close()
    if answer.status == 404:
        raise NotServed("it serves no such profile")
    if answer.status != 200:
        raise CaptureError(f"it answers {answer.status}: {_said(content)}")
    check(content)
    return content


def _connect(connection: http.client.HTTPConnection) -> None:
    try:
        connection.connect()
    except ConnectionRefusedError as error:
        raise Silent("nothing listens there") from error
    except (socket.timeout, TimeoutError):
        raise
    except OSError as error:
        raise NoWay(f"it cannot be connected to: {error.strerror or error}") from error


def _body(answer: http.client.HTTPResponse, deadline: float, largest: int) -> bytes:
    content = bytearray()
    while True:
        if time.monotonic() > deadline:
            raise TimeoutError
        part = answer.read1(65536)
        if not part:
            # read1() says nothing where a length was promised and less came.
            if answer.length:
                raise http.client.IncompleteRead(bytes(content), answer.length)
            return bytes(content)
        content += part
        if len(content) > largest:
            raise CaptureError(f"it has more than {largest >> 20} MB")


def _said(content: bytes) -> str:
    lines = content.decode("utf-8", "replace").split("\n")
    return next((line.strip()[:120] for line in lines if line.strip()), "nothing")


def check(content: bytes) -> None:
    """Raises CaptureError where this is no whole profile: gzip to its end, around what begins as a profile does."""
    if not content:
        raise CaptureError("the profile is empty")
    if content[:2] != GZIP:
        raise CaptureError(f"what is served there is not a profile: {_said(content)!r}")
    gzip = zlib.decompressobj(wbits=31)
    try:
        unpacked = gzip.decompress(content, UNPACKED)
    except zlib.error as error:
        raise CaptureError(f"the profile is corrupt ({error})") from error
    if gzip.unconsumed_tail:
        raise CaptureError(f"it has more than {UNPACKED >> 20} MB")
    if not gzip.eof:
        raise CaptureError("the profile was cut short")
    if not _is_message(unpacked):
        raise CaptureError("what is served there is not a profile")


def _is_message(content: bytes) -> bool:
    """Whether this is a message of profile.proto, by its outermost fields. The controller reads the rest."""
    place, types = 0, 0
    try:
        while place < len(content):
            tag, place = _varint(content, place)
            size, place = _varint(content, place)
            if not 1 <= tag >> 3 <= FIELDS or tag & 7 not in (0, 2):
                return False
            place += size if tag & 7 else 0
            types += tag == 0x0A  # the types of its samples
    except IndexError:
        return False
    return place == len(content) and types > 0


def _varint(content: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = content[place]
        place += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, place


def cpu_of(pid: int) -> float | None:
    """Seconds of CPU that a process has used, to the microsecond where the kernel tells; None where it does not."""
    total = 0
    folder = os.path.join(process_table.PROC, str(pid), "task")
    try:
        for thread in os.listdir(folder):
            text = process_table.read_text(os.path.join(folder, thread, "schedstat"))
            total += int(text.split()[0]) if text else 0
    except (OSError, ValueError, IndexError):
        total = 0
    if total:
        return total / 1e9
    usage = process_table.usage(pid)
    return usage.cpu if usage else None


def load_of(target: sampling.Target) -> dict[str, float | None]:
    """What the manager's own page says of the cluster: services and running containers, None where it is silent."""
    told: dict[str, float] = {}
    if target.kind == "manager" and target.metrics_url:
        try:
            told = metrics_page.values(metrics_page.get(target.metrics_url, PAGE_PATIENCE))
        except (OSError, ValueError):
            pass
    names = ('warren_containers_total{state="running"}', 'warren_tasks_total{state="running"}')
    return {
        "services": told.get("warren_services_total"),
        "containers": next((told[name] for name in names if name in told), None),
    }


def taken_port(target: sampling.Target, pid: int) -> str:
    """The sentence for a process whose port another one has."""
    where = urlsplit(base_url(target))
    owner = process_table.listener(where.port or 80)
    sentence = f"{target.name} has no profile: {where.netloc} on {platform.node()}, "
    sentence += f"{f'process {owner}' if owner else 'another process'} listens there"
    if target.kind == "worker":
        return f"{sentence}, not its process {pid}: end that, and start the worker again."
    return f"{sentence}, and on one host only the first manager gets the port: give each manager a host of its own."


def unreachable(target: sampling.Target, error: CaptureError, pid: int | None, why: str) -> str:
    """The sentence for a process whose profiles cannot be had, with its remedy; ``why`` it was not found, if so."""
    where = urlsplit(base_url(target)).netloc
    sentence = f"{target.name} has no profile: {where} on {platform.node()}, {error}"
    if isinstance(error, NoWay):
        return f"{sentence}: see whether this is the address that its host knows the process by."
    if pid is None and (target.pid or target.pid_file or target.match):
        reason = "no such process runs there" if why.startswith("0 ") else why
        return f"{sentence}, and {reason}: start it, with playbook cluster-up for instance."
    sentence += f", though its process {pid} runs" if pid else ""
    if target.kind == "worker":
        return f"{sentence}; start the worker with --enable-pprof, which serves profiles on port {PORTS['worker']}."
    return (
        f"{sentence}; every manager serves profiles on port {PORTS['manager']} of its own loopback, "
        "with or without --enable-pprof: see whether it runs, and whether another program took the port."
    )


class Taker:
    """Takes profiles of ``targets`` into ``folder``; several processes at a time, one profile of each."""

    def __init__(self, targets: list[sampling.Target], folder: str, seconds: float) -> None:
        self.targets = targets
        self.folder = folder
        self.seconds = seconds
        self._lock = threading.Lock()

    def take(self, moment: str, kind: str = "", profiles: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        """The ``profiles`` of a moment or all, of processes of a kind or all: rows, of failures too. OSError."""
        rows: list[dict[str, Any]] = []
        errors: list[OSError] = []

        def work(target: sampling.Target) -> None:
            try:
                self._of(target, moment, profiles or MOMENTS[moment], rows)
            except OSError as error:  # a full disk, for one
                errors.append(error)

        threads = [
            threading.Thread(target=work, args=(target,), daemon=True)
            for target in self.targets
            if kind in ("", target.kind)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return rows

    def _of(self, target: sampling.Target, moment: str, profiles: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
        pid, why = sampling.find(target)
        base = {"process": target.name, "kind": target.kind, "moment": moment, "pid": pid}
        if pid is not None and not sampling.owns_page(target, pid):
            self._note(rows, {**base, "profile": "", "error": taken_port(target, pid)})
            return
        idle = self._idle(pid) if pid is not None else 0.0
        for profile in profiles:
            if profile == "cpu" and not self.seconds:
                continue
            row = self._one(target, profile, moment, (pid, why), idle)
            if row is None:
                continue
            silent = row.pop("silent", False)
            self._note(rows, {**base, "profile": profile, **row})
            if silent:
                return

    def _idle(self, pid: int) -> float:
        """The process's use of CPU by itself, in seconds a second."""
        before = cpu_of(pid)
        time.sleep(IDLE)
        after = cpu_of(pid)
        return (after - before) / IDLE if before is not None and after is not None else 0.0

    def _one(
        self, target: sampling.Target, profile: str, moment: str, found: tuple[int | None, str], idle: float
    ) -> dict[str, Any] | None:
        pid, why = found
        url = f"{base_url(target)}/{SERVED[profile]}"
        seconds = self.seconds if profile == "cpu" else 0.0
        if seconds:
            url += f"?seconds={max(1, round(seconds))}"
        elif profile == "heap" and moment in COLLECTED:
            url += "?gc=1"
        load = load_of(target)  # not after a profile of CPU, in whose time it changes
        before, used = (process_table.usage(pid), cpu_of(pid)) if pid else (None, None)
        began, clock = time.time(), time.monotonic()
        row: dict[str, Any] = {"url": url, "began": round(began, 3), "error": "", "file": ""}
        content = b""
        try:
            if url.endswith("?gc=1"):
                get(url, PATIENCE)  # pools of buffers are emptied by the second collection only
            content = get(url, PATIENCE + seconds)
        except Stuck as error:
            where = f"{urlsplit(url).netloc} on {platform.node()}"
            row["error"] = f"{target.name} has no {profile} profile: {where}, {error}; see whether the process hangs."
            row["silent"] = True
        except (NotServed, Silent) as error:
            if profile in ("mutex", "block"):
                return None
            row["error"] = unreachable(target, error, pid, why)
            row["silent"] = isinstance(error, Silent)
        except CaptureError as error:
            where = f"{urlsplit(url).netloc} on {platform.node()}"
            row["error"] = f"{target.name} has no {profile} profile: {where}, {error}; capture it again."
        spent = time.monotonic() - clock
        after, used_after = (process_table.usage(pid), cpu_of(pid)) if pid else (None, None)
        if pid and (before is None or after is None or before.start != after.start):
            now, _why = sampling.find(target)
            instead = f", and process {now} runs in its place" if now not in (None, pid) else ""
            what = f"{target.name} has no whole {profile} profile"
            row["error"] = f"{what}: its process {pid} ended meanwhile{instead}; see its log."
            row["silent"] = True
        cpu = used_after - used if used is not None and used_after is not None else None
        row.update(
            seconds=round(spent, 4),
            bytes=len(content),
            rss_before=before.rss if before else None,
            rss_after=after.rss if after else None,
            cpu=None if cpu is None else round(cpu, 6),
            # That of a CPU profile cannot be told from the load that it shows.
            cost=None if cpu is None or seconds else round(max(0.0, cpu - idle * spent), 6),
            load=load,
        )
        if not row["error"]:
            row["file"] = self._keep(f"{_safe(target.name)}-{self._when(moment, began)}-{profile}", content)
        return row

    @staticmethod
    def _when(moment: str, began: float) -> str:
        return moment if moment != "during" else time.strftime("during-%H%M%S", time.gmtime(began))

    def _keep(self, stem: str, content: bytes) -> str:
        for number in range(1, 1000):
            name = f"{stem}{f'-{number}' if number > 1 else ''}.pb.gz"
            try:
                private = os.open(os.path.join(self.folder, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                continue
            with open(private, "wb") as stream:
                stream.write(content)
            return name
        raise OSError(f"{self.folder} holds too many profiles")

    def _note(self, rows: list[dict[str, Any]], row: dict[str, Any]) -> None:
        with self._lock:
            rows.append(row)
            with open(os.path.join(self.folder, ROWS), "a", encoding="utf-8") as stream:
                stream.write(json.dumps(row) + "\n")


def _safe(name: str) -> str:
    """A name from an inventory as a part of a file's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".") or "process"


def read_rows(folder: str) -> list[dict[str, Any]]:
    """What was taken into a folder; a line that was cut off is left out."""
    rows = []
    for line in process_table.read_text(os.path.join(folder, ROWS)).splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


class _Ends:
    """Whether somebody asked the program to end; a profile that is on its way is finished first."""

    asked = False

    def ask(self, _number: int, _frame: Any) -> None:
        self.asked = True


def wait(taken: int, interval: float) -> float:
    """Seconds to the next look, after so many.

    The first come early, as a load may be short, later ones ever further apart, so that a long run has no more of them
    than can be looked at.
    """
    if not interval:
        return float("inf")
    return min(FIRST * 2**taken, interval) if taken < EARLY else interval * 2 ** (taken // 10)


def run(taker: Taker, interval: float, seconds: float, ends: _Ends) -> None:
    """Take what is due until the end is asked for, ``seconds`` are over, or the folder is gone."""
    begin = time.monotonic()
    due, soon, taken = begin + wait(0, interval), float("inf"), 0
    cpu: threading.Thread | None = None
    while not ends.asked and time.monotonic() - begin < seconds and os.path.isdir(taker.folder):
        now = time.monotonic()
        if cpu is None and os.path.exists(os.path.join(taker.folder, LOAD)):
            # Beside the rest, which would come too late after it.
            cpu = threading.Thread(target=_taken, args=(taker, "load", "manager", ("cpu",)), daemon=True)
            cpu.start()
            soon, taken = now + SOON, 0
            due = soon + wait(0, interval)
        elif now >= soon:
            soon = float("inf")
            _taken(taker, "load", "", MEMORY)
        elif now >= due:
            taken += _taken(taker, "during")
            due = time.monotonic() + wait(taken, interval)
        time.sleep(LOOK)
    if cpu is not None and os.path.isdir(taker.folder):
        cpu.join()


def _taken(taker: Taker, *what: Any) -> bool:
    """Whether it could be kept: a disk may be full, or the folder is being removed."""
    try:
        taker.take(*what)
    except OSError as error:
        sys.stderr.write(f"profiles cannot be kept: {error.strerror or error}\n")
        sys.stderr.flush()
        return False
    return True


def settings_of(targets: list[sampling.Target], **rest: Any) -> dict[str, Any]:
    """What main() reads."""
    return {"targets": [dataclasses.asdict(target) for target in targets], **rest}


def main(arguments: list[str]) -> int:
    """Run with the path of the file of settings; its folder is where the profiles go."""
    targets, settings = sampling.load(arguments[0])
    ends = _Ends()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ends.ask)
    taker = Taker(targets, os.path.dirname(arguments[0]), settings["cpu_seconds"])
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    run(taker, settings["interval"], settings["seconds"], ends)
    return 0
