# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.errors import Rejected
from ansible_collections.warren.load.plugins.module_utils.engine import journal
from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter
from ansible_collections.warren.load.plugins.module_utils.engine.write_audit import ACKNOWLEDGED, AMBIGUOUS, Write
from ansible_collections.warren.load.plugins.module_utils.phases import audit_writes, create

from .conftest import OTHER_RUN_ID, RUN_ID

OPTIONS = audit_writes.Options(RUN_ID)


@pytest.fixture
def created(run_phase, cluster):
    """Four creates of which one is refused, and what the cluster does before they are looked for."""
    cluster.read = _read(cluster)
    cluster.failing = [Rejected("disk full")]
    run_phase(create, create.Options(RUN_ID, 4, 1, "registry.k8s.io/pause:3.9"))
    cluster.add_service(f"wl-{OTHER_RUN_ID}-0001")  # another run's, and nobody's business here
    cluster.add_service("web")
    return {service.name[-4:]: service for service in cluster.services.values()}


def _read(cluster):
    async def read(method, request=None, manager=None, timeout=10.0):
        return cluster.answer(method)

    return read


def test_a_cluster_that_kept_its_word(run_phase, cluster, created):
    ran = run_phase(audit_writes, OPTIONS)
    measured = ran.measurements
    assert (measured["acknowledged"], measured["refused"], measured["ambiguous"], measured["broken"]) == (3, 1, 0, 0)
    assert ran.reporter.problems == []
    assert ran.status["text"] == "4 creates looked for, all as acknowledged"
    assert [method for method, _request in cluster.writes] == ["DeleteService"]  # the barrier


def test_a_lost_a_doubled_and_a_refused_one_that_is_there(run_phase, cluster, created):
    names = [f"wl-{RUN_ID}-{number:04d}" for number in (1, 2, 3)]
    del cluster.services[created["0002"].id]
    cluster.add_service(names[2])
    cluster.add_service(names[0])
    ran = run_phase(audit_writes, OPTIONS)
    measured = ran.measurements
    assert (measured["lost"], measured["doubled"], measured["resurrected"], measured["broken"]) == (1, 1, 1, 3)
    assert measured["examples"] == {"lost": [names[1]], "doubled": [names[2]], "resurrected": [names[0]]}
    assert [sentence.partition(" (")[0] for sentence in ran.reporter.problems] == [
        "1 service was acknowledged and is gone",
        "1 service is there more than once",
        "1 service was refused and is there all the same",
    ]
    assert ran.status["text"] == "4 creates looked for, 3 are not as acknowledged"


def test_a_double_of_a_create_that_was_sent_twice_is_no_broken_word(run_phase, cluster, created, monkeypatch):
    cluster.add_service(f"wl-{RUN_ID}-0002")
    journaled = journal.read

    def sent_twice(path):
        for event in journaled(path):
            again = event["event"] == "created"
            yield {**event, "t": event["t"] + 6, "attempts": 2} if again else event

    monkeypatch.setattr(journal, "read", sent_twice)
    ran = run_phase(audit_writes, OPTIONS)
    assert (ran.measurements["doubled"], ran.measurements["resent_doubled"], ran.measurements["broken"]) == (0, 1, 0)
    (sentence,) = ran.reporter.problems
    assert "Warren's double or ours" in sentence


def test_without_a_journal_there_is_nothing_to_say(run_phase, cluster):
    with pytest.raises(ValueError, match=f"knows no create of run {RUN_ID}"):
        run_phase(audit_writes, OPTIONS)


@pytest.mark.parametrize(("said", "waits"), [(AMBIGUOUS, True), (ACKNOWLEDGED, False)])
def test_what_was_sent_last_without_an_answer_is_waited_for(run_phase, cluster, monkeypatch, said, waits):
    """Warren may still propose it, and it would be there a moment after the audit said that it is not."""
    cluster.read = _read(cluster)
    sent = time.time() - 2.0
    older = Write(f"wl-{RUN_ID}-0001", AMBIGUOUS, time=sent - 60.0)
    last = Write(f"wl-{RUN_ID}-0002", said, time=sent)
    monkeypatch.setattr(audit_writes, "writes", lambda _events: {one.service: one for one in (older, last)})
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)

    monkeypatch.setattr(Reporter, "pause", lambda _reporter, seconds: pause(seconds))
    run_phase(audit_writes, OPTIONS)
    # Warren holds a write for 5 s at most, and half a second is the way there.
    assert pauses[0] == pytest.approx(3.5, abs=0.3) if waits else pauses[0] < 0


def test_refusals():
    with pytest.raises(ValueError, match="run_id: 'x' is not a run id"):
        audit_writes.Options("x")
