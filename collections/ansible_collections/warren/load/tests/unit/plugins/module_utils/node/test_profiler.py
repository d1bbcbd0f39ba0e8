# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Profiles are taken from a listener on loopback as a Go program has one, whole or not at all."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import process_table, profiler, profiling, sampling
from ansible_collections.warren.load.plugins.module_utils.pprof import reading
from ansible_collections.warren.load.tests.support.recorded_profiles import RECORDED, RecordedProfiles
from ansible_collections.warren.load.tests.unit.fixtures.pprof.record import HERE

pytestmark = pytest.mark.skipif(not process_table.has_proc(), reason="needs /proc")
WHOLE = (HERE / "heap-after.pb.gz").read_bytes()


@pytest.fixture
def listener():
    with RecordedProfiles() as server:
        yield server
        server.shutdown()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "profiles"
    yield str(folder)
    profiler.stop(str(folder))


def target(listener, kind="manager", **ways):
    page = {"metrics_url": listener.page}
    if kind == "worker":
        page = {"pprof_url": listener.page.replace("/metrics", "/debug/pprof/goroutine?debug=1")}
    return sampling.Target(f"{kind}-1", kind, pid=os.getpid(), **{**page, **ways})


def take(listener, folder, moment="now", seconds=1.0, **ways):
    return profiler.take(folder, [target(listener, **ways)], moment, seconds)


def path(name):
    return f"/debug/pprof/{name}"


def test_every_profile_comes_as_it_was_served(listener, folder):
    told = take(listener, folder)
    rows = {row["profile"]: row for row in told["rows"]}
    assert list(rows) == ["goroutine", "heap", "allocs", "cpu", "mutex"]  # block is not served there
    assert told["unavailable"] == []
    for name, row in rows.items():
        kept = Path(folder, row["file"])
        served = HERE / f"{RECORDED[profiling.SERVED[name]]}.pb.gz"
        assert kept.read_bytes() == served.read_bytes()
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert row["bytes"] == served.stat().st_size
    assert path("profile") + "?seconds=1" in listener.asked
    # Pools of buffers are emptied by the second collection.
    assert listener.asked.count(path("heap") + "?gc=1") == 2


def test_a_row_says_when_at_what_load_and_at_what_cost(listener, folder):
    before = time.time()
    row = next(row for row in take(listener, folder)["rows"] if row["profile"] == "heap")
    assert before <= row["began"] <= time.time()
    assert row["load"] == {"services": 50, "containers": 149}
    assert row["pid"] == os.getpid()
    assert row["rss_before"] > 1 << 20
    assert 0 <= row["cost"] <= row["cpu"] < 5
    assert 0 < row["seconds"] < 5


def test_what_it_cost_is_what_it_used_above_its_own(monkeypatch, listener, folder):
    spent = iter([10.0, 10.5, 20.0, 23.0])  # idle: 0.5 s in a quarter; then 3 s
    monkeypatch.setattr(profiling, "cpu_of", lambda _pid: next(spent))
    monkeypatch.setitem(profiling.MOMENTS, "during", ("heap",))

    def get(_url, _patience):
        time.sleep(0.2)
        return WHOLE

    monkeypatch.setattr(profiling, "get", get)
    (row,) = take(listener, folder, "during")["rows"]
    assert row["cpu"] == 3.0
    assert row["cost"] == pytest.approx(3.0 - 2.0 * row["seconds"], abs=0.01)


def test_beside_a_load_nothing_is_collected(listener, folder):
    take(listener, folder, "during")
    assert [asked for asked in listener.asked if "heap" in asked] == [path("heap")]


