# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is packed of a node for whoever looks into it later."""

from __future__ import annotations

import tarfile
from pathlib import Path

from ansible_collections.warren.load.plugins.module_utils.node import evidence

TOKEN = "0123456789abcdef" * 4


def test_logs_are_packed_without_their_tokens(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(f"Manager is running.\nwarren worker start --token {TOKEN} --node-id worker-1\n")
    target = tmp_path / "evidence.tar.gz"
    seen = {"processes": [{"name": "manager-1", "log_file": str(log)}]}
    evidence.pack([], seen, str(target), only_logs=True)
    assert target.stat().st_mode & 0o777 == 0o600
    with tarfile.open(target) as archive:
        packed = archive.extractfile("manager-1.log").read().decode()
    assert "Manager is running." in packed
    assert "worker-1" in packed
    assert TOKEN not in packed
