# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.warren.load.plugins.action.host_info import offset
from ansible_collections.warren.load.plugins.module_utils.node import commands, host, process_table

VM_STAT = """Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                               10000.
Pages active:                            200000.
Pages inactive:                           50000.
Pages speculative:                         4000.
Pages throttled:                              0.
"""


def test_a_host_tells_what_it_is(tmp_path: Path) -> None:
    facts, unavailable = host.look(str(tmp_path / "not/yet"), "generator")
    assert unavailable == []
    assert facts["cores"] >= 1
    assert facts["memory"] > facts["memory_available"] > 0
    assert facts["disk_free"] > 0
    assert all(facts[key] for key in ("os", "kernel", "arch", "cpu_model"))


def test_what_a_system_does_not_tell_is_null_and_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A macOS without its tools."""
    monkeypatch.setattr(process_table, "PROC", str(tmp_path / "none"))
    monkeypatch.setattr(commands, "output", lambda _argv: "")
    monkeypatch.setattr("platform.processor", lambda: "")
    facts, unavailable = host.look(str(tmp_path), "manager-1")
    assert (facts["memory"], facts["memory_available"], facts["cpu_model"]) == (None, None, None)
    assert "How much memory is free is not known of manager-1." in unavailable
    assert len(unavailable) == 3


def test_memory_that_macos_could_give() -> None:
    assert host._vm_stat(VM_STAT) == 64000 * 16384 // host.MEGABYTE
    assert host._vm_stat("something else") is None


@pytest.mark.skipif(not process_table.has_proc(), reason="limits of others are told by /proc alone")
def test_the_limit_of_open_files_of_another_process() -> None:
    with subprocess.Popen(["sh", "-c", "ulimit -n 77; echo set; exec sleep 60"], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        limit = host.open_files_limit(child.pid)
        child.kill()
    assert limit == 77
    assert host.open_files_limit(child.pid) is None


@pytest.mark.skipif(not process_table.has_proc(), reason="programs are told by /proc")
def test_a_script_is_the_program_of_its_python(tmp_path: Path) -> None:
    script = tmp_path / "warren-simulator.pyz"
    script.write_text("import sys\nprint('up', flush=True)\nsys.stdin.read()\n", encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, script, "cluster", "init"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        found, why = host.program(child.pid)
        child.communicate()
    digest = hashlib.sha256(script.read_bytes()).hexdigest()
    assert (found, why) == ({"path": str(script), "sha256": digest, "version": ""}, "")
    assert host.program(child.pid)[0] is None


@pytest.mark.parametrize(
    ("printed", "version"),
    [("Warren version v1.6.0\nCommit: unknown", "v1.6.0"), ("Warren version dev", "dev"), ("1.2", "1.2"), ("", "")],
)
def test_a_version_without_the_words_before_it(printed: str, version: str, tmp_path: Path) -> None:
    program = tmp_path / "warren"
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' '{printed}'\n", encoding="utf-8")
    os.chmod(program, 0o755)
    assert host._version(str(program)) == version


def test_a_clock_is_known_within_the_time_of_the_question() -> None:
    """Asked at 100, answered at 102; the host said 105.5 to 106: it is 4 to 5.5 s ahead."""
    assert offset(100.0, 102.0, (105.5, 106.0)) == {"value": 4.75, "unit": "s", "low": 4.0, "high": 5.5, "n": 1}