def test_a_process_that_does_not_listen(folder):
    manager = sampling.Target("manager-1", metrics_url="http://127.0.0.1:1/metrics")
    worker = sampling.Target("worker-1", "worker", pprof_url="http://127.0.0.1:1/debug/pprof/goroutine?debug=1")
    told = profiler.take(folder, [manager, worker], "now", 0.0)
    assert told["rows"] == []
    assert told["archive"] == ""
    first, second = sorted(told["unavailable"])
    assert first.startswith("manager-1 has no profile: 127.0.0.1:1 on ")
    assert "nothing listens there" in first
    assert "port 9090" in first
    assert "with or without --enable-pprof" in first
    assert second.startswith("worker-1 has no profile: 127.0.0.1:1 on ")
    assert second.endswith("start the worker with --enable-pprof, which serves profiles on port 6060.")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("manager", "process 4711 listens there, and on one host only the first manager gets the port: give each"),
        ("worker", "process 4711 listens there, not its process PID: end that, and start the worker again."),
    ],
)
def test_a_port_of_another_process_is_not_profiled(monkeypatch, listener, folder, kind, words):
    monkeypatch.setattr(process_table, "listens", lambda _pid, _port: False)
    monkeypatch.setattr(process_table, "listener", lambda _port: 4711)
    told = profiler.take(folder, [target(listener, kind)], "now", 1.0)
    assert told["rows"] == []
    (sentence,) = told["unavailable"]
    assert words.replace("PID", str(os.getpid())) in sentence
    assert "--enable-pprof" not in sentence
    assert not [asked for asked in listener.asked if "pprof" in asked]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, WHOLE[:-20], None), "the profile was cut short;"),
        ((200, WHOLE[:-20], len(WHOLE)), "the connection ended before it was whole"),
        ((200, WHOLE[:40] + b"\0\0\0\0" + WHOLE[44:], None), "the profile is corrupt"),
        ((200, b"<html>Prometheus</html>", None), "not a profile: '<html>Prometheus</html>'"),
        ((200, gzip.compress(b"hello"), None), "not a profile"),
        ((200, b"", None), "the profile is empty"),
        (
            (500, b"Could not enable CPU profiling: cpu profiling already in use\n", None),
            "it answers 500: Could not enable CPU",
        ),
        ((404, b"404 page not found\n", None), "it serves no such profile"),
    ],
)
def test_what_is_no_whole_profile_is_one_sentence(listener, folder, answer, words):
    listener.answers[path("heap")] = answer
    told = take(listener, folder, "baseline")
    (sentence,) = told["unavailable"]
    assert sentence.startswith("manager-1 has no ")
    assert words in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert [row["profile"] for row in told["rows"]] == ["goroutine", "allocs"]


def test_what_is_too_large_or_too_late_is_left(listener):
    with pytest.raises(profiling.CaptureError, match="more than 0 MB"):
        profiling.get(listener.page.replace("/metrics", path("heap")), 5.0, largest=1000)
    listener.slow = 2.0
    began = time.monotonic()
    with pytest.raises(profiling.CaptureError, match="no answer came within 0 s"):
        profiling.get(listener.page.replace("/metrics", path("profile")), 0.2)
    assert time.monotonic() - began < 1.5


def test_a_process_that_does_not_answer_is_asked_once(monkeypatch, listener, folder):
    asked: list[str] = []

    def get(url, _patience):
        asked.append(url)
        raise profiling.Stuck("no answer came within 15 s")

    monkeypatch.setattr(profiling, "get", get)
    told = take(listener, folder)
    (sentence,) = told["unavailable"]
    assert "no answer came within 15 s; see whether the process hangs." in sentence
    assert len(asked) == 1


def test_a_process_that_runs_and_does_not_listen(folder):
    worker = sampling.Target("worker-1", "worker", pid=os.getpid(), pprof_url="http://127.0.0.1:1/debug/pprof/heap")
    (sentence,) = profiler.take(folder, [worker], "baseline", 0.0)["unavailable"]
    assert f"nothing listens there, though its process {os.getpid()} runs; start the worker with --enable" in sentence


def test_an_address_that_leads_nowhere(monkeypatch, folder):
    def create_connection(*_words, **_more):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "create_connection", create_connection)
    manager = sampling.Target("manager-1", pid=os.getpid(), metrics_url="http://no.such.host:9090/metrics")
    (sentence,) = profiler.take(folder, [manager], "baseline", 0.0)["unavailable"]  # once for all of its profiles
    assert sentence.endswith(
        "it cannot be connected to: Name or service not known: see whether this is the address that its host knows the "
        "process by."
    )


def test_a_process_that_does_not_run(folder):
    worker = sampling.Target("worker-1", "worker", match="no such program", pprof_url="http://127.0.0.1:1/debug/pprof/")
    (sentence,) = profiler.take(folder, [worker], "baseline", 0.0)["unavailable"]
    assert sentence.endswith(
        "nothing listens there, and no such process runs there: start it, with playbook cluster-up for instance."
    )


