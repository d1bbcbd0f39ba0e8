# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sampler: its own program, beat by beat, and what is made of its series."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import math
import os
import random
import re
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import (
    containers,
    metrics_page,
    process_table,
    sampler,
    sampling,
    standalone,
    supervision,
)
from ansible_collections.warren.load.plugins.module_utils.node.sampling import Sampler, Target

pytestmark = pytest.mark.skipif(not process_table.has_proc(), reason="needs /proc")
NONE = (None, None)


@pytest.fixture
def program(tmp_path):
    """Starts programs as module process does; returns the pid file's path."""
    started = []

    def start(name="manager-1", log=""):
        pid_file = tmp_path / name / "pid.json"
        code = f"print({log!r}, flush=True); print('ready', flush=True); import time; time.sleep(600)"
        supervision.start(
            supervision.Program(
                name, [sys.executable, "-c", code], str(pid_file), str(tmp_path / name / "log"), ready_pattern="^ready"
            )
        )
        started.append(str(pid_file))
        return str(pid_file)

    yield start
    for pid_file in started:
        supervision.stop(pid_file, 0.0)


@pytest.fixture
def watch():
    """Makes samplers that the test itself lets tick."""
    made = []

    def make(folder: Path, *targets: Target) -> Sampler:
        folder.mkdir(exist_ok=True)
        made.append(Sampler(list(targets), str(folder), 1.0, 5.0))
        return made[-1]

    yield make
    for watching in made:
        watching.close()


def series(folder: Path):
    return sampler.read_series(str(folder / "resources.csv"))


def test_a_sample(tmp_path, program, watch):
    pid_file = program()
    watching = watch(tmp_path / "s", Target("a, b", pid_file=pid_file))
    watching.tick(100.0, pages=False)
    watching.tick(101.0, pages=False)
    found = series(tmp_path / "s")
    assert list(found) == ["a, b", sampling.OWN]
    known = found["a, b"]
    assert known.times == [100.0, 101.0]
    assert known.rss[0] > known.private[0] > 1 << 20
    assert known.open_files[0] == 3
    assert known.threads[0] == 1
    assert not known.absent


def test_a_crash_and_a_restart_are_noticed(tmp_path, program, watch):
    pid_file = program()
    target = Target("manager-1", pid_file=pid_file)
    watching = watch(tmp_path / "s", target)
    watching.tick(1.0, pages=False)
    supervision.stop(pid_file, 0.0)
    watching.tick(2.0, pages=False)
    watching.tick(3.0, pages=False)
    row = sampler.row_of(target, series(tmp_path / "s")["manager-1"], {}, NONE)
    assert (row["restarts"], row["ended"]) == (0, True)
    program()
    watching.tick(4.0, pages=False)
    row = sampler.row_of(target, series(tmp_path / "s")["manager-1"], {}, NONE)
    assert (row["restarts"], row["ended"]) == (1, False)


def test_a_restart_between_two_samples_is_noticed(tmp_path, program, watch):
    pid_file = program()
    target = Target("manager-1", pid_file=pid_file)
    watching = watch(tmp_path / "s", target)
    watching.tick(1.0, pages=False)
    supervision.stop(pid_file, 0.0)
    program()
    watching.tick(2.0, pages=False)
    row = sampler.row_of(target, series(tmp_path / "s")["manager-1"], {}, NONE)
    assert (row["restarts"], row["ended"]) == (1, False)


def test_the_engine_comes_and_goes(tmp_path, program, watch):
    status = tmp_path / "status.json"
    target = Target("engine", "other", pid_file=str(status), transient=True)
    watching = watch(tmp_path / "s", target)
    watching.tick(1.0, pages=False)
    for now in (2.0, 3.0):
        pid = supervision.read_record(program(f"engine-{now}")).pid
        status.write_text(json.dumps({"phase": "create", "pid": pid}))
        watching.tick(now, pages=False)
        supervision.stop(str(tmp_path / f"engine-{now}/pid.json"), 0.0)
    watching.tick(4.0, pages=False)
    row = sampler.row_of(target, series(tmp_path / "s")["engine"], {}, NONE)
    assert (row["restarts"], row["ended"], row["growth"]) == (0, False, None)  # of kind other


