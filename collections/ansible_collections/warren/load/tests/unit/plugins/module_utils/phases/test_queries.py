# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.errors import (
    NoLeader,
    SecurityError,
    Unimplemented,
    Unreachable,
)
from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter
from ansible_collections.warren.load.plugins.module_utils.phases import cluster_info, preflight, wiring

from .conftest import RUN_ID


def look(cluster, query, options):
    async def opened():
        return cluster

    return asyncio.run(query.run(opened, options))


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
    monkeypatch.setattr(cluster_info, "PAUSE", 0.01)


def test_a_fit_cluster(cluster):
    found = look(cluster, preflight, preflight.Options())
    assert found["leader"] == "manager-1"
    assert found["managers"][0]["reachable"] is True
    assert found["voters"] == ["manager-1"]
    assert found["workers_ready"] == ["worker-1"]
    assert (found["dialect"], found["security"]) == ("tasks", "plaintext")
    assert found["findings"] == []


def test_leftovers_and_records_are_findings(cluster):
    cluster.add_container(cluster.add_service(f"wl-{RUN_ID}-0001"))
    orphan = cluster.add_service("gone")
    cluster.add_container(orphan)
    del cluster.services[orphan.id]
    found = look(cluster, preflight, preflight.Options())
    assert found["leftovers"] == {RUN_ID: {"services": 1, "containers": 1}}
    assert found["container_records"] == 2
    assert any("cleanup.yml" in finding and RUN_ID in finding for finding in found["findings"])
    assert any(
        finding.startswith("1 container records are there that no run of ours made") for finding in found["findings"]
    )


def test_foreign_services_are_refused_unless_allowed(cluster):
    for index in range(7):
        cluster.add_service(f"theirs-{index}")
    with pytest.raises(ValueError, match=r"7 services .*theirs-4 and 2 more.*warren_load_allow_foreign"):
        look(cluster, preflight, preflight.Options())
    assert len(look(cluster, preflight, preflight.Options(allow_foreign=True))["services_foreign"]) == 7


def test_no_leader_and_too_few_workers_are_refused(cluster):
    with pytest.raises(ValueError, match="Only 1 of the 2 workers"):
        look(cluster, preflight, preflight.Options(workers=2))
    cluster.nodes[0].status = "down"
    with pytest.raises(ValueError, match=r"No worker is ready \(nodes now: 1 down\)"):
        look(cluster, preflight, preflight.Options())
    cluster.leader_name = None
    with pytest.raises(NoLeader, match="within 15 s, and of its 1 manager manager-1 answered"):
        look(cluster, preflight, preflight.Options())


def test_every_reason_against_a_run_is_named_at_once(cluster):
    cluster.add_service("theirs")
    with pytest.raises(
        ValueError, match=r"Only 1 of the 3 .*\n1 service is there that .*theirs.*\nwarren_load_image is"
    ):
        look(cluster, preflight, preflight.Options(workers=3, image="nginx"))


def test_hollow_workers_pull_no_image(cluster):
    look(cluster, preflight, preflight.Options(image="nginx", hollow_prefix="worker-"))


def test_why_nobody_answers(cluster):
    async def opened():
        raise Unreachable("nobody answers at 10.0.0.1:8080", sent=False)

    options = preflight.Options(listed=True, hosts=[{"name": "manager-1", "unreachable": True}])
    with pytest.raises(ValueError, match="limactl start manager-1"):
        asyncio.run(preflight.run(opened, options))


def test_managers_and_other_roles_are_no_workers(cluster):
    cluster.nodes[0].role = "manager"
    with pytest.raises(ValueError, match="No worker is ready"):
        look(cluster, preflight, preflight.Options())
    cluster.nodes[0].role = "hybrid"
    assert look(cluster, preflight, preflight.Options())["workers_ready"] == ["worker-1"]


def test_a_cluster_without_a_leader_can_be_looked_at(cluster):
    cluster.leader_name = None
    assert look(cluster, cluster_info, cluster_info.Options())["leader"] is None


@pytest.mark.parametrize(
    ("wait_for", "sentence"),
    [
        ({"managers": 3, "leader": True, "ready_workers": None}, "counts 1 of 3 managers"),
        ({"managers": None, "leader": True, "ready_workers": 2}, "1 of 2 workers are ready"),
    ],
)
def test_waiting_in_vain_is_one_sentence(cluster, wait_for, sentence):
    with pytest.raises(ValueError, match=sentence):
        look(cluster, cluster_info, cluster_info.Options(wait_for, timeout=0.05))


def test_waiting_ends_as_soon_as_it_is_so(cluster):
    cluster.leader_name = None

    def on_look(looks):
        if looks == 3:
            cluster.leader_name = "manager-1"

    cluster.on_look = on_look
    found = look(cluster, cluster_info, cluster_info.Options({"leader": True}, timeout=10))
    assert found["leader"] == "manager-1"


def test_a_cluster_that_does_not_answer_yet_is_waited_for(cluster):
    tries = []

    async def opened():
        tries.append(1)
        if len(tries) < 3:
            raise Unreachable("nobody answers at 10.0.0.1:8080", sent=False)
        return cluster

    asyncio.run(cluster_info.run(opened, cluster_info.Options({"leader": True}, timeout=10)))
    assert len(tries) == 3
    tries.clear()
    with pytest.raises(Unreachable):
        asyncio.run(cluster_info.run(opened, cluster_info.Options(None, timeout=10)))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("services: 0 must be more than 0"), "services: 0 must be more than 0."),
        (ValueError("the cluster is late."), "The cluster is late."),
        (ValueError("warren_load_image is wrong"), "warren_load_image is wrong."),
        (SecurityError("the CA is wrong"), "The CA is wrong."),
        (Unreachable("nobody answers at x:1", sent=False), "No manager can be reached: nobody answers at x:1; start"),
        (NoLeader("nobody leads"), "The cluster has no leader: nobody leads; see"),
        (
            Unimplemented("unknown method", "UNIMPLEMENTED", "ListNodes"),
            "ListNodes: unknown method (UNIMPLEMENTED)",
        ),
        (ValueError(), "ValueError."),
    ],
)
def test_failures_are_sentences(error, text):
    sentence = wiring.sentence(error)
    assert sentence.startswith(text)
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.mark.parametrize(("failures", "connects"), [(2, True), (99, False)])
def test_a_phase_may_be_patient_with_managers_that_do_not_answer(tmp_path, monkeypatch, failures, connects):
    tries = []

    async def connect(params):
        tries.append(params)
        if len(tries) <= failures:
            raise Unreachable("Connection refused", sent=False)
        return "the cluster"

    monkeypatch.setattr(wiring, "connect", connect)
    monkeypatch.setattr(wiring, "RETRY_PAUSE", 0.02)

    async def patiently():
        with Reporter(tmp_path, "cleanup", None) as reporter:
            return await wiring.connect_patiently({}, reporter, 0.1)

    if connects:
        assert asyncio.run(patiently()) == "the cluster"
        assert len(tries) == 3
    else:
        with pytest.raises(Unreachable):
            asyncio.run(patiently())
        assert 2 < len(tries) < 10
