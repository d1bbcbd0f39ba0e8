# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import gc
import os
import selectors
import signal
import time

import pytest

from ansible_collections.warren.load.plugins.module_utils.engine import audit as audits
from ansible_collections.warren.load.plugins.module_utils.engine import loop


def test_the_loop_waits_on_select_and_returns_what_main_returns():
    async def main(stop):
        assert isinstance(vars(asyncio.get_running_loop())["_selector"], selectors.SelectSelector)
        return stop.reason

    assert loop.run(main) is None


def test_sigterm_is_a_stop_that_ends_a_pause_at_once():
    async def main(stop):
        asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), signal.SIGTERM)
        started = time.monotonic()
        await stop.pause(30)
        stop.set("something else")
        return stop.reason, time.monotonic() - started

    reason, seconds = loop.run(main)
    assert reason == "SIGTERM was received"
    assert seconds < 20
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_garbage_is_frozen_for_the_length_of_a_block():
    with loop.collected():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0


def fake_proc(folder, delay_ns, pressure_us, steal, ticks=100):
    task = folder / "self/task/1"
    task.mkdir(parents=True, exist_ok=True)
    (task / "schedstat").write_text(f"100 {delay_ns} 7\n")
    (folder / "pressure").mkdir(exist_ok=True)
    (folder / "pressure/cpu").write_text(f"some avg10=12.50 avg60=3.00 avg300=1.00 total={pressure_us}\n")
    (folder / "stat").write_text(f"cpu  {ticks} 0 100 800 0 0 0 {steal} 0 0\ncpu0 1\n")


async def audited(folder, lags, after: tuple[int, int, int] | None = None, shares=()):
    with audits.Audit(folder) as audit:
        await asyncio.sleep(0)
        if after:
            fake_proc(folder, *after, 200)
    return audit.report(lags, shares)


def test_a_calm_generator_is_valid(tmp_path):
    fake_proc(tmp_path, 0, 0, 0)
    result = asyncio.run(audited(tmp_path, [0.1] * 100, (0, 0, 0)))
    assert result["valid"] is True
    assert result["reasons"] == result["unavailable"] == []
    assert result["send_lag_p99_ms"] == 0.1
    assert result["cpu_pressure_avg10"] == 12.5


def test_lag_voids_and_the_host_explains_it(tmp_path):
    fake_proc(tmp_path, 0, 0, 0)
    result = asyncio.run(audited(tmp_path, [0.1] * 98 + [50.0] * 2, (10**12, 10**12, 100), ["manager-1"]))
    assert result["valid"] is False
    text = " ".join(result["reasons"])
    assert "50.0 ms after its planned time" in text
    for part in ("for a CPU", "in 100 % of the time", "hypervisor", "manager-1"):
        assert part in text


def test_a_busy_host_without_lag_voids_nothing(tmp_path):
    fake_proc(tmp_path, 0, 0, 0)
    result = asyncio.run(audited(tmp_path, [0.1] * 100, (10**12, 10**12, 100)))
    assert result["valid"] is True


def test_a_host_without_proc_is_said(tmp_path):
    result = asyncio.run(audited(tmp_path / "none", [0.1]))
    assert result["valid"] is True
    assert len(result["unavailable"]) == 3
    assert result["run_delay_ms_per_s"] is None
    assert asyncio.run(audited(tmp_path / "none", []))["send_lag_p99_ms"] is None


def test_collector_pauses_and_stalls_are_seen(tmp_path):
    async def main():
        with audits.Audit(tmp_path) as audit:
            await asyncio.sleep(0)
            gc.collect()
            time.sleep(0.25)  # noqa: ASYNC251 - the stall itself
            await asyncio.sleep(0.01)
        return audit.report([])

    result = asyncio.run(main())
    assert result["gc_pause_max_ms"] > 0
    assert result["loop_stall_max_ms"] >= 100
    assert not any("Audit" in repr(callback) for callback in gc.callbacks)


def test_a_report_needs_a_start():
    with pytest.raises(ValueError, match="never started"):
        audits.Audit().report([])