@pytest.mark.parametrize("again", [True, False])
def test_a_process_that_ends_meanwhile(monkeypatch, listener, folder, again):
    gone = subprocess.Popen(["sleep", "60"])
    found = iter([(gone.pid, ""), (77, "") if again else (None, "it does not run")])
    monkeypatch.setattr(sampling, "find", lambda _target: next(found))
    monkeypatch.setattr(sampling, "owns_page", lambda _target, _pid: True)

    def get(_url, _patience):
        gone.kill()
        gone.wait()
        raise profiling.CaptureError("the profile was cut short: the connection ended without an answer")

    monkeypatch.setattr(profiling, "get", get)
    told = take(listener, folder)
    instead = ", and process 77 runs in its place" if again else ""
    assert told["unavailable"] == [
        f"manager-1 has no whole goroutine profile: its process {gone.pid} ended meanwhile{instead}; see its log."
    ]
    assert told["rows"] == []


def test_a_connection_that_ends_without_an_answer():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            server.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        with pytest.raises(profiling.CaptureError, match="cut short: the connection ended without an answer"):
            profiling.get(f"http://127.0.0.1:{server.getsockname()[1]}/debug/pprof/heap", 5.0)


def full(_taker, _stem, _content):
    raise OSError(28, "No space left on device")


def test_a_full_disk_is_told(monkeypatch, listener, folder):
    monkeypatch.setattr(profiling.Taker, "_keep", full)
    with pytest.raises(OSError, match="No space left"):
        take(listener, folder)


def test_names_of_hosts_are_no_paths(listener, folder):
    told = profiler.take(folder, [sampling.Target("../a b", metrics_url=listener.page)], "baseline", 0.0)
    assert {row["file"] for row in told["rows"]} == {
        f"_a_b-baseline-{name}.pb.gz" for name in ("goroutine", "heap", "allocs")
    }


def test_the_program_profiles_the_load_and_ends_after_its_profile(listener, folder):
    listener.slow = 1.0
    pid, replaced = profiler.start(folder, "run-1", [target(listener)], cpu_seconds=1.0, interval=0.0, seconds=60.0)
    assert replaced == ""
    assert {row["moment"] for row in profiling.read_rows(folder)} == {"baseline"}
    assert profiler.load_begins(folder)
    until(lambda: any("profile?seconds" in asked for asked in listener.asked))
    told = profiler.collect(folder, "run-1")  # the CPU profile has not come yet
    assert process_table.start_time(pid) is None
    taken = [(row["moment"], row["profile"]) for row in told["rows"]]
    # What the memory holds now is not what it held then.
    assert taken[3:] == [("load", "cpu"), *(("after", name) for name in profiling.MEMORY)]
    assert told["unavailable"] == []
    assert Path(told["archive"]).is_file()


def test_memory_is_looked_at_beside_the_cpu_profile_and_of_workers_too(monkeypatch, listener, tmp_path):
    """A load that is gone before the CPU profile is whole."""
    listener.slow = 2.0
    monkeypatch.setattr(profiling, "SOON", 0.3)
    targets = [target(listener), target(listener, "worker")]
    taker, ends = profiling.Taker(targets, str(tmp_path), 1.0), profiling._Ends()
    (tmp_path / profiling.LOAD).touch()
    running = threading.Thread(target=profiling.run, args=(taker, 30.0, 60.0, ends))
    running.start()
    until(lambda: any("profile?seconds" in asked for asked in listener.asked))
    until(lambda: len(profiling.read_rows(str(tmp_path))) == 6)
    listener.services = 0
    ends.ask(0, None)
    running.join()
    rows = profiling.read_rows(str(tmp_path))
    assert [(row["process"], row["profile"]) for row in rows if row["kind"] == "worker"] == [
        ("worker-1", name) for name in profiling.MEMORY
    ]
    assert rows[-1]["profile"] == "cpu"
    # As it was when each began.
    assert {row["load"]["services"] for row in rows if row["kind"] == "manager"} == {50}
    assert {row["moment"] for row in rows} == {"load"}


