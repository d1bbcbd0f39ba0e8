# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that answer by a real sshd on loopback, that show another key, or that stay silent."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.warren.load.tests.support.clouds import ROOT, free_port

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin")

needs_ssh = pytest.mark.skipif(SSHD is None or not shutil.which("ssh"), reason="sshd or ssh is not installed")
pytestmark = needs_ssh


def make_key(path: Path) -> Path:
    path.unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture
def start_sshd(tmp_path: Path) -> Iterator[Callable[[], int]]:
    """Starts an sshd with a new host key, always on the same port, in place of the one before."""
    login = make_key(tmp_path / "login")
    (tmp_path / "authorized").write_text((tmp_path / "login.pub").read_text())
    port = free_port()
    running: list[subprocess.Popen[bytes]] = []
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd will not start as root without it

    def stop() -> None:
        for process in running:
            process.terminate()
            process.wait(10)
        running.clear()

    def start() -> int:
        stop()
        key = make_key(tmp_path / f"host-{time.monotonic_ns()}")
        options = {
            "ListenAddress": f"127.0.0.1:{port}",
            "HostKey": key,
            "AuthorizedKeysFile": tmp_path / "authorized",
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        running.append(subprocess.Popen([str(SSHD), "-D", "-e", "-f", "/dev/null", *words], stderr=subprocess.DEVNULL))
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return port
            time.sleep(0.05)
        raise AssertionError("sshd does not listen")

    assert login.exists()
    yield start
    stop()


class Hosts:
    """An inventory of hosts by SSH, whose keys are pinned as those of a cloud's are."""

    def __init__(self, folder: Path, ports: dict[str, tuple[str, int]]) -> None:
        self.folder = folder
        variables = {
            "ansible_user": getpass.getuser(),
            "ansible_ssh_private_key_file": str(folder / "login"),
            "ansible_ssh_common_args": "{{ lookup('warren.load.host_keys') }}",
            "ansible_python_interpreter": sys.executable,
            "warren_load_state_dir": str(folder / "my state"),
            "warren_load_answer_deadline": 3,
        }
        groups: dict[str, dict[str, dict[str, object]]] = {"managers": {}, "workers": {}, "generators": {}}
        for name, (group, port) in ports.items():
            groups[group][name] = {
                "ansible_host": "127.0.0.1",
                "ansible_port": port,
                "warren_load_host_id": f"id-{name}",
            }
        children = {group: {"hosts": hosts} for group, hosts in groups.items()}
        self.inventory = folder / "hosts.json"
        self.inventory.write_text(json.dumps({"all": {"vars": variables, "children": children}}), encoding="utf-8")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        done = subprocess.run(
            [command[0], "-i", str(self.inventory), *command[1:]],
            cwd=ROOT,
            env=environment
            | {
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                # No connection outlives a command.
                "ANSIBLE_SSH_ARGS": "-o ControlMaster=no -o ControlPath=none",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        print(done.stdout)
        return done

    def pinned(self, name: str) -> str:
        """The key that is kept for a name, which ssh may have hashed."""
        (file,) = (self.folder / "my state/known_hosts").iterdir()
        command = ["ssh-keygen", "-F", name, "-f", str(file)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_key_is_accepted_once_and_pinned(tmp_path: Path, start_sshd: Callable[[], int]) -> None:
    hosts = Hosts(tmp_path, {"manager-1": ("managers", start_sshd())})
    ping = ("ansible", "managers", "-m", "ansible.builtin.ping")
    assert hosts.run(*ping).returncode == 0
    pinned = hosts.pinned("warren-load-id-manager-1")
    assert "ssh-ed25519" in pinned
    assert hosts.run(*ping).returncode == 0

    start_sshd()  # with another key
    refused = hosts.run(*ping)
    assert refused.returncode == 4
    assert "Host key verification failed" in refused.stdout
    assert hosts.pinned("warren-load-id-manager-1") == pinned


def test_silent_hosts_are_named_and_left_out(tmp_path: Path, start_sshd: Callable[[], int]) -> None:
    port, nobody = start_sshd(), free_port()
    three = {"manager-1": ("managers", port), "worker-1": ("workers", port), "worker-2": ("workers", nobody)}
    playbook = "collections/ansible_collections/warren/load/playbooks/hosts_answer.yml"
    rest = Hosts(tmp_path, three).run("ansible-playbook", playbook)
    assert rest.returncode == 0
    assert "1 of 3 hosts did not answer by SSH and are left out: worker-2 (" in rest.stdout

    none = Hosts(tmp_path, {**three, "manager-1": ("managers", nobody)}).run("ansible-playbook", playbook)
    assert none.returncode == 2
    assert "2 of 3 hosts did not answer by SSH, and every manager and at least one worker must" in none.stdout
    assert "manager-1, worker-2 (" in none.stdout
    assert "Traceback" not in none.stdout
