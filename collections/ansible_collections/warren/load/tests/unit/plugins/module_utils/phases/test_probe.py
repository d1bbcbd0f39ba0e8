# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probes of managers that answer, refuse, die, fall silent and come back, over real connections."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import gzip
import itertools
import typing as t

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.channel import PLAINTEXT
from ansible_collections.warren.load.plugins.module_utils.api.cluster import Manager
from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.api.errors import Rejected
from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from ansible_collections.warren.load.plugins.module_utils.engine import loop
from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter
from ansible_collections.warren.load.plugins.module_utils.phases import probe
from ansible_collections.warren.load.tests.unit.plugins.module_utils.api.conftest import ScriptedManager, running

from .conftest import RUN_ID


class Trio:
    """Three scripted managers, of which ``leader`` acknowledges writes, and ``silent`` ones answer nothing."""

    def __init__(self, unknown=()) -> None:
        self.leader = "manager-1"
        self.unknown = unknown  # they did not answer when the cluster was connected to
        self.silent: set[str] = set()
        self.addresses: dict[str, str] = {}  # where others than the servers' own
        self.servers = {f"manager-{number}": ScriptedManager() for number in (1, 2, 3)}
        self.dialect = Dialect.TASKS
        for name, server in self.servers.items():
            server.handlers = {
                "DeleteSecret": self._handler(name, self._write),
                "ListNodes": self._handler(name, lambda _name: message("ListNodesResponse")()),
                "GetClusterInfo": self._handler(name, self._view),
            }

    def _handler(self, name, answer):
        async def handle(_request):
            if name in self.silent:
                await asyncio.sleep(600)
            return answer(name)

        return handle

    def _write(self, name):
        if name != self.leader:
            raise Rejected("not the leader" if self.leader else "no leader elected yet")
        return message("DeleteSecretResponse")()

    def _view(self, _name):
        return message("GetClusterInfoResponse")(leader_addr=f"raft-{self.leader}" if self.leader else "")

    @property
    def managers(self):
        return {
            name: Manager(name, self.addresses.get(name, server.address), f"raft-{name}")
            for name, server in self.servers.items()
        }

    @property
    def resolved(self):
        return {name: PLAINTEXT for name in self.servers if name not in self.unknown}


class Wire:
    """Stands between clients and a server. A connection that was cut stays dead, as after TCP's patience is over."""

    def __init__(self, address: str) -> None:
        self._target = address.split(":")
        self._ends: list[t.Any] = []
        self._server: t.Any = None
        self.address = ""
        self.cut = False

    async def __aenter__(self) -> Wire:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._server.close()
        for end in self._ends:
            end.close()
        await asyncio.sleep(0.1)

    async def _connected(self, reader, writer):
        other_reader, other_writer = await asyncio.open_connection(*self._target)
        self._ends += [writer, other_writer]
        await asyncio.gather(self._carry(reader, other_writer), self._carry(other_reader, writer))

    async def _carry(self, reader, writer):
        dead = False
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                dead = dead or self.cut
                if not dead:
                    writer.write(data)
        writer.close()


def probed(tmp_path, story, **more):
    """Probe the three, the third over a wire, while ``story(trio)`` goes on: what was measured, and the reporter."""
    options = probe.Options(RUN_ID, **{"seconds": 20.0, "least_outage": 0.5, "timeout": 0.4, **more})

    async def main(stop):
        trio: t.Any = Trio()

        async def tell():
            await asyncio.sleep(1.0)
            await story(trio)
            await asyncio.sleep(1.0)
            (tmp_path / probe.END).touch()

        async with running(*trio.servers.values()), Wire(trio.servers["manager-3"].address) as trio.wire:
            trio.addresses["manager-3"] = trio.wire.address
            telling = asyncio.create_task(tell())
            with Reporter(tmp_path, "probe", 60.0, stop) as reporter:
                measured = await probe.run(trio, options, reporter)
            await telling
            return measured, reporter

    return loop.run(main)


