# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import containers, process_table, sampler, sampling

pytestmark = pytest.mark.skipif(not process_table.has_proc(), reason="needs /proc")

CONTAINER = "import time; held = b'x' * (32 << 20); print('ready', flush=True); time.sleep(600)"
SHIM = f"import subprocess; subprocess.run([{sys.executable!r}, '-c', {CONTAINER!r}], env={{}})"
IDLE = "import time; print('ready', flush=True); time.sleep(600)"

Shim = Callable[[str, str], None]


@pytest.fixture
def shim(tmp_path: Path) -> Iterator[Shim]:
    """Starts a stand-in of containerd's shim, in a session of its own."""
    program = tmp_path / "containerd-shim-runc-v2"
    program.symlink_to(sys.executable)  # the kernel names a process after it
    started: list[subprocess.Popen[str]] = []

    def start(namespace: str, code: str) -> None:
        words = ["/usr/bin/containerd-shim-runc-v2", "-c", code, "-namespace", namespace, "-id", "0f3c"]
        one = subprocess.Popen(
            words,
            executable=str(program),
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={"PYTHONHOME": sys.base_prefix},  # it cannot go by its name
        )
        started.append(one)
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"

    yield start
    for one in started:
        os.killpg(one.pid, signal.SIGKILL)
        one.communicate()


def test_containers_are_told_from_their_shims_and_from_those_of_others(shim: Shim) -> None:
    before = containers.look()
    assert before is not None
    shim("warren", SHIM)
    shim("warren", IDLE)  # its container has just ended
    shim("warren-other", SHIM)
    seen = containers.look()
    assert seen is not None
    assert seen.count - before.count == 1
    assert 32 << 20 < seen.memory - before.memory < 64 << 20
    assert 1 << 20 < seen.shims - before.shims < 32 << 20


def test_a_worker_has_a_row_for_its_containers(shim: Shim, tmp_path: Path) -> None:
    target = sampling.Target("worker-1", "worker", pid=os.getpid())
    watching = sampling.Sampler([target], str(tmp_path), 1.0, 5.0)
    shim("warren", SHIM)
    watching.tick(1.0, pages=True)
    watching.close()
    row = sampler.row_of(
        target,
        sampler.read_series(str(tmp_path / "resources.csv"))["worker-1"],
        sampler.read_metrics(str(tmp_path / "metrics.csv"))["worker-1"],
        (None, None),
    )
    assert row["containers"]["count_peak"] >= 1
    assert row["containers"]["memory_peak"]["value"] > 32
    assert row["containers"]["memory_peak"]["unit"] == "MB"
    assert sampler.containers_of({}) is None


def test_where_the_kernel_hides_what_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_table, "read_text", lambda path: "")
    usage = process_table.usage(os.getpid())
    assert usage is not None
    assert abs(containers.memory(os.getpid()) - usage.rss) < 1 << 20
    assert containers.memory(2**22 + 1) == 0
