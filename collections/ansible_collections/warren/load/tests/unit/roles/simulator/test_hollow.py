# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A hollow worker obeys and reports as Warren's worker does (facts/warren.md 4.4), and better where it says so."""

from __future__ import annotations

import asyncio
import json

import grpc.aio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from warren_simulator import hollow
from warren_simulator.hollow import Behaviour, Fleet, FleetOptions, HollowWorker, has_registry
from warren_simulator.hollow_cli import main

IMAGE = "docker.io/library/nginx:alpine"


def reply(*records):
    """An encoded poll reply of (id, desired, actual) triples, or (id, desired, actual, image)."""
    containers = [
        {"id": r[0], "desired_state": r[1], "actual_state": r[2], "image": r[3] if len(r) > 3 else IMAGE}
        for r in records
    ]
    return message("ListContainersResponse")(containers=containers).SerializeToString()


def statuses(beat):
    request = message("HeartbeatRequest").FromString(beat.request)
    return {s.container_id: (s.actual_state, s.runtime_container_id) for s in request.container_statuses}


def worker(**behaviour):
    return HollowWorker("worker-1", Behaviour(**behaviour))


def test_a_new_container_runs_and_every_heartbeat_carries_it():
    one = worker()
    one.observe(reply(("a", "running", "pending"), ("b", "running", "pending")), now=0)
    for _twice in range(2):
        (beat,) = one.beats()
        assert statuses(beat) == {"a": ("running", "a"), "b": ("running", "b")}
        one.acknowledged(beat)


def test_a_start_delay_is_reported_as_pending_without_a_runtime_id():
    one = worker(start_delay=2.0)
    one.observe(reply(("a", "running", "pending")), now=10)
    assert statuses(one.beats()[0]) == {"a": ("pending", "")}
    one.advance(11.9)
    assert statuses(one.beats()[0]) == {"a": ("pending", "")}
    one.advance(12.0)
    assert statuses(one.beats()[0]) == {"a": ("running", "a")}


def test_a_stopped_container_is_reported_until_acknowledged_and_then_forgotten():
    one = worker()
    one.observe(reply(("a", "running", "pending")), now=0)
    stopping = reply(("a", "shutdown", "running"))
    one.observe(stopping, now=3)
    (beat,) = one.beats()
    assert statuses(beat) == {"a": ("complete", "a")}
    assert statuses(one.beats()[0])  # nobody acknowledged it
    one.acknowledged(beat)
    assert one.beats()[0].states == {}
    # The manager may have dropped the status without a word: the same reply again makes us say it again.
    one.observe(stopping, now=6)
    assert statuses(one.beats()[0]) == {"a": ("complete", "a")}
    one.observe(reply(("a", "shutdown", "complete")), now=9)
    one.acknowledged(one.beats()[0])
    one.observe(reply(("a", "shutdown", "complete")), now=12)
    assert one.beats()[0].states == {}


def test_a_stop_overtakes_a_start():
    one = worker(start_delay=5.0)
    one.observe(reply(("a", "running", "pending")), now=0)
    one.observe(reply(("a", "shutdown", "pending")), now=3)
    one.advance(6)
    assert statuses(one.beats()[0]) == {"a": ("complete", "a")}


def test_stops_of_containers_that_it_never_knew_are_reported_too():
    one = worker()
    one.observe(reply(("old", "shutdown", "failed"), ("done", "shutdown", "complete")), now=0)
    assert statuses(one.beats()[0]) == {"old": ("complete", "old")}


def test_what_has_no_record_any_more_is_forgotten():
    one = worker()
    one.observe(reply(("a", "running", "pending"), ("b", "running", "pending")), now=0)
    one.observe(reply(("b", "running", "running")), now=3)
    assert list(one.beats()[0].states) == ["b"]


def test_what_a_cleanup_reports_failed_is_not_reported_running_again():
    one = worker()
    one.observe(reply(("a", "running", "pending"), ("b", "running", "running")), now=0)
    one.observe(reply(("a", "running", "failed"), ("b", "running", "running")), now=3)
    assert one.beats()[0].states == {"a": "failed", "b": "running"}
    one.observe(reply(("a", "shutdown", "failed"), ("b", "running", "running")), now=6)
    assert one.beats()[0].states == {"a": "complete", "b": "running"}


