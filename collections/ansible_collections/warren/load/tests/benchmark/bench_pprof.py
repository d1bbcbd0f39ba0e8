# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Profiles: how long a heap profile takes to decode, and how often growth in one is called so rightly and wrongly.

The heaps are simulated, by the rules of Go's own sampling: a program whose caches keep their size while what they hold
is replaced, and the same with 100 kB more in one function at the end. Where Go is installed, a real program does so,
and of another it is measured what its profiles cost it.

`python -m ansible_collections.warren.load.tests.benchmark.bench_pprof [--runs N]`; exit code 1 if one is missed.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import typing as t
import urllib.request
from pathlib import Path

from ansible_collections.warren.load.plugins.module_utils.node import profiling, sampling
from ansible_collections.warren.load.plugins.module_utils.pprof.reading import parse
from ansible_collections.warren.load.plugins.module_utils.pprof.sampling import growth, leaks, live, smallest
from ansible_collections.warren.load.tests.benchmark.playbooks import machine
from ansible_collections.warren.load.tests.unit.fixtures.pprof import made, record

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.warren.load.plugins.module_utils.pprof.profile import Profile

DECODING = 0.060  # s of CPU
PAUSE = 0.1  # s between two rounds
PROFILED = 2.0  # s of a profile of CPU
SERVED = """package main

import (
    "encoding/json"
    "fmt"
    "net"
    "net/http"
    _ "net/http/pprof"
)

type record struct{ Name, Image string }

var kept = map[int]*record{}

func main() {
    for number := range 200_000 {
        kept[number] = &record{fmt.Sprint("container-", number), "nginx"}
    }
    for range 200 {
        go func() { select {} }()
    }
    http.HandleFunc("/call", func(out http.ResponseWriter, _ *http.Request) {
        for number := range 300 {
            data, _ := json.Marshal(kept[number])
            out.Write(data)
        }
    })
    listener, _ := net.Listen("tcp", "127.0.0.1:0")
    fmt.Println(listener.Addr())
    http.Serve(listener, nil)
}
"""
ALARMS, FOUND, COVERED = 0.01, 0.95, 0.95
LEAK, OBJECT, ROUNDS = 100_000, 1000, 6
COARSE, FINE = 512 * made.KIB, 4 * made.KIB  # bytes to one sample: what Go has unless told, what such a leak needs


def told(what: str, figure: str, holds: bool) -> bool:
    """Print a figure; whether it is missed."""
    print(f"{what}: {figure}: {'holds' if holds else 'MISSED'}", flush=True)
    return not holds


def decoding(rounds: int) -> bool:
    """Of 3000 samples of 20 locations. The best time: others on the machine only make it longer, for a while each."""
    data = made.encoded(made.large(random.Random(1)))
    times = []
    for _round in range(rounds):
        begun = time.process_time()
        samples = len(parse(data).samples)
        times.append(time.process_time() - begun)
        time.sleep(PAUSE)
    best, median = min(times), statistics.median(times)
    figure = f"{best * 1e3:.0f} ms of CPU, median {median * 1e3:.0f} ms (at most {DECODING * 1e3:.0f} ms)"
    return told(f"decode a heap profile of {samples} samples, {len(data) / 1024:.0f} KB", figure, best <= DECODING)


def alarms(runs: int, period: int, seed: int) -> bool:
    """How often growth is seen in a program that does not grow."""
    source = random.Random(seed)
    called = sum(bool(leaks(made.captures(source, made.manager(), period, ROUNDS))) for _run in range(runs))
    two = 0
    for _run in range(runs):
        first, last = made.captures(source, made.manager(), period, 1)
        two += any(each.significant for each in growth(first, last))
    figure = f"{called} of {runs} runs of {ROUNDS + 1} captures, {two} of {runs} of 2 (at most {ALARMS:.0%})"
    what = f"false alarms, 40 constant caches, one sample in {period // made.KIB} KiB"
    return told(what, figure, max(called, two) <= ALARMS * runs)


def found(runs: int, period: int, leak: int, seed: int) -> float:
    """The part of the runs in which a leak of so many bytes, a function's own, is found."""
    source, hits = random.Random(seed), 0
    for _run in range(runs):
        leaking = made.Objects("leaking", 0, OBJECT)
        program = [*made.manager(), leaking]
        seen = leaks(made.captures(source, program, period, ROUNDS, leaking, round(leak / OBJECT / ROUNDS)))
        hits += any(each.place == "leaking" for each in seen)
    return hits / runs


def covered(runs: int, period: int, seed: int) -> bool:
    """How often the truth lies within the 95 % intervals, of figures and of differences."""
    source = random.Random(seed)
    within, count, grown, differences = 0, 0, 0, 0
    for _run in range(runs):
        program = made.manager()
        first, last = made.captures(source, program, period, 1)
        figures, changed = live(last), {each.place: each for each in growth(first, last)}
        for objects in program:
            name, truth = objects.stack[0].frames[0].function, objects.kept * objects.size
            if name in figures:
                count += 1
                within += figures[name].low <= truth <= figures[name].high
            if name in changed and changed[name].born:
                differences += 1
                grown += changed[name].low <= 0 <= changed[name].high
    figure = f"{within / count:.1%} of figures, {grown / differences:.1%} of differences (at least {COVERED:.0%})"
    what = f"truth within the intervals, one sample in {period // made.KIB} KiB"
    return told(what, figure, within >= COVERED * count and grown >= COVERED * differences)


