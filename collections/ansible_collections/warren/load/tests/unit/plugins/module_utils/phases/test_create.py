# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import csv
import gzip

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.errors import Rejected
from ansible_collections.warren.load.plugins.module_utils.engine import journal
from ansible_collections.warren.load.plugins.module_utils.phases import create

from .conftest import RUN_ID


def options(services=5, replicas=3, **more):
    return create.Options(RUN_ID, services, replicas, "registry.k8s.io/pause:3.9", **more)


def test_services_are_created_and_every_step_journaled(run_phase, cluster, tmp_path):
    ran = run_phase(create, options())
    assert sorted(service.name for service in cluster.services.values()) == [
        f"wl-{RUN_ID}-{index:04d}" for index in range(1, 6)
    ]
    measured = ran.measurements
    assert (measured["services"], measured["created"], measured["failed"], measured["retries"]) == (5, 5, 0, 0)
    assert measured["service_time"]["p50"]["n"] == 5
    assert measured["rate"]["value"] == pytest.approx(5 / measured["duration"], rel=1e-3)
    assert measured["last_acknowledged"] >= measured["first_sent"] > 1e9
    events = [(event["event"], event["service"][-4:]) for event in journal.read(tmp_path / "journal.jsonl")]
    assert events == [(kind, f"{index:04d}") for index in range(1, 6) for kind in ("create", "created")]
    assert ran.status["text"].startswith("5 of 5 services created, ")
    assert ran.reporter.ended_early is None
    with gzip.open(tmp_path / "create-samples.csv.gz", "rt") as file:
        assert len(list(csv.reader(file))) == 6


def test_failures_are_counted_by_cause_and_are_in_no_time(run_phase, cluster):
    cluster.failing = [Rejected("disk full"), Rejected("disk full")]
    measured = run_phase(create, options()).measurements
    assert (measured["created"], measured["failed"]) == (3, 2)
    assert measured["causes"] == {"disk full (UNKNOWN)": 2}
    assert measured["retries"] == 2
    assert measured["service_time"]["max"]["n"] == 3


def test_nothing_created_has_no_rate(run_phase, cluster):
    cluster.failing = [Rejected("disk full")] * 5
    measured = run_phase(create, options()).measurements
    assert measured["rate"]["value"] is None
    assert measured["duration"] is None
    assert measured["last_acknowledged"] is None


def test_a_create_that_nobody_followed_to_its_end_is_ambiguous(run_phase, cluster, monkeypatch, tmp_path):
    create_service = cluster.create_service

    async def lost(request, deadline_s=30.0):
        if request.name.endswith("2"):
            raise RuntimeError("lost")
        return await create_service(request, deadline_s)

    monkeypatch.setattr(cluster, "create_service", lost)
    ran = run_phase(create, options())
    assert (ran.measurements["created"], ran.measurements["ambiguous"]) == (4, 1)
    assert ran.measurements["causes"] == {"lost": 1}
    assert ran.reporter.problems == ["1 creates were not followed to their end (lost)"]
    (event,) = [event for event in journal.read(tmp_path / "journal.jsonl") if event["event"] == "ambiguous"]
    assert (event["service"][-4:], event["error"]) == ("0002", "lost")


def test_planned_creates_start_at_their_time_and_are_all_made(run_phase, cluster):
    ran = run_phase(create, options(services=20, concurrency=4, rate=200.0))
    measured = ran.measurements
    assert (measured["created"], measured["left_out"], measured["rate_planned"]) == (20, 0, 200.0)
    assert measured["duration"] > 15 / 200
    assert measured["response_time"]["p50"]["n"] == measured["send_lag"]["p50"]["n"] == 20


def test_without_a_plan_there_is_no_response_time(run_phase):
    measured = run_phase(create, options()).measurements
    assert measured["rate_planned"] is None
    assert measured["response_time"]["p50"]["n"] == 0


def test_a_create_that_was_cut_off_is_in_the_journal(run_phase, cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(create, "DRAIN", 0.05)

    async def never(request, deadline_s=30.0):
        await asyncio.Event().wait()

    monkeypatch.setattr(cluster, "create_service", never)
    measured = run_phase(create, options(services=3, rate=100.0), deadline=0.2).measurements
    assert measured["ambiguous"] + measured["left_out"] == 3
    events = [event["event"] for event in journal.read(tmp_path / "journal.jsonl")]
    assert events.count("create") == events.count("ambiguous") == measured["ambiguous"] > 0


def test_very_many_causes_are_counted_together(run_phase, cluster):
    cluster.failing = [Rejected(f"cause {index}") for index in range(30)]
    causes = run_phase(create, options(services=30)).measurements["causes"]
    assert len(causes) == 21
    assert causes["10 other texts"] == 10


def test_the_deadline_ends_it_with_what_it_has(run_phase):
    ran = run_phase(create, options(services=100_000), deadline=0.3)
    assert 0 < ran.measurements["created"] < 100_000
    assert ran.measurements["left_out"] == 100_000 - ran.measurements["created"]
    assert "deadline" in ran.reporter.ended_early


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"services": 0}, "services: 0 must be more than 0"),
        ({"replicas": -1}, "replicas"),
        ({"concurrency": 0}, "concurrency"),
        ({"service_deadline": 0.0}, "service_deadline"),
        ({"rate": -1.0}, "rate"),
    ],
)
def test_refusals(more, message):
    with pytest.raises(ValueError, match=message):
        options(**more)


def test_a_run_id_that_is_none_is_refused():
    with pytest.raises(ValueError, match="run_id"):
        create.Options("yesterday", 1, 1, "image")
    with pytest.raises(ValueError, match="image"):
        create.Options(RUN_ID, 1, 1, "")
