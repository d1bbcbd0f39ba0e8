# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import types
import typing as t

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.cluster import Created
from ansible_collections.warren.load.plugins.module_utils.api.errors import Unreachable, WarrenError
from ansible_collections.warren.load.plugins.module_utils.api.run_names import run_id_of
from ansible_collections.warren.load.plugins.module_utils.phases import (
    await_containers,
    cleanup,
    create,
    hold,
    settle,
)

from .conftest import OTHER_RUN_ID, RUN_ID


@pytest.fixture(autouse=True)
def _no_wait_for_late_records(monkeypatch):
    monkeypatch.setattr(cleanup, "QUIET", 0.02)
    monkeypatch.setattr(cleanup.Cleanup, "_pause", lambda _self: 0.01)


def fill(cluster, run_id=RUN_ID, services=10, replicas=2):
    for index in range(1, services + 1):
        service = cluster.add_service(f"wl-{run_id}-{index:04d}", replicas)
        for _replica in range(replicas):
            cluster.add_container(service)


def working(cluster, replicas=2):
    """The scheduler and the reconciler, at each look."""

    def tick(_looks):
        cluster.reconcile()
        for service in list(cluster.services.values()):
            if not any(one.service_id == service.id for one in cluster.containers.values()):
                for _replica in range(replicas):
                    cluster.add_container(service)

    cluster.on_look = tick


def options(**changes):
    given: dict[str, t.Any] = {
        "run_id": RUN_ID,
        "seconds": 0.3,
        "replicas": 2,
        "image": "i",
        "interval": 0.02,
        "churn_interval": 0.1,
    }
    return hold.Options(**given | changes)


def churned(times):
    """The phase with so many churns and looks in turn, whatever the time."""

    async def run(cluster, options, reporter):
        held = hold._Hold(cluster, options, reporter)
        await held.begin()
        for _time in range(times):
            with contextlib.suppress(WarrenError):
                await held._cycle()
            await held.look()
        await held.look()
        held.cycles = times
        told = {"least": held.least, "short": held.short_looks, "records": (held.records_last, held.records_most)}
        return {"churn": held.churned(), "services": len(held.live), **told}

    return types.SimpleNamespace(__name__="phases.hold", run=run)


def test_a_load_that_stays(run_phase, cluster):
    fill(cluster)
    fill(cluster, OTHER_RUN_ID)
    ran = run_phase(hold, options())
    held = ran.measurements
    assert held["duration"] >= 0.3
    assert (held["services"], held["containers"], held["short_looks"], held["failed_looks"]) == (10, 20, 0, 0)
    assert held["running_least"] == {"value": 100.0, "unit": "%", "low": None, "high": None, "n": held["looks"]}
    assert held["churn"] is None
    assert held["ticks"][0] == {"t": 0.0, "services": 10, "running": 20, "records": 20}
    assert cluster.writes == []
    assert ran.reporter.ended_early is None
    assert ran.status["text"].startswith("0:00 of 0:00")


def test_a_container_that_is_gone_is_seen(run_phase, cluster):
    fill(cluster)
    lost = next(iter(cluster.containers))
    cluster.on_look = lambda looks: cluster.containers.pop(lost, None) if looks == 3 else None
    held = run_phase(hold, options()).measurements
    assert held["running_least"]["value"] == 95
    assert held["short_looks"] == held["looks"] - 2
    assert min(row["running"] for row in held["ticks"]) == 19


def test_a_service_that_is_gone_is_seen(run_phase, cluster):
    fill(cluster)
    cluster.on_look = lambda looks: cluster.services.pop("s1", None) if looks == 3 else None
    held = run_phase(hold, options()).measurements
    assert held["running_least"]["value"] == 90
    assert min(row["services"] for row in held["ticks"]) == 9