def test_an_unacknowledged_change_meanwhile_is_not_lost():
    """The acknowledgement of `running` must not count for `complete`."""
    one = worker(heartbeats="changes")
    one.observe(reply(("a", "running", "pending")), now=0)
    (beat,) = one.beats()
    one.observe(reply(("a", "shutdown", "running")), now=3)
    one.acknowledged(beat)
    assert statuses(one.beats()[0]) == {"a": ("complete", "a")}


def test_changes_only_in_chunks():
    one = worker(heartbeats="changes")
    ids = [f"c{number:04d}" for number in range(1700)]
    one.observe(reply(*((each, "running", "pending") for each in ids)), now=0)
    beats = one.beats()
    assert [len(beat.states) for beat in beats] == [800, 800, 100]
    for beat in beats[:2]:
        one.acknowledged(beat)
    assert [len(beat.states) for beat in one.beats()] == [100]
    one.acknowledged(one.beats()[0])
    assert [len(beat.states) for beat in one.beats()] == [0]  # still a heartbeat


def test_quiet_heartbeats_carry_nothing():
    one = worker()
    one.observe(reply(("a", "running", "pending")), now=0)
    (beat,) = one.beats(quiet=True)
    assert statuses(beat) == {}
    assert message("HeartbeatRequest").FromString(beat.request).node_id == "worker-1"


def test_a_fraction_fails_by_seed():
    def outcomes(seed):
        one = HollowWorker("worker-1", Behaviour(fail_fraction=0.25), seed)
        one.observe(reply(*((f"{number}", "running", "pending") for number in range(400))), now=0)
        return [state for state, _runtime in statuses(one.beats()[0]).values()]

    assert outcomes(1) == outcomes(1) != outcomes(2)
    assert 60 < outcomes(1).count("failed") < 140
    assert set(outcomes(1)) == {"failed", "running"}


@pytest.mark.parametrize(
    ("image", "found"),
    [
        (IMAGE, True),
        ("localhost/nginx", True),
        ("127.0.0.1:5000/pause:lab", True),
        ("nginx:latest", False),
        ("library/nginx", False),
        ("", False),
    ],
)
def test_images_without_a_registry(image, found):
    assert has_registry(image) is found
    for defects, state in ((frozenset(), "running"), (frozenset({"pull-failure"}), "running" if found else "failed")):
        one = worker(defects=defects)
        one.observe(reply(("a", "running", "pending", image)), now=0)
        assert statuses(one.beats()[0])["a"][0] == state


def test_images_that_exit_at_once_stay_complete_until_they_are_stopped():
    one = worker(defects=frozenset({"complete-respawn"}))
    one.observe(reply(("a", "running", "pending", "docker.io/library/alpine:3.20"), ("b", "running", "pending")), now=0)
    for _twice in range(2):
        (beat,) = one.beats()
        assert statuses(beat) == {"a": ("complete", "a"), "b": ("running", "b")}
        one.acknowledged(beat)
    one.observe(reply(("a", "shutdown", "complete"), ("b", "running", "running")), now=3)
    one.acknowledged(one.beats()[0])
    assert list(one.beats()[0].states) == ["b"]


def test_the_leak_of_real_workers():
    """Forgotten 2 s after the stop, reported or not; what it never knew it leaves alone."""
    one = worker(defects=frozenset({"leaked-shutdown"}))
    one.observe(reply(("a", "running", "pending")), now=0)
    stopping = reply(("a", "shutdown", "running"), ("old", "shutdown", "running"))
    one.observe(stopping, now=3)
    one.acknowledged(one.beats()[0])
    assert statuses(one.beats()[0]) == {"a": ("complete", "a")}
    one.advance(5.1)
    assert one.beats()[0].states == {}
    one.observe(stopping, now=6)
    assert one.beats()[0].states == {}


