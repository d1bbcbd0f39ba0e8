# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import contextlib

import grpc
import grpc.aio
import pytest

from ansible_collections.warren.load.plugins.module_utils.engine import calls, loop
from ansible_collections.warren.load.plugins.module_utils.stats.quantiles import quantile

FREEZE = 0.5  # seconds
FREEZES = 2


class FreezingServer:
    """A double of a server that answers at once, but for FREEZE s at a time, FREEZES times, not at all."""

    def __init__(self) -> None:
        self.thawed = asyncio.Event()
        self.thawed.set()
        self.freezes = 0
        self.over = False

    async def _answer(self, request, _context):
        await self.thawed.wait()
        return request

    async def _freeze(self):
        for _freeze in range(FREEZES):
            await asyncio.sleep(0.4)
            self.thawed.clear()
            self.freezes += 1
            await asyncio.sleep(FREEZE)
            self.thawed.set()
        await asyncio.sleep(0.2)
        self.over = True

    @contextlib.asynccontextmanager
    async def calling(self):
        server = grpc.aio.server()
        handlers = {"Echo": grpc.unary_unary_rpc_method_handler(self._answer)}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("double.Echo", handlers),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            echo = channel.unary_unary("/double.Echo/Echo", bytes, bytes)
            await echo(b"connected")
            freezing = asyncio.create_task(self._freeze())
            yield lambda _index: echo(b"hello", timeout=10)
            await freezing
        await server.stop(None)


def slow(recording):
    return sum(time > FREEZE * 1e3 / 2 for time in recording.response_time())


def test_an_open_loop_sees_the_stalls_that_a_closed_loop_hides():
    async def main(_stop):
        server = FreezingServer()
        async with server.calling() as call:
            closed = await calls.closed_loop(call, 1_000_000, 1, ended=lambda: server.over)
        server = FreezingServer()
        async with server.calling() as call:
            opened = await calls.open_loop(call, [index / 100 for index in range(200)])
        return closed, opened

    closed, opened = loop.run(main)
    # One worker can meet each stall only once, however many calls would have come in that time.
    assert slow(closed) <= FREEZES
    assert len(closed) > 100 * FREEZES
    assert quantile(sorted(closed.response_time()), 0.99) < FREEZE * 1e3 / 2
    # At 100/s a stall of 500 ms delays 50 calls, 25 of them by more than half of it.
    assert slow(opened) >= 10 * FREEZES
    assert quantile(sorted(opened.response_time()), 0.99) > FREEZE * 1e3 / 2
    assert closed.errors() == opened.errors() == {}
    assert len(opened) == 200


def test_calls_are_sent_by_plan_whatever_is_outstanding():
    async def main(_stop):
        release = asyncio.Event()
        waiting = 0

        async def call(index):
            nonlocal waiting
            waiting += 1
            if waiting == 5:
                release.set()  # only if all five are outstanding at once does any of them end
            await release.wait()

        return await calls.open_loop(call, [0.0, 0.001, 0.002, 0.003, 0.004])

    recording = loop.run(main)
    assert len(recording) == 5
    assert recording.unsent == 0


def test_what_the_bound_refuses_is_counted_and_not_sent_late():
    async def main(_stop):
        sent = []

        async def call(index):
            sent.append(index)
            await asyncio.sleep(0.2)

        return await calls.open_loop(call, [0.0, 0.001, 0.002, 0.003], outstanding=2), sent

    recording, sent = loop.run(main)
    assert sent == [0, 1]
    assert (recording.refused, recording.left_out, recording.unsent) == (2, 0, 2)
    assert len(recording) == 2


def test_what_must_be_made_waits_at_the_bound_and_its_wait_is_lag():
    async def main(_stop):
        now = most = 0

        async def call(index):
            nonlocal now, most
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.05)
            now -= 1

        return await calls.open_loop(call, [0.0, 0.0, 0.0, 0.0], outstanding=2, patient=True), most

    recording, most = loop.run(main)
    assert most == 2
    assert (len(recording), recording.unsent) == (4, 0)
    assert sum(lag > 25 for lag in recording.send_lag()) == 2


def test_a_part_of_a_recording_has_its_own_errors_and_times():
    async def main(_stop):
        async def call(index):
            if index == 1:
                raise RuntimeError("refused")

        return await calls.closed_loop(call, 4, 1)

    recording = loop.run(main)
    odd, even = recording.only(lambda index: index % 2 == 1), recording.only(lambda index: index % 2 == 0)
    assert (odd.errors(), len(odd.service_time())) == ({"refused": 1}, 1)
    assert (even.errors(), len(even.service_time())) == ({}, 2)
    assert list(odd.index) == [1, 3]


def test_clocks_of_a_call_are_in_order_and_lag_is_the_generator_s():
    async def main(_stop):
        async def call(index):
            if index == 0:
                import time

                time.sleep(0.05)  # noqa: ASYNC251 - a generator that is too busy to keep its plan
            else:
                await asyncio.sleep(0.01)

        return await calls.open_loop(call, [0.0, 0.01])

    recording = loop.run(main)
    rows = {row[0]: row for row in recording.rows()}
    for intended, sent, done, failure in rows.values():
        assert intended <= sent <= done
        assert failure == ""
    lag, service, response = recording.send_lag(), recording.service_time(), recording.response_time()
    late = [row[0] for row in recording.rows()].index(0.01)
    assert lag[late] > 30
    assert service[late] < response[late]
    assert response[late] == pytest.approx(lag[late] + service[late])


def test_failures_are_counted_by_text_and_keep_out_of_the_percentiles():
    async def main(_stop):
        async def call(index):
            if index % 2:
                raise RuntimeError("no leader" if index % 4 == 1 else "")

        both = calls.open_loop(call, [0.0] * 9), calls.closed_loop(call, 9, 3)
        return [await one for one in both]

    for recording in loop.run(main):
        assert recording.errors() == {"no leader": 2, "RuntimeError": 2}
        assert len(recording.service_time()) == len(recording.response_time()) == 5
        assert len(recording.send_lag()) == len(recording) == 9


def test_a_stop_sends_no_more_and_is_counted():
    async def main(_stop):
        made = 0

        async def call(index):
            nonlocal made
            made += 1
            await asyncio.sleep(0.01)

        closed = await calls.closed_loop(call, 10_000, 2, ended=lambda: made >= 4)
        made = 0
        opened = await calls.open_loop(call, [index / 100 for index in range(10_000)], ended=lambda: made >= 4)
        return closed, opened

    for recording in loop.run(main):
        assert 4 <= len(recording) < 500
        assert recording.left_out == 10_000 - len(recording)


def test_replies_that_never_come_do_not_hold_the_phase():
    async def main(_stop):
        sent: list[int] = []

        async def call(index):
            sent.append(index)
            await asyncio.Event().wait()

        opened = await calls.open_loop(call, [0.0, 0.0], drain=0.05)
        sent.clear()
        closed = await calls.closed_loop(call, 5, 2, drain=0.05, ended=lambda: len(sent) == 2)
        return opened.errors(), closed.errors(), closed.left_out

    assert loop.run(main) == ({calls.CUT_OFF: 2}, {calls.CUT_OFF: 2}, 3)


def test_concurrency_is_kept_and_progress_told():
    async def main(_stop):
        now = most = 0
        told: list[int] = []

        async def call(index):
            nonlocal now, most
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.001)
            now -= 1

        recording = await calls.closed_loop(call, 50, 5, progress=told.append)
        return recording, most, told

    recording, most, told = loop.run(main)
    assert most == 5
    assert told[-1] == len(recording) == 50
