# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the sampler finds on Warren's processes and pages (5.1, 5.3), and in their logs (2.1)."""

from __future__ import annotations

import signal
import typing as t

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import (
    log_lines,
    metrics_page,
    process_table,
    sampler,
    sampling,
)
from ansible_collections.warren.load.tests.support.worlds import World

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not process_table.has_proc(), reason="needs /proc")


def test_page_and_process_table_agree(world: World) -> None:
    page = metrics_page.values(world.first.http("/metrics").body.decode())
    usage = process_table.usage(world.first.process.pid)
    assert usage is not None
    assert usage.cpu is not None
    assert abs(page["process_resident_memory_bytes"] - usage.rss) < 8 << 20
    assert -0.1 < usage.cpu - page["process_cpu_seconds_total"] < 5
    assert abs(page["process_open_fds"] - usage.open_files) < 10
    assert page["go_goroutines"] >= 1
    assert not any("_bucket" in name for name in page)
    assert len(page) < 120


def test_goroutines_are_in_the_first_line(world: World) -> None:
    text = world.first.http("/debug/pprof/goroutine?debug=1").body.decode()
    assert metrics_page.goroutines(text) >= 1


def targets(world: World) -> list[sampling.Target]:
    return [
        sampling.Target(name, pid=node.process.pid, log_file=str(node.folder / "stderr"))
        for name, node in world.nodes.items()
    ]


def test_a_crash_is_noticed(fresh_world: World, tmp_path: Path) -> None:
    folder = str(tmp_path / "sampler")
    sampler.start(folder, "run", targets(fresh_world), interval=0.2, scrape=5.0, seconds=300.0)
    try:
        last = list(fresh_world.nodes)[-1]
        fresh_world.nodes[last].process.stop(signal.SIGKILL)
    finally:
        told = sampler.collect(folder, "run", (None, None))
    assert {row["name"]: row["ended"] for row in told["rows"]} == {name: name == last for name in fresh_world.nodes}
    assert all(row["rss_peak"]["value"] > 5 for row in told["rows"])
    assert told["sampler"]["rss"]["value"] < 40


@pytest.mark.tasks
def test_the_leader_complains_of_a_follower_that_is_gone(fresh_world: World) -> None:
    if fresh_world.program.kind == "simulator":
        pytest.skip("the simulator's Raft library logs nothing")
    leader = fresh_world.api.leader()
    begin = log_lines.mark(str(fresh_world.nodes[leader].folder / "stderr"))
    follower = next(name for name in fresh_world.nodes if name != leader)
    fresh_world.nodes[follower].process.stop(signal.SIGKILL)

    def complains() -> bool:
        counts = log_lines.since(begin)
        return counts is not None and counts.counts["error"] > 0

    fresh_world.eventually(complains, 5, "the leader logs an error")
    found = log_lines.since(begin)
    assert found is not None
    assert "raft: failed to" in found.first["error"]