@given(
    st.lists(
        st.one_of(
            st.lists(
                st.tuples(
                    st.sampled_from("abcde"),
                    st.sampled_from(("running", "shutdown", "")),
                    st.sampled_from(("pending", "running", "failed", "complete", "")),
                ),
                unique_by=lambda record: record[0],
            ),
            st.booleans(),
        ),
        max_size=20,
    ),
    st.sampled_from(("full", "changes")),
)
def test_whatever_happens_it_reports_exactly_what_it_holds(steps, mode):
    """Polls in any order, acknowledged or lost heartbeats: stopped is never called running, gone is never reported."""
    one = worker(heartbeats=mode, start_delay=1.0)
    stopped: set[str] = set()
    assigned: set[str] = set()
    for now, step in enumerate(steps):
        if isinstance(step, bool):
            for beat in one.beats():
                if step:
                    one.acknowledged(beat)
        else:
            # Warren never takes a shutdown back; a worker that has forgotten the container takes it for a new one.
            anew = {record[0] for record in step if record[1] == "running"} - one.held.keys()
            one.observe(reply(*step), now)
            assigned = {record[0] for record in step}
            stopped = (stopped - anew | {record[0] for record in step if record[1] == "shutdown"}) & assigned
        reported = {}
        for beat in one.beats():
            reported.update(beat.states)
        assert set(reported) <= assigned
        assert all(reported[each] == "complete" for each in stopped & set(reported))


# --- the fleet on a wire ----------------------------------------------------------------------------------------------


class Manager:
    """A manager of dialect `tasks` that notes what it is asked; ``refusals``: texts for the next registrations."""

    def __init__(self, refusals=()):
        self.calls = []
        self.refusals = list(refusals)
        self.hangs = False

    async def __aenter__(self):
        self.server = grpc.aio.server()
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(self._handler(name))
            for name in ("RegisterNode", "Heartbeat", "ListTasks")
        }
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("warren.v1.WarrenAPI", handlers),))
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        await self.server.start()
        return self

    async def __aexit__(self, *_exc):
        await self.server.stop(0)

    def _handler(self, name):
        async def handle(request, context):
            self.calls.append((name, request))
            if name == "RegisterNode" and self.refusals:
                await context.abort(grpc.StatusCode.UNKNOWN, self.refusals.pop(0))
            if name == "Heartbeat" and self.hangs:
                await asyncio.sleep(30)
            return reply(("a", "running", "pending")) if name == "ListTasks" else b""

        return handle

    def of(self, name):
        return [request for called, request in self.calls if called == name]


def drive(manager, until, **options):
    """Run a fleet against ``manager`` until ``until(fleet)``; its last stats and what it said."""
    said: list[str] = []

    async def run():
        fleet = Fleet(FleetOptions(manager=manager.address, clock_factor=100.0, **options), said.append)
        running = asyncio.create_task(fleet.run())
        try:
            async with asyncio.timeout(20):
                while not until(fleet) and not running.done():  # noqa: ASYNC110 - `until` looks at plain counters
                    await asyncio.sleep(0.005)
        finally:
            fleet.stop()
            await running
        return fleet.stats()

    return run, said


def test_a_fleet_registers_with_resources_then_beats_and_polls(tmp_path):
    stats_file = tmp_path / "stats.json"

    async def scenario():
        async with Manager() as manager:
            run, said = drive(
                manager,
                lambda fleet: fleet.heartbeats.sent > 8 and len(manager.of("Heartbeat")) > 8,
                node_ids=("w-1", "w-2"),
                stats_file=str(stats_file),
            )
            return manager, await run(), said

    manager, stats, said = asyncio.run(scenario())
    registered = [message("RegisterNodeRequest").FromString(request) for request in manager.of("RegisterNode")]
    assert sorted(request.id for request in registered) == ["w-1", "w-2"]
    assert all(request.HasField("resources") and request.role == "worker" for request in registered)
    beats = [message("HeartbeatRequest").FromString(request) for request in manager.of("Heartbeat")]
    assert {beat.node_id for beat in beats} == {"w-1", "w-2"}
    assert any(beat.container_statuses for beat in beats)
    assert (stats["nodes"], stats["registered"], stats["containers"]) == (2, 2, 2)
    assert stats["states"] == {"running": 2}
    assert stats["errors"] == {}
    assert any(text.startswith("Hollow workers are running: 2 registered") for text in said)
    written = json.loads(stats_file.read_text())
    assert written.keys() == stats.keys()
    assert written["heartbeats"] == stats["heartbeats"]