def test_the_first_looks_come_early_and_later_ones_ever_further_apart():
    assert [profiling.wait(taken, 30.0) for taken in (0, 1, 2, 3, 9, 10, 20)] == [4, 8, 16, 30, 30, 60, 120]
    assert [profiling.wait(taken, 5.0) for taken in (0, 1, 10)] == [4, 5, 10]
    assert profiling.wait(0, 0.0) == float("inf")


def test_a_program_that_is_killed_is_told_of(listener, folder):
    workers = [target(listener, "worker")]
    for targets in ([target(listener), *workers], workers):
        pid, _replaced = profiler.start(folder, "run-1", targets, cpu_seconds=1.0, interval=0.0, seconds=60.0)
        os.kill(pid, signal.SIGKILL)
        until(lambda pid=pid: process_table.start_time(pid) is None)
        assert not profiler.load_begins(folder)
        (sentence,) = profiler.collect(folder, "run-1")["unavailable"]
        if targets is workers:
            assert sentence.endswith(" was not running any more when the run ended.")
        else:
            assert sentence.startswith("manager-1 has no CPU profile of the load: 127.0.0.1:")
            assert sentence.endswith(", the program that takes it was not running any more.")


def test_a_disk_that_was_full_is_told_of(monkeypatch, capfd, listener, tmp_path):
    settings = {"run_id": "run-1", "cpu_seconds": 1.0, "seconds": 60.0}
    (tmp_path / "settings.json").touch()
    (tmp_path / profiling.LOAD).touch()
    monkeypatch.setattr(profiling.Taker, "_keep", full)
    assert not profiling._taken(profiling.Taker([target(listener)], str(tmp_path), 1.0), "load")
    (tmp_path / "log").write_text(f"{profiling.READY}\n{capfd.readouterr().err}", encoding="utf-8")
    (sentence,) = profiler._lost(str(tmp_path), [target(listener)], settings, ran=True)
    assert sentence.endswith(", profiles cannot be kept: No space left on device.")


def test_a_load_that_never_began_is_told_of(listener, folder):
    profiler.start(folder, "run-1", [target(listener)], cpu_seconds=1.0, interval=0.0, seconds=60.0)
    (sentence,) = profiler.collect(folder, "run-1")["unavailable"]
    assert sentence.endswith(", the program that takes it was not told of a load.")


def test_the_program_looks_every_so_often(listener, folder):
    profiler.start(folder, "run-1", [target(listener, "worker")], cpu_seconds=1.0, interval=0.3, seconds=60.0)
    until(lambda: sum(row["moment"] == "during" for row in profiling.read_rows(folder)) >= 4)
    rows = [row for row in profiler.collect(folder, "run-1")["rows"] if row["profile"] == "heap"]
    assert len({row["file"] for row in rows}) == len(rows)
    for row in rows:
        reading.read(Path(folder, row["file"]))


def test_the_program_ends_when_its_folder_is_gone(listener, folder):
    pid, _replaced = profiler.start(folder, "r", [target(listener)], cpu_seconds=1.0, interval=0.0, seconds=60.0)
    profiling_folder = Path(folder)
    profiling_folder.rename(profiling_folder.with_name("elsewhere"))
    until(lambda: process_table.start_time(pid) is None)


def test_another_run_has_its_own(listener, folder):
    assert profiler.collect(folder, "run-1")["rows"] == []
    first, _none = profiler.start(folder, "run-1", [target(listener)], cpu_seconds=1.0, interval=0.0, seconds=60.0)
    assert profiler.collect(folder, "run-2")["unavailable"] == [
        "No profiles of this run are on this host: they are those of run run-1."
    ]
    _second, replaced = profiler.start(folder, "run-2", [], cpu_seconds=1.0, interval=0.0, seconds=60.0)
    assert replaced == "run-1"
    assert process_table.start_time(first) is None
    assert profiling.read_rows(folder) == []


def test_lines_that_were_cut_off_are_left_out(tmp_path):
    (tmp_path / profiling.ROWS).write_text(json.dumps({"file": "a", "error": ""}) + '\n{"file": "b"', encoding="utf-8")
    assert [row["file"] for row in profiling.read_rows(str(tmp_path))] == ["a"]


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
