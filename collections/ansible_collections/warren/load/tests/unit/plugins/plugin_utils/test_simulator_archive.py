# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The archive: the same bytes of the same sources, and a program that runs from it alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from ansible_collections.warren.load.plugins.plugin_utils.simulator_archive import (
    API,
    COLLECTION,
    PACKAGE,
    build,
    files,
)


def test_the_bytes_depend_on_contents_alone(tmp_path):
    for name in (f"roles/simulator/files/{PACKAGE}", "plugins/module_utils/api"):
        shutil.copytree(COLLECTION / name, tmp_path / name, copy_function=shutil.copyfile)
    for path in tmp_path.rglob("*.py"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    assert build(tmp_path) == build()
    changed = tmp_path / "plugins/module_utils/api/schema.py"
    changed.write_text(changed.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert build(tmp_path) != build()


def test_only_sources_are_in_it():
    names = files()
    assert all(name.endswith(".py") for name in names)
    assert {"__main__.py", f"{PACKAGE}/cli.py", f"{PACKAGE}/hollow.py", f"{API}/schema.py"} <= names.keys()


def test_it_runs_from_anywhere(tmp_path):
    archive = tmp_path / "warren-simulator.pyz"
    archive.write_bytes(build())
    for arguments in (["--version"], ["cluster", "init", "--help"], ["hollow-workers", "start", "--help"]):
        done = subprocess.run(
            [sys.executable, "-I", str(archive), *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "simulator" in done.stdout