def test_a_process_is_found_by_its_command_line(tmp_path):
    mark = f"only-here-{uuid.uuid4()}"
    children = [subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", mark]) for _child in range(2)]
    try:
        # Linux shows no command line yet for a moment after Popen() has returned.
        while not all(process_table.command_line(child.pid)[-1:] == [mark] for child in children):
            time.sleep(0.01)
        assert sampling.find(Target("m", match=mark))[1].startswith("2 processes there have a command line")
        children[0].kill()
        children[0].wait()
        assert sampling.find(Target("m", match=mark)) == (children[1].pid, "")
        # The whole table is looked through now and then, the pid file always.
        assert sampling.find(Target("m", match=mark), everywhere=False)[0] is None
    finally:
        for child in children:
            child.kill()
            child.wait()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"pid": "x"}', '{"pid": 1, "start_time": "another"}'])
def test_a_broken_pid_file_names_nobody(tmp_path, content):
    path = tmp_path / "pid.json"
    path.write_text(content)
    assert sampling.find(Target("m", pid_file=str(path)))[0] is None


def test_a_full_disk_does_not_end_it(tmp_path, watch):
    watching = watch(tmp_path / "s", Target("m", pid_file="/nowhere"))
    watching._resources.close()
    with open("/dev/full", "wb", buffering=0) as full:
        watching._resources = io.TextIOWrapper(full, write_through=True)
        watching.tick(1.0, pages=True)
        watching.tick(2.0, pages=True)


def test_it_ends_when_its_folder_is_gone(tmp_path, monkeypatch, watch):
    watching = watch(tmp_path / "s", Target("m", pid_file="/nowhere"))
    monkeypatch.setattr(sampling, "LOOK", 0.0)
    monkeypatch.setattr(time, "sleep", lambda _seconds: supervision.remove([str(tmp_path / "s")]))
    watching.run(1e6)


def test_metrics_are_written_when_they_change(tmp_path, monkeypatch, watch):
    pages = iter(['warren_a 1\nwarren_b{x="1",y="2"} 5\n', 'warren_a 2\nwarren_b{x="1",y="2"} 5\n'])
    monkeypatch.setattr(metrics_page, "get", lambda *_a, **_k: next(pages))
    watching = watch(tmp_path / "s", Target("m", pid_file="/nowhere", metrics_url="http://127.0.0.1:1/metrics"))
    watching.tick(1.0, pages=True)
    watching.tick(2.0, pages=True)
    rows = list(csv.reader(io.StringIO((tmp_path / "s/metrics.csv").read_text())))
    assert [row for row in rows if row[1] == "m"] == [
        ["1.00", "m", "warren_a", "1"],
        ["1.00", "m", 'warren_b{x="1",y="2"}', "5"],
        ["2.00", "m", "warren_a", "2"],
    ]
    told = sampler.read_metrics(str(tmp_path / "s/metrics.csv"))
    assert told["m"]["warren_a"] == {"start": 1.0, "end": 2.0, "max": 2.0}
    assert told[sampling.OWN]["scrapes"]["end"] == 2


def test_a_page_that_does_not_answer_is_left_alone_for_a_while(tmp_path, monkeypatch, watch):
    asked = []

    def get(url, *_arguments, **_options):
        asked.append(url)
        raise OSError("no")

    monkeypatch.setattr(metrics_page, "get", get)
    watching = watch(tmp_path / "s", Target("m", pid_file="/nowhere", metrics_url="http://127.0.0.1:1/metrics"))
    for now in range(5):
        watching.tick(float(now), pages=True)
    assert len(asked) == 1


