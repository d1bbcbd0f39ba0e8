# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that warren_load_binary names: refused before anything is started, and brought to hosts once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Sandbox
from .test_host_keys import Hosts, needs_ssh, start_sshd

__all__ = ["start_sshd"]  # the fixture

TLS_WORLD = """#!/bin/sh
case "$*" in
--help) echo "  cluster  x"; echo "  init     x";;
*init*) echo "  --data-dir x";;
--version) echo "warren version dev";;
*) touch "$0.started"; exit 1;;
esac
"""
OTHER = {"x86_64": 183, "aarch64": 62}.get(os.uname().machine, 183)  # of ELF headers


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A stand-in that says what a Warren of v1.1 or later says, and remembers if it was asked to do more."""
    path = tmp_path / "warren"
    path.write_text(TLS_WORLD)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("content", "settings", "sentence"),
    [
        (
            None,
            {"warren_load_binary_sha256": "0" * 64},
            f"not {'0' * 64}, as warren_load_binary_sha256 says: it is not",
        ),
        (b"\x7fELF\x02\x01" + bytes(12) + bytes((OTHER, 0)) + bytes(44), {}, "warren_load_binary has no program for "),
        (b"#!/bin/sh\nexit 1\n", {}, "is no Warren program that runs on this host: see what "),
        (
            None,
            {"warren_load_managers": 3},
            "A cluster of 3 managers cannot be started in dialect containers: there `manager join` never succeeds and "
            "can cost the first manager its quorum.",
        ),
    ],
    ids=["checksum", "architecture", "no Warren", "managers"],
)
def test_refused_before_anything_is_started(
    sandbox: Sandbox, program: Path, content: bytes | None, settings: dict[str, Any], sentence: str
) -> None:
    if content is not None:
        program.write_bytes(content)
    run = sandbox.play("cluster-up", warren_load_binary=str(program), **settings)
    assert run.rc == 2
    assert sentence in " ".join(run.stdout.split())
    assert "Traceback" not in run.stdout
    assert sandbox.processes() == {}
    assert not program.with_name("warren.started").exists()


@needs_ssh
def test_a_host_gets_it_once_and_one_that_lets_nobody_in_is_named(
    start_sshd: Callable[[], int], tmp_path: Path, program: Path
) -> None:
    hosts = Hosts(tmp_path, {"manager-1": ("managers", start_sshd()), "worker-1": ("workers", 1)})
    (tmp_path / "binary.yml").write_text("""
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.import_role: {name: warren.load.binary}
""")
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    words = ("ansible-playbook", str(tmp_path / "binary.yml"), "-e", f"warren_load_binary={program}")
    for changed in (1, 0):
        done = hosts.run(*words)
        assert done.returncode == 2
        assert f"manager-1                  : ok=4    changed={changed}" in done.stdout
        assert "worker-1: the host cannot be reached (" in done.stdout
        assert "unreachable=1" not in done.stdout
    kept = tmp_path / f"my state/programs/warren-{digest[:12]}"
    assert kept.read_bytes() == program.read_bytes()
    kept.write_bytes(b"torn")
    assert "manager-1                  : ok=4    changed=1" in hosts.run(*words).stdout
    assert kept.read_bytes() == program.read_bytes()
