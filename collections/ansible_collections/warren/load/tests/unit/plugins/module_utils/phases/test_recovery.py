# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import time
import typing as t

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from ansible_collections.warren.load.plugins.module_utils.phases import create, recovery

from .conftest import RUN_ID

FAST = 1000.0  # so that Warren's 50 s are 50 ms


class Look(t.NamedTuple):
    """``run(story)`` looks; ``over(load, **fault)``: load, or fault, is over; ``hit(name, time)``: somebody is hit."""

    run: t.Any
    over: t.Any
    hit: t.Any

    def __call__(self, *story: t.Any, **options: t.Any) -> t.Any:
        return self.run(*story, **options)


def node(name, status="ready"):
    return message("Node")(id=name, role="worker", status=status)


@pytest.fixture
def look(run_phase, cluster, tmp_path):
    """Two services of two containers on worker-1; then what ``story(look number)`` does, and what was seen."""
    cluster.nodes = [node("worker-1"), node("worker-2")]
    run_phase(create, create.Options(RUN_ID, 2, 2, "registry.k8s.io/pause:3.9"))
    for service in cluster.services.values():
        for _each in range(2):
            cluster.add_container(service, 0.0)

    def look(story=lambda looks: None, **options):
        cluster.on_look = story
        given = {"interval": 0.02, "clock_factor": FAST, **options}
        return run_phase(recovery, recovery.Options(RUN_ID, str(tmp_path), **given))

    def over(load=True, **fault):
        if load:
            (tmp_path / recovery.LOAD_OVER).touch()
        if fault:
            (tmp_path / recovery.FAULT_OVER).write_text(json.dumps(fault))

    def hit(name, moment=None):
        mark = tmp_path / f"hit-{name}"
        mark.touch()
        if moment is not None:
            os.utime(mark, (moment, moment))

    return Look(look, over, hit)


def test_nothing_was_lost(look):
    look.hit("manager-1", time.time() - 60)
    look.over(lost=[], silent=True)
    measured = look().measurements
    assert (measured["settled"], measured["why"], measured["running"], measured["expected"]) == (True, "", 4, 4)
    assert (measured["touched"], measured["replaced"], measured["restored_at"], measured["changes"]) == (0, 0, None, [])


def test_a_worker_that_is_killed_and_replaced(look, cluster):
    began = time.time()
    look.hit("worker-1")
    look.over(lost=["worker-1"], silent=True)

    def story(looks):
        if looks == 4:
            cluster.nodes[0].status = "down"
            for one in list(cluster.containers.values()):
                one.desired_state, one.actual_state = "shutdown", "failed"
            for service in cluster.services.values():
                for _each in range(2):
                    cluster.add_container(service, time.time() - began, "pending", "worker-2")
        if looks == 8:
            for one in cluster.containers.values():
                if one.node_id == "worker-2":
                    one.actual_state = "running"

    measured = look(story).measurements
    assert (measured["settled"], measured["running"], measured["records"]) == (True, 4, 8)
    assert (measured["touched"], measured["replaced"], measured["ready_end"]) == (2, 4, 1)
    ((down,),) = ([change for change in measured["changes"] if change["status"] == "down"],)
    assert down["node"] == "worker-1"
    assert began < down["time"]
    assert began < measured["last_replaced"] < measured["restored_at"] <= measured["ended"] + 0.001
    assert measured["states"] == {"shutdown/failed": 4, "running/running": 4}


def test_a_worker_that_comes_back(look, cluster):
    """Warren removes the records that it had, and gives it others: neither hides what its silence cost."""
    look.hit("worker-1", time.time() - 0.01)
    seen = {}

    def story(looks):
        if looks == 4:
            cluster.nodes[0].status = "down"
            for service in cluster.services.values():
                for _each in range(2):
                    cluster.add_container(service, 0.0, "running", "worker-2")
        if looks == 8:
            seen["restored"] = time.time()
            cluster.nodes[0].status = "ready"
            for one in [one for one in cluster.containers.values() if one.node_id == "worker-1"]:
                del cluster.containers[one.id]
        if looks == 20:
            for one in cluster.containers.values():
                if one.service_id == min(cluster.services):
                    one.node_id = "worker-1"
            look.over(lost=[], silent=True)

    measured = look(story).measurements
    assert (measured["settled"], measured["running"], measured["records"], measured["ready_end"]) == (True, 4, 4, 2)
    assert (measured["touched"], measured["replaced"]) == (2, 4)
    assert measured["restored_at"] <= seen["restored"]
    assert [change["status"] for change in measured["changes"]] == ["down", "ready"]