def test_churn_replaces_the_oldest_and_purges(run_phase, cluster):
    fill(cluster)
    fill(cluster, OTHER_RUN_ID)
    working(cluster)
    held = run_phase(churned(2), options(churn=20)).measurements
    churn = held["churn"]
    assert (churn["deleted"], churn["created"], churn["failed"], churn["slow"]) == (4, 4, 0, 0)
    assert churn["records_left"] == churn["records_purged"] == 8
    assert churn["left_per_service"]["value"] == 2
    names = sorted(one.name for one in cluster.services.values() if run_id_of(one.name) == RUN_ID)
    assert names == [f"wl-{RUN_ID}-{index:04d}" for index in range(5, 15)]
    assert sum(run_id_of(one.name) == OTHER_RUN_ID for one in cluster.services.values()) == 10
    assert held["least"] == 100  # a service that is new may take its time
    assert churn["to_running"]["p50"]["n"] == churn["create_time"]["p50"]["n"] == 4
    assert held["records"][0] == 20


def test_without_purge_records_add_up(run_phase, cluster):
    fill(cluster)
    working(cluster)
    held = run_phase(churned(2), options(churn=20, purge=False)).measurements
    assert (held["churn"]["records_left"], held["churn"]["records_purged"]) == (8, 0)
    assert held["records"] == (28, 28)


def test_churn_comes_in_its_interval(run_phase, cluster):
    fill(cluster)
    working(cluster)
    churn = run_phase(hold, options(churn=20, seconds=0.5)).measurements["churn"]
    assert churn["cycles"] >= 1
    assert churn["deleted"] == churn["created"] == 2 * churn["cycles"]


def test_an_outage_is_counted_and_outlasted(run_phase, cluster):
    fill(cluster)
    cluster.on_look = lambda looks: cluster.failing.extend([Unreachable("refused")] * 3 * (looks == 3))
    ran = run_phase(hold, options())
    assert ran.measurements["failed_looks"] >= 1
    assert ran.measurements["duration"] >= 0.3
    assert "calls failed while the load was held (refused (UNAVAILABLE))" in " ".join(ran.reporter.problems)


def test_what_is_created_in_vain_is_tried_again(run_phase, cluster, monkeypatch):
    fill(cluster)
    working(cluster)
    refused = iter([True])
    create = cluster.create_service

    async def failing(request, deadline_s=30.0):
        if next(refused, False):
            cluster.failing = [Unreachable("refused")]
        return await create(request, deadline_s)

    monkeypatch.setattr(cluster, "create_service", failing)
    churn = run_phase(churned(2), options(churn=10)).measurements["churn"]
    assert (churn["failed"], churn["created"], churn["deleted"]) == (1, 2, 2)


def ours(cluster):
    return sorted(one.name for one in cluster.services.values() if run_id_of(one.name) == RUN_ID)


def broken_after(cluster, monkeypatch, method, count, *, patience=0.0):
    """After so many calls of that method one read is not answered, which a Cleanup of so much patience sees."""
    write, answer = cluster.write, cluster.answer
    left, broken = [count], [False]

    def seen(called):
        left[0] -= called == method
        broken[0] = called == method and left[0] == 0

    async def writing(called, request=None, deadline_s=30.0):
        answered = await write(called, request, deadline_s)
        seen(called)
        return answered

    def answering(called):
        monkeypatch.setattr(cleanup, "PATIENCE", patience if broken[0] else 30.0)
        if broken[0]:
            broken[0] = False
            raise Unreachable("refused")
        answered = answer(called)
        seen(called)
        return answered

    monkeypatch.setattr(cluster, "write", writing)
    monkeypatch.setattr(cluster, "answer", answering)