def test_a_page_that_falls_silent_is_marked_once(tmp_path, monkeypatch, watch):
    pages = iter(["go_goroutines 9\nwarren_a 1\n", None, None, "go_goroutines 9\nwarren_a 1\n", None])
    monkeypatch.setattr(sampling, "PAGE_RETRY", 0.0)

    def get(*_arguments, **_options):
        page = next(pages)
        if page is None:
            raise OSError("no")
        return page

    monkeypatch.setattr(metrics_page, "get", get)
    watching = watch(tmp_path / "s", Target("m", pid_file="/nowhere", metrics_url="http://127.0.0.1:1/metrics"))
    for now in range(5):
        watching.tick(float(now), pages=True)
    changes = sampler.read_metric(str(tmp_path / "s/metrics.csv"), sampling.GOROUTINES)
    assert changes["m"] == {0.0: 9, 1.0: None, 3.0: 9, 4.0: None}


def test_containers_of_a_host_are_looked_for_once_a_round(tmp_path, monkeypatch, watch):
    looks: list[float] = []

    def look():
        looks.append(time.process_time())
        while time.process_time() < looks[-1] + 0.02:
            pass
        return containers.Containers(3, 30, 9)

    monkeypatch.setattr(containers, "look", look)
    monkeypatch.setattr(sampling, "LOOKING", 1e9)
    workers = [Target(f"worker-{number}", "worker", pid=os.getpid()) for number in range(4)]
    of_workers = watch(tmp_path / "workers", *workers)
    for pages in (True, True, False):
        of_workers.tick(1.0, pages=pages)
    watch(tmp_path / "none", Target("manager-1", pid=os.getpid())).tick(1.0, pages=True)
    assert len(looks) == 2
    assert (tmp_path / "workers/metrics.csv").read_text().count(",3\n") == 8
    # What takes long is not done again soon.
    monkeypatch.setattr(sampling, "LOOKING", 0.005)
    of_workers.tick(2.0, pages=True)
    of_workers.tick(3.0, pages=True)
    assert len(looks) == 3


def test_the_page_of_another_manager_is_not_taken_for_its_own(tmp_path, program):
    pid_file = program()
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/metrics"
        target = Target("m", pid_file=pid_file, metrics_url=url)
        assert sampling.owns_page(target, supervision.read_record(pid_file).pid) is False
        assert sampling.owns_page(target, os.getpid()) is True
        row = {"source": "/proc", "log": {}, "goroutines": None, "pid": supervision.read_record(pid_file).pid}
        assert "belongs to another process" in sampler._missing(target, row)[0]


def test_a_dead_manager_does_not_inherit_the_page(tmp_path, program, watch, monkeypatch):
    """All managers of a host are given the one address that Warren has."""
    monkeypatch.setattr(metrics_page, "get", lambda *_a, **_k: "warren_a 1\ngo_goroutines 9\n")
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/metrics"
        pid_file = program()
        watching = watch(
            tmp_path / "s",
            Target("owner", pid=os.getpid(), metrics_url=url),
            Target("mortal", pid_file=pid_file, metrics_url=url),
            Target("unknown", pid_file="/nowhere", metrics_url=url),
        )
        watching.tick(1.0, pages=True)
        supervision.stop(pid_file, 0.0)
        watching.tick(2.0, pages=True)
    assert set(sampler.read_metrics(str(tmp_path / "s/metrics.csv"))) == {"owner", sampling.OWN}