def test_a_leader_that_dies_and_comes_back(tmp_path):
    async def story(trio):
        trio.leader = ""
        await trio.servers["manager-1"].stop()
        await asyncio.sleep(1.2)
        trio.leader = "manager-2"
        await asyncio.sleep(0.6)
        await trio.servers["manager-1"].start()

    measured, reporter = probed(tmp_path, story)
    writes, rows = measured["writes"], {row["name"]: row for row in measured["managers"]}
    assert (writes["outage_count"], writes["recovered"]) == (1, True)
    assert 1.0 < writes["longest_outage"]["value"] < 5.0
    assert writes["longest_outage"]["low"] < writes["longest_outage"]["value"] == writes["longest_outage"]["high"]
    # Each manager gets as many writes as reads.
    assert writes["probes"] == pytest.approx(sum(row["probes"] for row in measured["managers"]), abs=6)
    assert writes["acknowledged"] == sum(row["writes_acknowledged"] for row in measured["managers"])
    (outage,) = writes["outages"]
    assert outage["end"] - outage["start"] == pytest.approx(outage["seconds"], abs=0.002)
    assert measured["started"] < outage["start"] < outage["end"] < measured["ended"]
    assert [term["leader"] for term in measured["terms"]] == ["manager-1", "manager-2"]
    assert measured["terms"][0]["end"] == outage["start"]
    assert "DeleteSecret: no leader elected yet (UNKNOWN)" in writes["errors"]
    assert (rows["manager-1"]["outage_count"], rows["manager-1"]["recovered"]) == (1, True)
    assert rows["manager-1"]["longest_outage"]["value"] > 1.5
    assert [rows[name]["outage_count"] for name in ("manager-2", "manager-3")] == [0, 0]
    assert rows["manager-3"]["longest_outage"] == {"value": 0, "unit": "s", "low": 0, "high": 0.5, "n": 0}
    views = [(view["manager"], view["leader"]) for view in measured["views"]]
    assert views.index(("manager-3", "")) < views.index(("manager-3", "manager-2"))
    assert reporter.ended_early is None
    assert measured["resolution"]["unit"] == "ms"
    assert measured["duration"] < 15  # it was told to end
    with gzip.open(tmp_path / "probe-samples.csv.gz", "rt") as file:
        sent = list(csv.DictReader(file))
    assert {(row["manager"], row["method"]) for row in sent} == set(
        itertools.product(("manager-1", "manager-2", "manager-3"), probe.STREAMS)
    )


def test_a_manager_that_falls_silent_is_asked_on_and_heard_again(tmp_path):
    async def story(trio):
        trio.silent = {"manager-3"}
        await asyncio.sleep(1.5)
        trio.silent = set()

    measured, _reporter = probed(tmp_path, story)
    rows = {row["name"]: row for row in measured["managers"]}
    assert measured["writes"]["outage_count"] == 0
    assert (rows["manager-3"]["outage_count"], rows["manager-3"]["recovered"]) == (1, True)
    assert rows["manager-3"]["answered"] < rows["manager-2"]["answered"]


def test_a_connection_that_died_without_a_word_is_opened_again(tmp_path):
    async def story(trio):
        trio.wire.cut = True
        await asyncio.sleep(1.5)
        trio.wire.cut = False

    measured, _reporter = probed(tmp_path, story)
    rows = {row["name"]: row for row in measured["managers"]}
    assert (rows["manager-3"]["outage_count"], rows["manager-3"]["recovered"]) == (1, True)
    assert [rows[name]["outage_count"] for name in ("manager-1", "manager-2")] == [0, 0]


def test_what_never_comes_back_is_an_outage_without_end(tmp_path):
    async def story(trio):
        trio.leader = ""

    writes = probed(tmp_path, story)[0]["writes"]
    assert writes["recovered"] is False
    assert writes["outages"][-1]["end"] is None
    assert writes["longest_outage"]["value"] > 0.5


def test_a_manager_that_did_not_answer_before_is_said(tmp_path):
    async def main(stop):
        trio: t.Any = Trio(unknown=["manager-3"])
        async with running(*trio.servers.values()):
            with Reporter(tmp_path, "probe", 60.0, stop) as reporter:
                return await probe.run(trio, probe.Options(RUN_ID, 0.5), reporter), reporter.problems

    measured, problems = loop.run(main)
    assert [row["name"] for row in measured["managers"]] == ["manager-1", "manager-2"]
    assert problems == ["manager-3 did not answer when the probes began, so it was not probed"]


def test_wrong_use():
    with pytest.raises(ValueError, match=r"rate: 5 probes a second see nothing shorter than 200 ms; take at least 10"):
        probe.Options(RUN_ID, 10, rate=5)
    with pytest.raises(ValueError, match=r"least_outage: 0.05 s is less than two probes"):
        probe.Options(RUN_ID, 10, least_outage=0.05)
    with pytest.raises(ValueError, match="seconds"):
        probe.Options(RUN_ID, 0)
