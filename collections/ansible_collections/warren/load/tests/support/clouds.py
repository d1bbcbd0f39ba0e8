# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clouds on loopback, and the means to run playbooks on them. No name and no key here is good for a real cloud.

AWS is moto's server; Hetzner's and Google's are fakes beside this file. Playbooks reach the hosts of a cloud as
localhost, so that nothing is ever sent to an address that a fake made up.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import typing as t
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs

import pytest

from .worlds import COLLECTION

if t.TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = COLLECTION.parents[3]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGm5Yx5p4c2Tq1yQ5m0tq8n7pWl3u8yV2oUO0n0c9fJ1 nobody@nowhere"
REGION = "eu-central-1"
DEBIAN = {
    "ami_id": "ami-0debian12",
    "state": "available",
    "public": True,
    "owner_id": "136693071363",
    "image_location": "amazon/debian-12-amd64-20251112-2294",
    "root_device_type": "ebs",
    "root_device_name": "/dev/xvda",
    "description": "Debian 12",
    "image_type": "machine",
    "platform": None,
    "architecture": "x86_64",
    "name": "debian-12-amd64-20251112-2294",
    "virtualization_type": "hvm",
    "hypervisor": "xen",
    "sriov": "simple",
    "creation_date": "2025-11-12T00:00:00.000Z",
}


def needs(collection: str, *modules: str) -> pytest.MarkDecorator:
    """Skips where a cloud's collection or library cannot be had, and names it."""
    lacks = [name for name in modules if importlib.util.find_spec(name) is None]
    try:
        there = importlib.util.find_spec(f"ansible_collections.{collection}") is not None
    except ModuleNotFoundError:
        there = False
    lacks += [] if there else [f"collection {collection}"]
    return pytest.mark.skipif(bool(lacks), reason=f"{', '.join(lacks)} not installed (tests/requirements.txt)")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Ran(t.NamedTuple):
    """What a playbook came to."""

    returncode: int
    output: str
    seconds: float

    @property
    def changed(self) -> int:
        """Tasks that changed something, of all hosts."""
        recap = self.output.partition("PLAY RECAP")[2]
        return sum(int(word.removeprefix("changed=")) for word in recap.split() if word.startswith("changed="))


class Cloud:
    """An inventory of a provider, a home of its own, and the environment that leads to a fake."""

    def __init__(self, folder: Path, provider: str, environment: dict[str, str]) -> None:
        self.folder = folder
        self.original = ROOT / "inventories" / provider
        self.inventory = folder / provider
        shutil.copytree(self.original, self.inventory)
        here = {"ansible_connection": "local", "ansible_become": False, "ansible_python_interpreter": sys.executable}
        for name in ("managers", "workers", "generators"):
            (self.inventory / f"group_vars/{name}.yml").write_text(json.dumps(here), encoding="utf-8")
        home = folder / "home"
        (home / ".ssh").mkdir(parents=True)
        (home / ".ssh/id_ed25519.pub").write_text(f"{KEY}\n", encoding="utf-8")
        drop = ("ANSIBLE_", "AWS_", "HCLOUD_", "GOOGLE_", "GCP_", "XDG_")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(drop)} | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "NO_PROXY": "127.0.0.1",
            "ANSIBLE_DEPRECATION_WARNINGS": "false",
            **environment,
        }

    @property
    def pinned(self) -> list[Path]:
        """Files with pinned host keys."""
        return list((self.folder / "home/.local/state/warren-load/known_hosts").glob("*"))

    def play(self, playbook: str, *arguments: str, **variables: t.Any) -> Ran:
        """Run playbooks/PLAYBOOK.yml without a terminal."""
        given = {
            "warren_load_ssh_from": "203.0.113.7",
            "warren_load_owner": "me.here",
            "warren_load_results_dir": str(self.folder / "results"),
            **variables,
        }
        command = ["ansible-playbook", "-i", str(self.inventory), f"playbooks/{playbook}.yml", "-e", json.dumps(given)]
        started = time.monotonic()
        done = self._run(*command, *arguments)
        ran = Ran(done.returncode, done.stdout, time.monotonic() - started)
        print(f"--- {playbook} {variables}: exit code {ran.returncode}, {ran.seconds:.1f} s\n{ran.output}")
        return ran

    def hosts(self) -> dict[str, t.Any]:
        """What ansible-inventory makes of the inventory as it is shipped."""
        done = self._run("ansible-inventory", "-i", str(self.original), "--list", stderr=subprocess.PIPE)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout, object_hook=lambda made: made.get("__ansible_unsafe", made))

    def _run(self, *command: str, stderr: int = subprocess.STDOUT) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            timeout=300,
            check=False,
        )


def aws_environment(address: str) -> dict[str, str]:
    """Leads boto3 to a fake, with keys that are none."""
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextlib.contextmanager
def moto(folder: Path) -> Iterator[str]:
    """The address of moto's server, which knows one image of Debian."""
    images = folder / "images.json"
    images.write_text(json.dumps([DEBIAN]), encoding="utf-8")
    port = free_port()
    with (folder / "moto.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            env=os.environ | {"MOTO_AMIS_PATH": str(images)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"{address}/moto-api/", timeout=5):
                    break
            except OSError:
                alive = server.poll() is None and time.monotonic() < end
                assert alive, (folder / "moto.log").read_text()
                time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait(30)


@contextlib.contextmanager
def quota(address: str, machines: int) -> Iterator[str]:
    """The address of a go-between that lets no call make more than so many instances, in AWS's words."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked = parse_qs(body.decode())
            if asked["Action"] == ["RunInstances"] and int(asked["MaxCount"][0]) > machines:
                status, kind = 400, "text/xml"
                answer = (
                    b"<Response><Errors><Error><Code>VcpuLimitExceeded</Code><Message>You have requested more vCPU "
                    b"capacity than your current vCPU limit of 32 allows.</Message></Error></Errors></Response>"
                )
            else:
                headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
                request = urllib.request.Request(address + self.path, body, headers)
                try:
                    reply = urllib.request.urlopen(request, timeout=60)
                except urllib.error.HTTPError as error:
                    reply = error
                with reply:
                    status, kind, answer = reply.status, reply.headers.get("Content-Type", "text/xml"), reply.read()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