@pytest.mark.parametrize(("method", "count"), [("DeleteService", 2), ("ListServices", 2)])
def test_an_outage_in_the_middle_of_a_churn(run_phase, cluster, monkeypatch, method, count):
    """After the deletes nobody tells what they did; and before them nobody tells what there is."""
    fill(cluster)
    working(cluster)
    broken_after(cluster, monkeypatch, method, count)
    monkeypatch.setattr(hold, "YOUNG", 0.0)
    held = run_phase(churned(2), options(churn=20)).measurements
    churn = held["churn"]
    assert (churn["deleted"], churn["created"], churn["failed"]) == (2, 2, 0)
    assert churn["records_left"] == churn["records_purged"] == 4
    assert ours(cluster) == [f"wl-{RUN_ID}-{index:04d}" for index in range(3, 13)]
    assert held["services"] == 10
    # For as long as nothing is in their place, deleted services are missing.
    assert (held["least"], held["short"]) == ((80, 1) if method == "DeleteService" else (100, 0))


def test_a_short_outage_in_the_middle_of_a_churn_is_outlasted(run_phase, cluster, monkeypatch):
    fill(cluster)
    working(cluster)
    broken_after(cluster, monkeypatch, "DeleteService", 2, patience=30.0)
    monkeypatch.setattr(cleanup, "RETRY_PAUSE", 0.01)
    held = run_phase(churned(1), options(churn=20)).measurements
    assert (held["churn"]["deleted"], held["churn"]["created"], held["least"]) == (2, 2, 100)


def refusing(cluster, monkeypatch, status="failed", times=99):
    """The first creates end so."""
    create, left = cluster.create_service, iter(range(times))

    async def refuse(request, deadline_s=30.0):
        if next(left, None) is None:
            return await create(request, deadline_s)
        if status == "ambiguous":
            cluster.add_service(request.name, request.replicas)
        return Created(status, None, 1, Unreachable("refused"))

    monkeypatch.setattr(cluster, "create_service", refuse)


@pytest.mark.parametrize(("grace", "least"), [(0.0, 80), (60.0, 100)])
def test_where_every_create_is_refused_no_more_is_deleted(run_phase, cluster, monkeypatch, grace, least):
    """What is to be replaced has as long for it as what is new."""
    fill(cluster)
    working(cluster)
    refusing(cluster, monkeypatch)
    monkeypatch.setattr(hold, "YOUNG", grace)
    held = run_phase(churned(3), options(churn=20)).measurements
    assert (held["churn"]["deleted"], held["churn"]["created"], held["churn"]["failed"]) == (2, 0, 3)
    assert (len(ours(cluster)), held["least"]) == (8, least)


def test_what_was_created_though_nobody_could_tell_does_not_stay(run_phase, cluster, monkeypatch):
    fill(cluster)
    working(cluster)
    refusing(cluster, monkeypatch, "ambiguous", times=1)
    held = run_phase(churned(2), options(churn=10)).measurements
    assert (held["churn"]["deleted"], held["churn"]["created"], held["churn"]["failed"]) == (2, 2, 1)
    assert len(ours(cluster)) == held["services"] == 10


def test_records_that_a_purge_left_go_with_the_next(run_phase, cluster, monkeypatch):
    fill(cluster)
    working(cluster)
    purge = cleanup.Cleanup.run
    broken = iter([True])

    async def giving_up(self):
        if next(broken, False):
            self._reporter.end_early("no manager has answered for 30 s")
        else:
            await purge(self)

    monkeypatch.setattr(cleanup.Cleanup, "run", giving_up)
    churn = run_phase(churned(2), options(churn=10)).measurements["churn"]
    assert churn["records_left"] == churn["records_purged"] == 4
    assert len(cluster.containers) == 20


def test_a_purge_that_gives_up_does_not_end_the_hold(run_phase, cluster, monkeypatch):
    async def giving_up(self):
        self._reporter.end_early("no manager has answered for 30 s")

    monkeypatch.setattr(cleanup.Cleanup, "run", giving_up)
    fill(cluster)
    working(cluster)
    ran = run_phase(hold, options(churn=10))
    assert ran.measurements["churn"]["deleted"] >= 1
    assert ran.reporter.ended_early is None


def test_the_end_of_the_deadline_is_said(run_phase, cluster):
    fill(cluster)
    ran = run_phase(hold, options(seconds=60), deadline=0.1)
    assert ran.reporter.ended_early == "the deadline of 0.1 s has passed"


