# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import shlex
import shutil
import subprocess

import pytest

from ansible_collections.warren.load.plugins.plugin_utils.host_keys import known_hosts_file, ssh_arguments


def test_each_inventory_has_a_file_of_its_own() -> None:
    first, second = (known_hosts_file("/state", f"/{home}/inventories/aws") for home in ("a", "b"))
    assert first != second
    assert first.startswith("/state/known_hosts/aws-")
    assert known_hosts_file("/state", "") == known_hosts_file("/state", "")


@pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh is not installed")
@pytest.mark.parametrize("path", ["/state/known", "/my state/100%/known"])
def test_ssh_itself_reads_them_as_meant(path: str) -> None:
    arguments = shlex.split(ssh_arguments(path, "i-1"))
    done = subprocess.run(
        ["ssh", "-F", "none", "-G", *arguments, "192.0.2.1"], capture_output=True, text=True, check=True
    )
    settings = dict(line.partition(" ")[::2] for line in done.stdout.splitlines())
    assert settings["stricthostkeychecking"] == "accept-new"
    assert settings["userknownhostsfile"].replace("%%", "%") == path
    assert settings["hostkeyalias"] == "warren-load-i-1"
    assert "HostKeyAlias" not in ssh_arguments(path)