def test_a_refused_registration_is_tried_again_where_the_leader_is():
    async def scenario():
        async with Manager() as leader, Manager(["not the leader, current leader is at: 10.0.0.9:7946"]) as follower:
            run, _said = drive(
                follower,
                lambda fleet: len(leader.of("Heartbeat")) > 2,
                node_ids=("w-1",),
                managers={"10.0.0.9:7946": leader.address},
                dialect="tasks",
            )
            return leader, follower, await run()

    leader, follower, stats = asyncio.run(scenario())
    assert (len(follower.of("RegisterNode")), len(leader.of("RegisterNode"))) == (1, 1)
    assert not follower.of("Heartbeat")
    assert stats["manager"] == leader.address


def test_a_registration_waits_for_a_leader(monkeypatch):
    monkeypatch.setattr(hollow, "REGISTER_PAUSE", 0.01)

    async def scenario():
        async with Manager(["no leader elected yet"] * 3) as manager:
            run, _said = drive(manager, lambda fleet: fleet.registered, node_ids=("w-1",))
            return await run()

    stats = asyncio.run(scenario())
    assert stats["errors"] == {"RegisterNode: no leader elected yet (UNKNOWN)": 3}
    assert stats["registered"] == 1


def test_missed_deadlines_are_counted(monkeypatch):
    monkeypatch.setattr(hollow, "SHORTEST_DEADLINE", 0.05)

    async def scenario():
        async with Manager() as manager:
            manager.hangs = True
            run, _said = drive(manager, lambda fleet: fleet.heartbeats.missed > 1, node_ids=("w-1",))
            return await run()

    stats = asyncio.run(scenario())
    assert stats["missed_deadlines"] == stats["heartbeats"]["missed"] == stats["heartbeats"]["failed"] >= 2
    assert any("DEADLINE_EXCEEDED" in text for text in stats["errors"])


def test_a_stats_file_that_cannot_be_written_ends_the_fleet(tmp_path):
    folder = tmp_path / "stats"
    folder.mkdir()

    async def scenario():
        async with Manager() as manager:
            run, _said = drive(
                manager, lambda _fleet: False, node_ids=("w-1",), stats_file=str(folder / "absent" / "stats.json")
            )
            await run()

    with pytest.raises(OSError, match="absent"):
        asyncio.run(scenario())


def test_texts_of_errors_do_not_grow_without_end():
    from ansible_collections.warren.load.plugins.module_utils.api.errors import Rejected

    async def count():
        fleet = Fleet(FleetOptions(node_ids=(), manager="127.0.0.1:1"))
        for number in range(hollow.ERROR_TEXTS + 30):
            fleet._count_error(Rejected(f"text {number}"))
        return fleet.errors

    errors = asyncio.run(count())
    assert errors["other errors"] == 30
    assert len(errors) == hollow.ERROR_TEXTS + 1


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--count", "0"], "'0' is not a whole number from 1"),
        (["--count", "1", "--fail-fraction", "1.5"], "'1.5' is not a fraction between 0 and 1"),
        (["--count", "1", "--fail-fraction", "nan"], "'nan' is not a fraction"),
        (["--count", "1", "--manager", "10.0.0.1"], "it must have the form HOST:PORT"),
        (["--count", "1", "--managers", "10.0.0.1:7946"], "is not a list of RAFT=API addresses"),
        (["--count", "1", "--heartbeats", "some"], "invalid choice: 'some'"),
    ],
)
def test_bad_flags(flags, sentence, capsys):
    with pytest.raises(SystemExit):
        main(["hollow-workers", "start", *flags])
    assert sentence in capsys.readouterr().err


def test_nobody_at_the_address(capsys):
    assert main(["hollow-workers", "start", "--count", "1", "--manager", "127.0.0.1:1"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("Error: failed to start the hollow workers: ")
    assert "127.0.0.1:1" in error