def test_rows_are_as_many_however_long(run_phase, cluster, monkeypatch):
    monkeypatch.setattr(hold, "ROWS", 5)
    fill(cluster)
    assert 1 < len(run_phase(hold, options(interval=0.005)).measurements["ticks"]) <= 5


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"seconds": 0}, "seconds: 0"), ({"churn": 101}, "churn: 101 is no percentage"), ({"replicas": 0}, "replicas: 0")],
)
def test_wrong_options(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        options(**changes)


def test_nothing_to_hold(run_phase, cluster):
    with pytest.raises(ValueError, match="has no services on the cluster"):
        run_phase(hold, options())


def test_what_deleted_services_leave(run_phase, cluster):
    fill(cluster)
    fill(cluster, OTHER_RUN_ID)
    ran = run_phase(settle, settle.Options(RUN_ID, 0.1, interval=0.02))
    left = ran.measurements
    assert (left["deleted"], left["services_left"]) == (10, 0)
    assert (left["records_left"], left["orphans"], left["running"], left["states"]) == (20, 20, 20, {"running": 20})
    assert left["duration"] >= 0.1
    # With Warren's own call, and nothing else.
    assert {method for method, _request in cluster.writes} == {"DeleteService"}
    assert len(cluster.services) == 10
    assert ran.status["text"] == "10 services deleted, 20 container records left"


def test_a_service_that_was_said_to_be_deleted_is_not_deleted_again(run_phase, cluster, monkeypatch):
    fill(cluster)
    kept = next(iter(cluster.services.values()))
    write = cluster.write

    async def forgetful(method, request=None, deadline_s=30.0):
        answer = await write(method, request, deadline_s)
        cluster.services[kept.id] = kept
        return answer

    monkeypatch.setattr(cluster, "write", forgetful)
    left = run_phase(settle, settle.Options(RUN_ID, 0.1, interval=0.02)).measurements
    assert (left["deleted"], left["services_left"], left["orphans"]) == (9, 1, 18)
    assert len(cluster.writes) == 10


def test_a_service_that_comes_back_is_left(run_phase, cluster):
    """Also where it does so after the last look but one."""
    fill(cluster, services=1)
    (back,) = cluster.services.values()
    cluster.on_look = lambda looks: cluster.services.update({back.id: back}) if looks == 3 else None
    left = run_phase(settle, settle.Options(RUN_ID, 0.05, interval=60)).measurements
    assert (left["deleted"], left["services_left"]) == (0, 1)


def test_a_delete_that_fails_is_sent_again(run_phase, cluster):
    fill(cluster, services=1)
    cluster.on_look = lambda looks: cluster.failing.append(Unreachable("gone")) if looks == 1 else None
    left = run_phase(settle, settle.Options(RUN_ID, 0.05, interval=0.02)).measurements
    assert (left["deleted"], left["services_left"]) == (1, 0)


def test_what_goes_by_itself_is_not_left(run_phase, cluster):
    fill(cluster)
    cluster.on_look = lambda looks: cluster.containers.clear() if looks == 3 else None
    left = run_phase(settle, settle.Options(RUN_ID, 0.1, interval=0.02)).measurements
    assert (left["deleted"], left["records_left"], left["orphans"]) == (10, 0, 0)


def test_a_second_round_has_services_of_its_own(run_phase, cluster):
    fill(cluster, services=3)
    for service in list(cluster.services):
        del cluster.services[service]  # deleted, and their records are left
    created = run_phase(create, create.Options(RUN_ID, services=2, replicas=2, image="i", first=4)).measurements
    assert created["created"] == 2
    assert [one.name for one in cluster.services.values()] == [f"wl-{RUN_ID}-0004", f"wl-{RUN_ID}-0005"]
    working(cluster)
    waited = run_phase(await_containers, await_containers.Options(RUN_ID, interval=0.01, first=4)).measurements
    assert (waited["expected"], waited["running"], waited["records"], waited["settled"]) == (4, 4, 4, True)
