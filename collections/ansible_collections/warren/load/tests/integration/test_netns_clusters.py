# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters on hosts in network namespaces, with the simulator, and with the Warren that WARREN_BINARY names."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import netns_hosts
from ansible_collections.warren.load.tests.support.plays import ROOT, eventually

from .test_netns_hosts import Hosts, hosts, usable

__all__ = ["hosts"]  # the fixture
pytestmark = pytest.mark.skipif(not usable(), reason="network namespaces need root and Linux")

REAL = os.environ.get("WARREN_BINARY", "")
PROGRAMS = ["simulator", pytest.param(REAL, marks=pytest.mark.skipif(not REAL, reason="WARREN_BINARY is not set"))]
TOKEN = re.compile(r"(?<!sha256 )\b[0-9a-f]{64}\b")


@dataclass
class Plays:
    """Runs the repository's playbooks on a test's own hosts; no output may ever show a token."""

    hosts: Hosts
    folder: Path
    binary: str

    def __call__(self, name: str, code: int = 0, **settings: object) -> str:
        fixed = {
            "warren_load_netns_range": self.hosts.range,
            "warren_load_binary": self.binary,
            "warren_load_results_dir": str(self.folder / "results"),
            "warren_load_objectives_file": str(Path(__file__).parent / "counts.yml"),
            "confirm": True,
        }
        words = ["ansible-playbook", "-i", "inventories/netns", f"playbooks/{name}.yml"]
        environment = os.environ | {
            "WARREN_LOAD_NETNS_DIRECTORY": self.hosts.directory,
            "WARREN_LOAD_NETNS_NAME": self.hosts.name,
            "XDG_STATE_HOME": str(self.folder / "state"),
        }
        done = subprocess.run(
            [*words, "-e", json.dumps(fixed | settings)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        print(done.stdout, done.stderr)
        assert done.returncode == code, name
        assert "Traceback" not in done.stdout + done.stderr
        assert not TOKEN.search(done.stdout + done.stderr)
        return done.stdout


@pytest.fixture
def there(hosts: Hosts) -> Iterator[Hosts]:
    """What ends with the hosts is not left by a test that fails."""
    yield hosts
    netns_hosts.down(hosts.directory, hosts.name, str(ROOT / "inventories/netns"))


@pytest.mark.parametrize("binary", PROGRAMS)
def test_a_cluster_from_nothing_to_nothing(there: Hosts, tmp_path: Path, binary: str) -> None:
    plays = Plays(there, tmp_path, binary)
    plays("hosts-up", managers=1, workers=2)
    plays("cluster-up")
    assert set(re.findall(r"changed=(\d+)", plays("cluster-up"))) == {"0"}

    said = plays("cluster-status")
    assert re.search(r"^manager-1 +\S+:8080 +yes +yes +\d+ MB ", said, re.MULTILINE)
    assert re.search(r"^worker-2 +worker +ready +-?\d+\.\d s ", said, re.MULTILINE)
    said = plays("diagnose")
    assert "✗" not in said

    said = plays("load-small", services=5, replicas=2, warren_load_latency_calls=50)
    assert "10 of 10 containers running" in said
    results = json.loads((tmp_path / "results/latest/results.json").read_text())
    assert results["measurements"]["cleanup"]["containers_left"] == 0
    assert not [
        path for path in (tmp_path / "results").rglob("*") if path.is_file() and b"PRIVATE" in path.read_bytes()
    ]
    for certificate in (tmp_path / "state").rglob("ca.crt"):
        assert certificate.stat().st_mode & 0o077 == 0

    plays("cluster-down")
    said = plays("cluster-up", code=2)
    assert "cannot start again on what an earlier start left in" in said
    assert "-e wipe=true" in said
    plays("cluster-up", wipe=True)
    plays("cluster-down", wipe=True)
    assert there.run("manager-1", "find /var/tmp/warren-load -name data") == ""
    plays("hosts-down")


def test_three_managers_and_what_is_wrong_with_them(there: Hosts, tmp_path: Path) -> None:
    plays = Plays(there, tmp_path, "simulator")
    plays("hosts-up", managers=3, workers=1)
    plays("cluster-up")
    there.run("worker-1", "kill $(pgrep -f hollow-workers)")
    there.run("manager-2", "kill -KILL $(pgrep -f 'manager join')")
    said = plays("diagnose", code=2)
    assert "The worker of worker-1 does not run." in said
    assert "The manager of manager-2 does not run." in said
    assert "manager-2 is not reached at the API port." in said
    archive = re.findall(r"disk state: (\S+\.tar\.gz)", said)[0]
    with tarfile.open(archive) as packed:
        names = [Path(name).name for name in packed.getnames()]
    assert {"diagnosis.txt", "manager-1.tar.gz", "manager-2.tar.gz", "worker-1.tar.gz"} <= set(names)
    # The one that is gone joins again, and the worker comes back.
    plays("cluster-up", wipe=True)
    assert "✗" not in plays("diagnose")


def test_a_worker_s_host_dies_between_up_and_load(there: Hosts, tmp_path: Path) -> None:
    plays = Plays(there, tmp_path, "simulator")
    plays("hosts-up", managers=1, workers=3)
    plays("cluster-up")
    record = netns_hosts.read(there.directory, there.name)
    assert record is not None
    os.kill(record.hosts["worker-2"].pid, signal.SIGKILL)

    gone = "worker-2: the host cannot be reached (Host worker-2 is not there: make it with the playbook hosts-up)."
    load = {"services": 2, "replicas": 2, "warren_load_latency_calls": 50}
    said = plays("load-small", code=2, **load)  # of three none is to spare
    assert gone in said
    assert "Services Created: none" in said
    said = plays("cluster-up", code=2)
    assert (
        "more workers are missing than the 0 that warren_load_missing_workers lets, so mend them or raise it." in said
    )

    def down() -> bool:
        return re.search(r"worker-2 .*\bdown\b", plays("cluster-status")) is not None

    eventually(down, 60.0, lambda: "worker-2 is down, 30 s after its last heartbeat")
    said = plays("load-small", warren_load_missing_workers=40, **load)
    assert f"{gone} Run cleanup.yml when it can" in said
    assert "4 of 4 containers running" in said
    assert "2 of the 3 workers that were asked for are ready (worker-2 is missing)" in " ".join(said.split())
    assert "UNREACHABLE" not in said
    plays("hosts-up", managers=1, workers=3)
    plays("cluster-up")


def test_a_port_that_is_taken_and_a_name_for_an_address(there: Hosts, tmp_path: Path) -> None:
    plays = Plays(there, tmp_path, "simulator")
    plays("hosts-up", managers=1, workers=0)
    there.serve("manager-1")  # on 7777
    said = plays("cluster-up", code=2, warren_load_http_address="127.0.0.1:7777")
    taken = (
        r"manager-1 cannot start: \S+ \(process \d+\) listens on 127\.0\.0\.1:7777 already; stop it, or give it another"
    )
    assert re.search(taken, " ".join(said.split()))
    said = plays("cluster-up", code=2, warren_load_node_address="manager-1.internal")
    assert "Warren needs an address there, not a name: set warren_load_node_address" in said
    assert there.run("manager-1", "ls /var/tmp/warren-load 2>/dev/null | grep -c data").strip() == "0"
