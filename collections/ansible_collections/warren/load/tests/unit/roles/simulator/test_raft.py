# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replication in one process: three replicas on loopback ports that the system chooses."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from warren_simulator.raft import CommitError, Replica
from warren_simulator.store import Store

PATIENCE = 15.0  # seconds; enough for a machine that is busy with other things


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def put(name):
    return "put", "secrets", message("Secret")(id=name).SerializeToString()


async def until(condition):
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - it is somebody else's event
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def cluster(count):
    """[(replica, store)]; the first is the leader."""
    with contextlib.ExitStack() as undo:
        folder = undo.enter_context(tempfile.TemporaryDirectory())
        members: list[tuple[Replica, Store]] = []
        for number in range(count):
            store = Store()
            others = [each.address for each, _store in members]
            replica = Replica(free_address(), others, store, f"{folder}/{number}")
            undo.callback(replica.close)
            members.append((replica, store))
            if number:
                await members[0][0].add_voter(replica.address)
                assert await replica.joined(PATIENCE)
            else:
                async with asyncio.timeout(PATIENCE):
                    await replica.leading.wait()
        yield members


def test_a_single_replica_leads_and_commits():
    async def main():
        async with cluster(1) as ((replica, store),):
            await replica.commit(put("a"))
            assert store.secrets.get("a") is not None
            assert replica.leader_address == replica.address
            replica.deaf = True
            assert replica.leader_address == ""
            with pytest.raises(CommitError, match="not the leader"):
                await replica.commit(put("b"))

    asyncio.run(main())


def test_writes_reach_all_and_followers_refuse_them():
    async def main():
        async with cluster(3) as members:
            leader = members[0][0]
            await asyncio.gather(*(leader.commit(put(f"s{number}")) for number in range(300)))
            for replica, store in members[1:]:
                await until(lambda store=store: len(store.secrets) == 300)
                assert replica.leader_address == leader.address
                with pytest.raises(CommitError, match="not the leader"):
                    await replica.commit(put("x"))

    asyncio.run(main())


def test_a_joiner_gets_a_snapshot_where_the_log_is_gone(tmp_path):
    async def main():
        async with cluster(1) as ((leader, store),):
            for number in range(50):
                await leader.commit(put(f"s{number}"))
            leader.compact()
            await asyncio.sleep(0.1)
            await leader.commit(("server", "manager-1", leader.address))
            late_store = Store()
            late = Replica(free_address(), [leader.address], late_store, str(tmp_path / "late"))
            try:
                await leader.add_voter(late.address)
                assert await late.joined(PATIENCE)
                await until(lambda: late_store.dump() == store.dump())
                assert len(late_store.secrets) == 50
            finally:
                late.close()

    asyncio.run(main())


def test_another_leads_when_the_leader_goes_and_keeps_what_was_acknowledged():
    async def main():
        async with cluster(3) as members:
            acknowledged = []
            leader = members[0][0]
            for number in range(100):
                await leader.commit(put(f"s{number}"))
                acknowledged.append(f"s{number}")
            leader.close()
            rest = members[1:]
            await until(lambda: any(replica.is_leader for replica, _store in rest))
            (new, _store) = next(pair for pair in rest if pair[0].is_leader)
            await new.commit(put("after"))
            for _replica, store in rest:
                await until(lambda store=store: store.secrets.get("after") is not None)
                assert {secret.id for secret in store.secrets} == {*acknowledged, "after"}

    asyncio.run(main())


def test_without_a_quorum_nothing_is_acknowledged():
    async def main():
        async with cluster(2) as ((leader, store), (follower, _store)):
            follower.close()
            with pytest.raises(CommitError):
                await leader.commit(put("x"))
            assert store.secrets.get("x") is None
            await until(lambda: not leader.is_leader and leader.leader_address == "")

    asyncio.run(main())


def test_the_last_survivor_knows_no_leader():
    async def main():
        async with cluster(2) as ((leader, _store), (follower, _other)):
            assert follower.leader_address == leader.address
            leader.close()
            await until(lambda: follower.leader_address == "")

    asyncio.run(main())


def test_adding_an_address_where_nobody_is_loses_the_quorum_as_with_warren():
    async def main():
        async with cluster(1) as ((leader, _store),):
            with pytest.raises(CommitError):
                await leader.add_voter(free_address())
            await until(lambda: not leader.is_leader)

    asyncio.run(main())


def test_a_bad_command_does_not_stop_the_log(capsys):
    async def main():
        async with cluster(1) as ((replica, store),):
            await replica.commit(("no-such-operation",))
            await replica.commit(put("a"))
            assert len(store.secrets) == 1

    asyncio.run(main())
    assert "no-such-operation" in capsys.readouterr().err


def test_a_taken_port_is_an_error(tmp_path):
    async def main():
        async with cluster(1) as ((replica, _store),):
            with pytest.raises(OSError, match="already in use"):
                Replica(replica.address, [], Store(), str(tmp_path / "x"))

    asyncio.run(main())
