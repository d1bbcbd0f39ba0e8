# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs: what they were built for, what they contain, and what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import commands, programs

OLD = """case "$*" in
--help) echo "  cluster  x";;
*init*) echo "  --data-dir x";;
--version) echo "warren version dev";;
esac"""
NEW = OLD.replace("  cluster  x", "  init  x; cluster --external-containerd").replace(
    "--data-dir x", "--data-dir --manager-only"
)


def script(path: Path, body: str) -> str:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def elf(path: Path, machine: int) -> str:
    path.write_bytes(b"\x7fELF\x02\x01" + bytes(12) + machine.to_bytes(2, "little") + bytes(44))
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(("machine", "name"), [(62, "amd64"), (183, "arm64"), (999, "machine 999")])
def test_the_header_tells_the_architecture(tmp_path: Path, machine: int, name: str) -> None:
    assert programs.architecture(elf(tmp_path / "p", machine)) == name


def test_what_is_no_elf_file_is_for_any(tmp_path: Path) -> None:
    assert programs.architecture(script(tmp_path / "p", "")) == "any"
    (tmp_path / "empty").touch()
    assert programs.architecture(str(tmp_path / "empty")) == "any"


def test_features_are_asked_for(tmp_path: Path) -> None:
    old = programs.features(script(tmp_path / "old", OLD))
    assert old == {"dialect": "tasks", "flags": [], "version": "warren version dev"}
    new = programs.features(script(tmp_path / "new", NEW))
    assert (new["dialect"], new["flags"]) == ("containers", ["--manager-only", "--external-containerd"])


def test_another_architecture_is_refused_before_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "own_architecture", lambda: "amd64")
    monkeypatch.setattr(commands, "output", lambda *_: pytest.fail("it was run"))
    with pytest.raises(programs.ProgramError, match="was built for arm64, and this host is amd64"):
        programs.features(elf(tmp_path / "p", 183))


def test_another_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(programs.ProgramError, match="is no Warren program that runs on this host"):
        programs.features(script(tmp_path / "p", "exit 1"))