def test_records_that_say_running_on_a_worker_that_is_gone_do_not_count(look, cluster):
    look.hit("worker-1", time.time() - 60)
    look.over(lost=["worker-1"], silent=True)

    def story(looks):
        if looks == 5:  # nobody replaced them, but a worker that was never ill runs them
            for one in cluster.containers.values():
                one.node_id = "worker-2"

    assert look(story).measurements["looks"] >= 5


def test_workers_that_never_come_back_end_it(look, cluster):
    look.hit("manager-1")
    look.over(lost=["manager-1"], silent=True)

    def story(looks):
        if looks == 3:
            for one in cluster.nodes:
                one.status = "down"
            for container in cluster.containers.values():
                container.desired_state, container.actual_state = "shutdown", "failed"

    ran = look(story)
    measured = ran.measurements
    assert (measured["settled"], measured["why"]) == (False, "no worker is ready, and none comes back")
    assert (measured["running"], measured["ready_most"], measured["ready_end"], measured["replaced"]) == (0, 2, 0, 0)
    assert len(measured["changes"]) == 2
    assert ran.reporter.ended_early is None  # that is a result, and no failure of the phase


def test_it_waits_for_load_and_fault(look):
    def story(looks):
        if looks == 5:
            look.over()
        if looks == 10:
            look.over(lost=[], silent=False)

    assert look(story).measurements["looks"] >= 10


@pytest.mark.parametrize("ahead", [-60.0, 0.0, 60.0])
def test_not_before_a_loss_can_be_known(look, ahead):
    """30 s without a heartbeat, and a look every 10: until then all seems well. Whatever the target's clock says."""
    began = time.time()
    look.hit("manager-1", began)
    look.over(lost=[], began=began + ahead, silent=True)
    measured = look(clock_factor=100.0).measurements
    assert measured["settled"] is True
    assert began + 0.5 <= measured["ended"] < began + 5


def test_not_before_the_loss_of_the_last_one_can_be_known(look):
    began = time.time()
    look.hit("worker-1", began - 60)
    look.hit("worker-2", began)
    look.over(lost=[], silent=True)
    assert look(clock_factor=100.0).measurements["ended"] >= began + 0.5


def test_a_fault_whose_begin_was_not_told_counts_from_when_it_was_over(look):
    began = time.time()
    look.over(lost=[], silent=True)
    assert look(clock_factor=100.0).measurements["ended"] >= began + 0.5


@pytest.mark.parametrize("ahead", [-60.0, 0.0, 60.0])
def test_what_is_placed_on_who_is_gone(look, cluster, ahead):
    """Whatever the clock of the leader says, and for each from when it was hit itself."""

    def story(looks):
        service = next(iter(cluster.services.values()))
        if looks == 2:
            look.hit("worker-1")
        elif looks == 4:
            cluster.add_container(service, ahead, "pending", "worker-1")  # gone
            cluster.add_container(service, ahead, "pending", "worker-2")  # not yet
        elif looks == 6:
            look.hit("worker-2")
            look.over(lost=["worker-1", "worker-2"], silent=True)
        elif looks == 8:
            for one in cluster.nodes:
                one.status = "down"

    measured = look(story).measurements
    assert (measured["placed_on_lost"], measured["replaced"]) == (1, 2)


@pytest.mark.parametrize("ahead", [-60.0, 60.0])
def test_what_came_last_is_the_replacement_whatever_its_leaders_clock(look, cluster, ahead):
    began = time.time()
    look.over(lost=[], silent=False)
    added = []

    def story(looks):
        if looks == 4:
            for one in list(cluster.containers.values()):
                one.desired_state, one.actual_state = "shutdown", "failed"
            for service in cluster.services.values():
                for _each in range(2):
                    cluster.add_container(service, ahead, "running", "worker-2")
            added.append(time.time())

    cluster.nodes[0].status = "down"
    measured = look(story).measurements
    assert measured["replaced"] == 4
    assert began < added[0] <= measured["last_replaced"]


def test_wrong_use():
    with pytest.raises(ValueError, match="run_id"):
        recovery.Options("x", "/tmp")
    with pytest.raises(ValueError, match="clock_factor"):
        recovery.Options(RUN_ID, "/tmp", clock_factor=0)
