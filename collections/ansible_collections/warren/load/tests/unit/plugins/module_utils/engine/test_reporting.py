# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import csv
import gzip
import json
import os

from ansible_collections.warren.load.plugins.module_utils.engine import samples
from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter
from ansible_collections.warren.load.plugins.module_utils.engine.status import Lease, Status


class Clock:
    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def status_of(folder):
    return json.loads((folder / "status.json").read_text())


def test_status_is_whole_and_not_written_more_than_twice_a_second(tmp_path):
    clock = Clock()
    status = Status(tmp_path, "create", clock)
    status.update(1, 50, "services", "first")
    clock.now += 0.4
    status.update(2, 50, "services", "too soon")
    assert status_of(tmp_path) == {
        "phase": "create",
        "done": 1,
        "total": 50,
        "unit": "services",
        "text": "first",
        "started": 1000.0,
        "updated": 1000.0,
        "pid": os.getpid(),
    }
    status.update(3, 50, "services", "at once", now=True)
    assert status_of(tmp_path)["text"] == "at once"
    clock.now += 0.6
    status.update(4, 50, "services", "later")
    assert status_of(tmp_path)["done"] == 4
    assert os.listdir(tmp_path) == ["status.json"]


def test_status_on_a_folder_that_is_gone_ends_nothing(tmp_path):
    Status(tmp_path / "gone", "create").update(1, 2, "services", "text")


def test_the_deadline_ends_a_phase(tmp_path):
    clock = Clock()
    lease = Lease(tmp_path, 10.0, clock)
    assert lease.ended() is None
    assert lease.time_left() == 10.0
    clock.now += 10.0
    assert "deadline of 10 s" in str(lease.ended())
    assert Lease(tmp_path, None, clock).time_left() == float("inf")


def held_lease(tmp_path):
    (tmp_path / "lease").touch()
    os.utime(tmp_path / "lease", (5000, 5000))
    clock, wall = Clock(), Clock(5000.0)
    return Lease(tmp_path, None, clock, wall), clock, wall


def test_a_lease_that_is_renewed_holds_and_one_that_is_not_ends_the_phase(tmp_path):
    lease, clock, wall = held_lease(tmp_path)
    clock.now += 2
    wall.now += 29
    assert lease.ended() is None
    os.utime(tmp_path / "lease", (5029, 5029))
    clock.now += 2
    wall.now += 29
    assert lease.ended() is None
    clock.now += 2
    wall.now += 2
    assert "not been renewed for 31 s" in str(lease.ended())
    os.utime(tmp_path / "lease", (9000, 9000))
    clock.now += 2
    assert lease.ended() is not None  # once lost, lost


def test_a_lease_that_vanishes_ends_the_phase_and_one_that_never_was_does_not(tmp_path):
    lease, clock, _wall = held_lease(tmp_path)
    (tmp_path / "lease").unlink()
    clock.now += 2
    assert "gone" in str(lease.ended())
    never = Lease(tmp_path, None, clock)
    clock.now += 100
    assert never.ended() is None


def test_a_lease_taken_away_before_the_engine_came_ends_it_at_the_first_look(tmp_path):
    (tmp_path / "lease").symlink_to(tmp_path / "lease.taken/nowhere")
    assert "gone" in str(Lease(tmp_path, None, Clock()).ended())


def test_samples_are_written_whole(tmp_path):
    assert samples.write(tmp_path / "s.csv.gz", ("a", "b"), [(0.1234567, "x,y"), (2.0, "")]) is None
    with gzip.open(tmp_path / "s.csv.gz", "rt") as file:
        assert list(csv.reader(file)) == [["a", "b"], ["0.123457", "x,y"], ["2.000000", ""]]
    assert os.listdir(tmp_path) == ["s.csv.gz"]
    assert "could not be written" in samples.write(tmp_path / "no" / "s.csv.gz", ("a",), [])


def test_what_cannot_be_written_does_not_end_a_phase_but_fails_it(tmp_path):
    with Reporter(tmp_path / "gone", "latency", None) as reporter:
        reporter.event("sent", index=1)
        reporter.samples(("a",), [])
        reporter.progress(1, 2, "calls", "text")
        assert reporter.stopped() is None
    assert "samples" in reporter.ended_early
    assert reporter.ended_early.endswith("(No such file or directory): free space there, or set warren_load_state_dir")
    with Reporter(tmp_path / "gone", "latency", None) as reporter:
        reporter.event("sent", index=1)
    assert "journal.jsonl could not be written (No such file or directory); 1 events" in reporter.ended_early
    with Reporter(tmp_path, "latency", 60.0) as reporter:
        reporter.event("sent", index=1)
        reporter.samples(("a",), [(1,)])
    assert reporter.ended_early is None
    assert json.loads((tmp_path / "journal.jsonl").read_text())["index"] == 1
    assert (tmp_path / "latency-samples.csv.gz").exists()
