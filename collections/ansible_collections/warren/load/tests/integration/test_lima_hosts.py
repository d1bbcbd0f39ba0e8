# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hosts-up, hosts-list and hosts-down on inventories/lima, with a STUB of limactl (tests/support/stub_limactl.py).

There is no VM, so nobody logs in: the connection is local.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[6]
STUB = Path(__file__).resolve().parents[1] / "support/stub_limactl.py"
VMS = ["warren-manager-1", "warren-worker-1", "warren-worker-2"]


class Lima:
    """A LIMA_HOME of a test's own, with a stub of limactl and stand-ins for QEMU on PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "lima"
        self.stub = folder / "stub"
        self.stub.mkdir()
        for name, script in {
            "limactl": f'exec "{sys.executable}" "{STUB}" "$@"',
            "qemu-system-x86_64": "exit 1",
            "qemu-system-aarch64": "exit 1",
            "qemu-img": "exit 1",
        }.items():
            (folder / "bin").mkdir(exist_ok=True)
            (folder / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / "bin" / name).chmod(0o755)

    def play(self, playbook: str, *arguments: str, inventory: str = "lima") -> subprocess.CompletedProcess[str]:
        """Without a terminal."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        environment |= {
            "HOME": str(self.folder),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "LIMA_HOME": str(self.home),
            "STUB_LIMACTL": str(self.stub),
            "COLUMNS": "2000",
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        settings: dict[str, Any] = {
            "ansible_connection": "local",
            "warren_load_results_dir": str(self.folder / "results"),
            "lima_hosts_emulation": True,
            "lima_hosts_memory": "64MiB",
        }
        argv = ["ansible-playbook", "-i", str(ROOT / "inventories" / inventory), f"playbooks/{playbook}.yml"]
        done = subprocess.run(
            [*argv, "-e", json.dumps(settings), *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        print(f"--- {playbook} {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
        assert "Traceback" not in done.stdout + done.stderr
        return done

    def there(self) -> list[str]:
        return sorted(path.name for path in self.home.iterdir()) if self.home.is_dir() else []


@pytest.fixture
def lima(tmp_path: Path) -> Lima:
    return Lima(tmp_path)


def test_up_twice_listed_and_down_twice(lima: Lima) -> None:
    up = lima.play("hosts-up", "-e", "managers=1")
    assert up.returncode == 0
    assert "lima       warren-worker-2 is started (3 of 3)" in up.stdout
    assert lima.there() == VMS
    assert "lima_address" not in up.stdout

    again = lima.play("hosts-up", "-e", "managers=1")
    assert again.returncode == 0
    assert "changed=0" in again.stdout
    assert "changed=1" not in again.stdout

    listed = lima.play("hosts-list").stdout.split("PLAY RECAP")[0]
    assert [line.split()[0] for line in listed.splitlines() if "this inventory" in line] == VMS

    refused = lima.play("hosts-down")
    assert refused.returncode == 2
    assert f"3 Lima VMs with all that is in them would be gone: {', '.join(VMS)}. Nothing was removed" in refused.stdout
    assert "where there is no terminal to ask on, -e confirm=yes." in refused.stdout
    assert lima.there() == VMS

    down = lima.play("hosts-down", "-e", "confirm=yes")
    assert (down.returncode, lima.there()) == (0, [])
    twice = lima.play("hosts-down")
    assert twice.returncode == 0
    assert "No VM of this inventory is there." in twice.stdout
    assert "changed=0" in twice.stdout
    assert not list((lima.folder / "state").rglob("*.json"))


def test_without_hosts_a_load_test_says_how_to_make_them(lima: Lima) -> None:
    done = lima.play("load-small")
    assert done.returncode == 2
    assert "None of this inventory's managers is there: playbook hosts-up makes its hosts" in done.stdout


def test_in_check_mode_it_says_what_it_would_do(lima: Lima) -> None:
    done = lima.play("hosts-up", "--check", "-e", "managers=1", "-e", "workers=0")
    assert done.returncode == 0
    assert "lima       warren-manager-1 would be made and started" in done.stdout
    assert lima.there() == []


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"lima_hosts_image": "ubuntu"},
            "lima_hosts_image is 'ubuntu': choose one of ubuntu-24.04, ubuntu-26.04, debian-12",
        ),
        ({"lima_hosts_memory": "9000GiB"}, "of memory, and "),
        ({"lima_hosts_memory": "2 gigs"}, "The size '2 gigs' (lima_hosts_memory, lima_hosts_disk) cannot be read"),
        ({"lima_hosts_disk_used": "900TiB"}, "of disk, and "),
        ({"lima_hosts_limactl": "no-limactl"}, "There is no no-limactl here: install Lima 1.0 or later"),
    ],
)
def test_wrong_use_is_one_sentence_and_nothing_is_made(lima: Lima, settings: dict, sentence: str) -> None:
    done = lima.play("hosts-up", "-e", json.dumps(settings))
    assert done.returncode == 2
    assert sentence in done.stdout
    assert lima.there() == []


def test_hosts_up_needs_an_inventory_of_a_provider(lima: Lima) -> None:
    done = lima.play("hosts-up", inventory="sandbox")
    assert done.returncode == 2
    assert "This inventory has no warren_load_provider" in done.stdout


def test_two_inventories_with_the_same_names(lima: Lima) -> None:
    assert (
        lima.play("hosts-up", "-e", "managers=1", "-e", "workers=0", "-e", "warren_load_cluster=blue").returncode == 0
    )
    other = lima.play("hosts-up", "-e", "managers=1", "-e", "workers=0")
    assert other.returncode == 2
    assert "was made by inventory blue, and is left alone: set lima_hosts_prefix" in other.stdout
    assert "No VM of this inventory is there." in lima.play("hosts-down", "-e", "confirm=yes").stdout
    assert lima.there() == ["warren-manager-1"]