def recorded(folder: Path, count: int, leak: int, program: Path) -> Iterator[Profile]:
    """Captures of a real program."""
    environment = os.environ | {"GODEBUG": f"memprofilerate={FINE}"}
    argv = [str(program), "-folder", str(folder), "-trials", str(count), "-leak", str(leak), "-size", str(OBJECT)]
    subprocess.run(argv, env=environment, check=True)
    data = (folder / f"trials-{leak}").read_bytes()
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 8], "big")
        yield parse(data[at + 8 : at + 8 + size])
        at += 8 + size


def real(runs: int) -> bool:
    """The same with a program of Go: each capture is compared with the one before."""
    if not shutil.which("go"):
        print("Go is not installed: no real program was measured")
        return False
    with tempfile.TemporaryDirectory(prefix="warren-load-bench-") as name:
        program = Path(name, "workload")
        command = ["go", "build", "-trimpath", "-o", str(program), "."]
        subprocess.run(command, cwd=record.HERE / "program", env=os.environ | {"GOFLAGS": "-mod=mod"}, check=True)
        called = hits = 0
        for leak in (0, LEAK):
            captured = list(recorded(Path(name), runs, leak, program))
            for first, last in itertools.pairwise(captured):
                places = {each.place.rpartition(".")[2] for each in growth(first, last) if each.significant}
                called += bool(places) and not leak
                hits += "record" in places and bool(leak)
    missed = told(
        "real Go program, false alarms", f"{called} of {runs} (at most {ALARMS:.0%})", called <= ALARMS * runs
    )
    figure = f"{hits} of {runs} (at least {FOUND:.0%})"
    return told(f"real Go program, leaks of {LEAK // 1000} kB found", figure, hits >= FOUND * runs) or missed


def costs(rounds: int) -> None:
    """What each kind of profile costs a program of Go that holds 30 MB, in CPU of its own; of CPU, for each call."""
    if not shutil.which("go"):
        print("Go is not installed: no cost was measured")
        return
    with tempfile.TemporaryDirectory(prefix="warren-load-bench-") as name:
        source = Path(name, "main.go")
        source.write_text(SERVED, encoding="utf-8")
        subprocess.run(["go", "build", "-o", f"{name}/served", str(source)], check=True)
        with subprocess.Popen([f"{name}/served"], stdout=subprocess.PIPE, text=True) as program:
            try:
                assert program.stdout is not None
                address = program.stdout.readline().strip()
                target = sampling.Target("program", pid=program.pid, pprof_url=f"http://{address}/debug/pprof/")
                taker = profiling.Taker([target], name, PROFILED)
                for moment in ("during", "now"):
                    _memory(taker, moment, rounds)
                _cpu(taker, f"http://{address}/call", rounds)
            finally:
                program.terminate()


def _memory(taker: profiling.Taker, moment: str, rounds: int) -> None:
    rows = [row for _round in range(rounds) for row in taker.take(moment, profiles=profiling.MEMORY)]
    for profile in profiling.MEMORY:
        spent = statistics.median(row["cost"] for row in rows if row["profile"] == profile)
        after = ", after two collections" if profile == "heap" and moment == "now" else ""
        if moment == "during" or after:
            print(f"cost of {profile}{after}: {1e3 * spent:.1f} ms of CPU, median of {rounds}")


def _cpu(taker: profiling.Taker, url: str, rounds: int) -> None:
    """By turns, so that the machine's other work is in both."""
    calls: dict[bool, list[float]] = {False: [], True: []}
    pid = taker.targets[0].pid or 0
    for number in range(2 * min(rounds, 10)):
        profiled = bool(number % 2)
        taking = threading.Thread(target=taker.take, args=("load", "", ("cpu",)))
        if profiled:
            taking.start()
            time.sleep(2 * profiling.IDLE)
        before, end, count = profiling.cpu_of(pid) or 0.0, time.monotonic() + PROFILED / 2, 0
        while time.monotonic() < end:
            urllib.request.urlopen(url).read()
            count += 1
        calls[profiled].append(((profiling.cpu_of(pid) or 0.0) - before) / count)
        if profiled:
            taking.join()
    without, with_it = (1e3 * statistics.median(calls[profiled]) for profiled in (False, True))
    print(f"cost of a CPU profile: {with_it:.3f} ms of CPU a call with it, {without:.3f} ms without")


def main() -> int:
    """Print the figures; 1 if one is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    print(machine())
    costs(arguments.rounds)
    missed = [decoding(arguments.rounds)]
    for period in (COARSE, FINE):
        missed.append(alarms(arguments.runs, period, 1))
        missed.append(covered(arguments.runs // 4, period, 2))
    part = found(arguments.runs // 2, FINE, LEAK, 3)
    figure = f"{part:.1%} (at least {FOUND:.0%})"
    missed.append(told(f"leaks of {LEAK // 1000} kB found, one sample in 4 KiB", figure, part >= FOUND))
    least = smallest(COARSE)
    part = found(arguments.runs // 4, COARSE, int(least), 4)
    figure = f"{part:.1%} (at least {FOUND:.0%})"
    missed.append(told(f"leaks of {least / 1e6:.1f} MB found, one sample in 512 KiB", figure, part >= FOUND))
    part = found(arguments.runs // 4, COARSE, LEAK, 5)
    print(f"leaks of {LEAK // 1000} kB found, one sample in 512 KiB: {part:.1%}: too few objects are noted there")
    missed.append(real(arguments.runs // 5))
    return int(any(missed))


if __name__ == "__main__":
    sys.exit(main())