def test_sentences_name_everybody_at_once():
    assert [sampler._and(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


# --- the whole life ---------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    path = str(tmp_path / "sampler")
    yield path
    sampler.stop(path)


def start(folder, targets, **options):
    return sampler.start(folder, "run-1", targets, **{"interval": 1.0, "scrape": 5.0, "seconds": 600.0, **options})


def test_start_and_collect(folder, program):
    pid_file = program(log="2026 [WARN] before")
    target = Target("manager-1", pid_file=pid_file, log_file=os.path.join(os.path.dirname(pid_file), "log"))
    pid, replaced = start(folder, [target, Target("manager-2", pid_file="/nowhere")])
    assert replaced == ""
    assert process_table.start_time(pid) is not None
    told = sampler.collect(folder, "run-1", NONE)
    assert process_table.start_time(pid) is None
    (row,) = told["rows"]
    assert (row["name"], row["restarts"], row["ended"], row["source"]) == ("manager-1", 0, False, "/proc")
    assert [row["log"][level] for level in ("error", "warning", "refused")] == [0, 0, 0]
    assert told["unavailable"] == ["Memory and CPU of manager-2 are not known: the process of /nowhere does not run."]
    assert told["sampler"]["rss"]["value"] < 40
    with gzip.open(told["files"][0], "rt") as packed:
        assert packed.readline() == sampling.COLUMNS + "\n"


def test_who_ended_after_the_last_sample_is_noticed(folder, program):
    pid_file = program()
    start(folder, [Target("manager-1", pid_file=pid_file)], interval=600.0)
    supervision.stop(pid_file, 0.0)
    (row,) = sampler.collect(folder, "run-1", NONE)["rows"]
    assert row["ended"] is True


def test_the_next_run_replaces_an_orphan(folder, program):
    target = Target("manager-1", pid_file=program())
    orphan, _nobody = start(folder, [target])
    pid, replaced = sampler.start(folder, "run-2", [target], interval=1.0, scrape=5.0, seconds=600.0)
    assert replaced == "run-1"
    assert process_table.start_time(orphan) is None
    assert pid != orphan
    told = sampler.collect(folder, "run-1", NONE)
    assert told["rows"] == []
    assert "works for run run-2" in told["unavailable"][0]
    assert process_table.start_time(pid) is not None


def test_it_ends_by_itself(folder, program):
    """Nobody stops it: its time is over."""
    start(folder, [Target("manager-1", pid_file=program())], seconds=0.5, interval=0.1)
    record = supervision.read_record(os.path.join(folder, "pid.json"))
    os.waitpid(record.pid, 0)
    told = sampler.collect(folder, "run-1", NONE)
    assert [row["name"] for row in told["rows"]] == ["manager-1"]
    assert "ended" in told["unavailable"][-1]
    assert "before the run did" in told["unavailable"][-1]


def test_nothing_was_started(folder):
    assert sampler.stop(folder) == ""
    assert "no sampler was started" in sampler.collect(folder, "run-1", NONE)["unavailable"][0]


# --- what the series mean ---------------------------------------------------------------------------------------------


def made(sizes, *, step=1.0, life=(7, "a")):
    count = len(sizes)
    return sampler.Series(
        times=[1000 + step * index for index in range(count)],
        identities=[life] * count,
        rss=[int(size * sampler.MEGABYTE) for size in sizes],
        private=[int(size * sampler.MEGABYTE) for size in sizes],
        cpu=[0.5 * index for index in range(count)],
        open_files=[5] * count,
        threads=[2] * count,
    )


def test_peak_and_end():
    known = made([10, 30, 20])
    known.cpu = [1.0, 1.1, 1.9]
    row = sampler.row_of(Target("m"), known, {"go_goroutines": {"start": 5, "end": 7, "max": 9}}, NONE)
    assert (row["rss"]["value"], row["rss_peak"]["value"]) == (20, 30)
    assert (row["cpu"]["value"], row["cpu_share"]["value"], row["cpu_share_peak"]["value"]) == (0.9, 45, 80)
    assert (row["goroutines"], row["goroutines_peak"]) == (7, 9)


def test_cpu_of_every_life_counts():
    known = made([1, 1, 1, 1])
    known.identities = [(1, "a"), (1, "a"), (2, "b"), (2, "b")]
    known.cpu = [10.0, 11.0, 0.25, 0.5]
    assert sampler.cpu_use(known)[0] == pytest.approx(1.5)
    known.began_absent = True  # what the first life used before its first sample, it used meanwhile
    assert sampler.cpu_use(known)[0] == pytest.approx(11.5)


def grown(sizes, **options):
    return sampler.growth(made(sizes, **options), (1000.0, None))


def noise(seed, count, spread=0.3):
    source = random.Random(seed)
    return [source.gauss(0, spread) for _value in range(count)]


def test_a_leak_is_seen():
    told = grown([30 + 0.2 * index + part for index, part in enumerate(noise(1, 95))])
    assert told["why"] == ""
    assert told["rate"]["low"] > 4
    assert told["rate"]["low"] < 12 < told["rate"]["high"]


def test_what_settles_is_no_leak():
    told = grown([60 - 30 * math.exp(-index / 15) + part for index, part in enumerate(noise(2, 120))])
    assert told["rate"]["high"] < 4


def test_a_window_too_short_says_how_long_it_takes():
    told = grown([30 + index for index in range(20)])
    assert told["rate"] is None
    assert told["needs"] == 90
    assert told["why"] == "the load was steady for only 19 s, and it takes 90 s to tell"
    assert sampler.growth(made([1] * 200), NONE)["why"] == "the load never was steady, as not all containers ran"
    assert sampler.growth(made([1] * 200), (1000.0, 1050.0))["rate"] is None


def test_a_wild_one_takes_longer():
    told = grown([100 + part for part in noise(3, 95, spread=40)])
    assert told["rate"] is None
    assert told["needs"] >= 150
    assert "unevenly" in told["why"]


def test_how_long_it_takes_is_told_for_each_limit():
    """Four times as fine takes 4 to the power of 2/3 as long."""
    told = grown([100 + part for part in noise(3, 400, spread=40)])
    first, second = (float(word) for word in re.findall(r"(\d+) s to tell", told["why"]))
    assert "growth of 4 MB a minute" in told["why"]
    assert second == told["needs"]
    assert second / first == pytest.approx(4 ** (2 / 3), rel=0.1)


def test_numbers_that_keep_growing():
    known = made([30] * 300)
    known.open_files = [15 + index // 20 for index in range(300)]
    told = sampler.count_growth(known, known.open_files, (1000.0, None))
    assert told["unit"] == "1/min"
    assert 1 < told["low"] <= told["value"] <= told["high"] < 6
    known.open_files = [15 + index % 2 for index in range(300)]
    assert sampler.count_growth(known, known.open_files, (1000.0, None))["high"] <= 0.2
    known.open_files = [15] * 300
    still = sampler.count_growth(known, known.open_files, (1000.0, None))
    assert (still["value"], still["low"], still["high"]) == (0, 0, 0)
    # Too short, never steady, and a system that does not tell.
    assert sampler.count_growth(known, known.open_files, (1250.0, None)) is None
    assert sampler.count_growth(known, known.open_files, (1250.0, None), 40.0) is not None
    assert sampler.count_growth(known, known.open_files, NONE) is None
    assert sampler.count_growth(known, [None] * 300, (1000.0, None)) is None


def test_goroutines_are_told_when_their_number_changes(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text(f"{sampling.METRIC_COLUMNS}\n1.0,m,go_goroutines,29\n2.0,m,other,1\n4.0,m,go_goroutines,31\nx")
    changes = sampler.read_metric(str(path), "go_goroutines")
    assert changes == {"m": {1.0: 29, 4.0: 31}}
    assert sampler._at([0.5, 1.5, 3.5, 4.5, 9.5], changes["m"]) == [None, 29, 29, 31, 31]
    # Until its page was silent.
    path.write_text(f"{path.read_text()[:-1]}6.0,m,go_goroutines,\n8.0,m,go_goroutines,31\n9.0,m,go_goroutines")
    changes = sampler.read_metric(str(path), "go_goroutines")
    assert sampler._at([4.5, 5.5, 6.5, 8.5, 9.5], changes["m"]) == [31, 31, None, 31, 31]
    assert sampler.read_metrics(str(path))["m"]["go_goroutines"] == {"start": 29, "end": 31, "max": 31}


def test_goroutines_that_leak_until_their_page_is_silent_are_no_plateau():
    known = made([30] * 600)
    changes = {1000.0 + second: 20.0 + second for second in range(0, 240, 5)}
    silent = {**changes, 1240.0: None}
    told = sampler.count_growth(known, sampler._at(known.times, silent), (1000.0, None))
    assert told["low"] > 30  # a minute
    # A number that is not known for most of the time is no plateau either, and one that is is.
    flat = {1000.0: 20.0, 1240.0: None}
    assert sampler.count_growth(known, sampler._at(known.times, flat), (1000.0, None)) is None
    flat = {1000.0: 20.0, 1240.0: None, 1300.0: 20.0}
    assert sampler.count_growth(known, sampler._at(known.times, flat), (1000.0, None))["high"] == 0


def test_what_was_not_sampled_is_not_told():
    """A laptop that slept: a minute of samples, and one a quarter of an hour later."""
    known = made([30] * 61)
    known.times[-1] = 2000.0
    row = sampler.row_of(Target("m"), known, {}, (1000.0, None))
    assert row["growth"]["rate"] is None
    assert row["growth"]["why"] == "in 941 of the 1000 s of steady load nothing was sampled"
    assert (row["open_files_growth"], row["rss"]["value"]) == (None, 30)


def test_growth_is_that_of_the_last_life():
    known = made([10 + index for index in range(200)])
    known.identities = [(1, "a")] * 150 + [(2, "b")] * 50
    assert sampler.growth(known, (1000.0, None))["why"].startswith("the load was steady for only 49 s")


def test_the_result_does_not_grow_with_time(tmp_path):
    sizes = []
    for hours in (1, 2):
        known = made([30 + (index % 7) for index in range(hours * 3600)])
        row = sampler.row_of(Target("m"), known, {}, (1000.0, None))
        sizes.append(len(json.dumps(row)))
    assert abs(sizes[1] - sizes[0]) < 40


def test_a_line_that_was_cut_off_is_left_out(tmp_path):
    path = tmp_path / "resources.csv"
    path.write_text(f"{sampling.COLUMNS}\n1.00,m,7,a,1048576,524288,0.10,3,1\n2.00,m,7,a,10485\n2.0")
    assert sampler.read_series(str(path))["m"].times == [1.0]
    assert sampler.read_series(str(tmp_path / "nothing")) == {}


def test_from_a_page_alone():
    def page(*values):
        return dict(zip(("start", "end", "max"), values, strict=True))

    pages = {
        "process_resident_memory_bytes": page(1 << 20, 3 << 20, 5 << 20),
        "process_cpu_seconds_total": page(1.0, 3.5, 3.5),
        "process_open_fds": page(4, 5, 6),
        "process_start_time_seconds": page(100.0, 200.0, 200.0),
    }
    target = Target("10.0.0.1:8080", metrics_url="http://10.0.0.1:9090/metrics")
    row = sampler.row_of_page(target, pages)
    assert (row["rss"]["value"], row["rss_peak"]["value"], row["cpu"]["value"]) == (3, 5, 2.5)
    assert (row["source"], row["restarts"], row["open_files_peak"]) == ("metrics", 1, 6)
    assert "Of {} only the metrics page" in sampler._missing(target, {**row, "log": None})[0]
    assert sampler.row_of_page(target, {}) is None


def test_the_program_stands_alone(tmp_path):
    """Everything that it imports is in its archive: it runs with an empty path, from anywhere."""
    archive = tmp_path / "sampler.pyz"
    archive.write_bytes(standalone.archive(sampler.PARTS))
    settings = {
        "run_id": "r",
        "targets": [{"name": "m", "pid_file": "/nowhere"}],
        "interval": 0.001,
        "scrape": 1,
        "seconds": 0.001,
    }
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    done = subprocess.run(
        [sys.executable, "-I", str(archive), str(tmp_path / "settings.json")],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "Sampling\n", "")
    assert (tmp_path / "resources.csv").read_text().startswith(sampling.COLUMNS)


def test_the_beat_does_not_drift(tmp_path, monkeypatch, watch):
    """A sample that takes long delays the next one to the grid, and is not followed by a burst."""
    clock = itertools.count()
    now = [0.0]
    watching = watch(tmp_path / "s", Target("m", pid_file="/nowhere"))
    beats = []

    def tick(_time, *, pages):
        beats.append(now[0])
        now[0] += 3.4 if next(clock) == 1 else 0.1

    monkeypatch.setattr(watching, "tick", tick)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    watching.run(8.0)
    assert beats == pytest.approx([0, 1, 5, 6, 7])
