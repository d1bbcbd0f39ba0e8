# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line: what it prints, and its exit codes (2)."""

from __future__ import annotations

import re
import subprocess
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.tests.support.worlds import READY, World, follower_of

IMAGE = "docker.io/library/nginx:alpine"
JOIN_TOKEN = re.compile(r"^\s{4}([0-9a-f]{64})$", re.MULTILINE)
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def home(world: World) -> Path:
    """A home whose user may use the command line: with TLS it has got its certificate by `init`."""
    path = world.folder / "cli-home"
    path.mkdir()
    if world.dialect is Dialect.CONTAINERS:
        done = world.first.cli("init", "--token", world.tokens["cli"], home=path)
        assert done.returncode == 0, done.stderr
    return path


@pytest.fixture
def cli(world: World, home: Path) -> Cli:
    """Run a command beside the leader, against it unless ``beside`` names another manager."""

    def run(*arguments: str, beside: str = "", **options: t.Any) -> subprocess.CompletedProcess[str]:
        return world.nodes[beside or world.api.leader()].cli(*arguments, home=home, **options)

    return run


def good(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


def bad(done: subprocess.CompletedProcess[str], text: str) -> None:
    """Exit 1, and ``Error: text`` on stderr."""
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert re.search(rf"^Error: {text}", done.stderr, re.MULTILINE), done.stderr


# --- starting managers ------------------------------------------------------------------------------------------------


def test_output_of_cluster_init(world: World) -> None:
    first = world.first
    lines = first.process.stdout.splitlines()
    assert "Initializing" in lines[0]
    for label, value in (
        ("Node ID", first.name),
        ("Raft Address", first.raft_address),
        ("API Address", first.api_address),
        ("Data Directory", str(first.data)),
    ):
        assert f"  {label}: {value}" in lines
    for step in (
        "Cluster initialized successfully",
        "Scheduler started",
        "Reconciler started",
        "Metrics collector started",
    ):
        assert f"✓ {step}" in lines
    assert f"✓ Metrics endpoint: http://{first.http_address}/metrics" in lines
    assert "Manager is running. Press Ctrl+C to stop." in lines
    assert f"{READY} {first.api_address}" in lines
    assert any(line.startswith("  Containerd: ") for line in lines) is (world.dialect is Dialect.CONTAINERS)


@pytest.mark.containers
def test_tokens_are_printed(world: World) -> None:
    assert set(world.tokens) == {"worker", "manager", "cli"}
    assert len(set(world.tokens.values())) == 3
    assert "MANAGER-ONLY mode" in world.first.process.stdout


@pytest.mark.tasks
def test_no_tokens_are_printed_but_joiners_show_theirs(world: World) -> None:
    assert not re.search("[0-9a-f]{64}", world.first.process.stdout)
    joined = world.nodes["manager-2"].process.stdout
    assert "Joining cluster as manager..." in joined
    assert "✓ Successfully joined cluster" in joined
    assert re.search(r"Token: [0-9a-f]{64}", joined)


def test_version_and_wrong_words(world: World, cli: Cli) -> None:
    assert len(good(cli("--version", manager=None)).strip().splitlines()) == 3
    for words in (("service", "ls"), ("node", "token", "manager"), ("cluster", "foo"), ("service",)):
        assert good(cli(*words, manager=None)).strip()  # help, and exit 0
    bad(cli("service", "ls", "--no-such-flag", manager=None), "unknown flag: --no-such-flag")
    bad(cli("task", "ls", manager=None), 'unknown command "task"')
    bad(cli("version", manager=None), 'unknown command "version"')
    assert cli("service", "create", "x").returncode == 1  # --image is missing


# --- the cluster ------------------------------------------------------------------------------------------------------


def test_join_token(world: World, cli: Cli) -> None:
    for role in ("worker", "manager"):
        out = good(cli("cluster", "join-token", role))
        assert out.startswith(f"Join token for {role}:\n\n    ")
        assert JOIN_TOKEN.search(out)
        assert "expires" in out
    bad(cli("cluster", "join-token", "boss"), "role must be 'worker' or 'manager'")


def test_cluster_info(world: World, cli: Cli) -> None:
    leader = world.api.leader()
    blocks = "".join(
        f"  - ID: {node.name}\n    Address: {node.raft_address}\n    Suffrage: Voter\n\n"
        for node in world.nodes.values()
    )
    for name in world.nodes:
        assert good(cli("cluster", "info", beside=name)) == (
            f"Cluster Information:\n  Leader ID: {leader}\n  Leader Address: {world.nodes[leader].raft_address}\n"
            f"  Servers: {len(world.nodes)}\n\nRaft Servers:\n{blocks}"
        )


def test_cluster_join_does_nothing(world: World, cli: Cli) -> None:
    assert len(good(cli("cluster", "join", "--token", "x", manager=None)).strip().splitlines()) == 2


@pytest.mark.tasks
def test_writes_at_a_follower(world: World, cli: Cli) -> None:
    name = follower_of(world)
    leader = world.nodes[world.api.leader()].raft_address
    text = f"rpc error: code = Unknown desc = not the leader, current leader is at: {leader}"
    bad(cli("cluster", "join-token", "worker", beside=name), f"failed to generate token: {text}")
    bad(cli("service", "create", "x", "--image", IMAGE, beside=name), f"failed to create service: {text}")


def test_nobody_answers(world: World, cli: Cli) -> None:
    done = cli("node", "list", manager="127.0.0.1:1")
    assert done.returncode == 1
    assert "Error: " in done.stderr


# --- services and nodes -----------------------------------------------------------------------------------------------


def test_the_life_of_a_service(world: World, cli: Cli) -> None:
    name = world.name("cli")
    out = good(cli("service", "create", name, "--image", IMAGE, "--replicas", "2", "--env", "A=1,B=2"))
    match = re.match(rf"✓ Service created: {name}\n  ID: ({UUID})\n  Image: {IMAGE}\n  Replicas: 2\n", out)
    assert match, out
    service = world.api.read("GetService", name=name).service
    assert (service.id, service.replicas, service.mode, dict(service.env)) == (
        match.group(1),
        2,
        "replicated",
        {"A": "1", "B": "2"},
    )
    out = good(cli("service", "inspect", name))
    assert out.startswith(f"Service: {name}\n  ID: {service.id}\n  Image: {IMAGE}\n  Replicas: 2\n  Mode: replicated\n")
    assert "    A=1\n" in out
    assert good(cli("service", "scale", name, "--replicas", "4")) == f"✓ Service scaled: {name}\n  Replicas: 2 → 4\n"
    assert good(cli("service", "scale", name, "--replicas", "0")) == f"✓ Service scaled: {name}\n  Replicas: 4 → 4\n"
    assert good(cli("service", "delete", name)) == f"✓ Service deleted: {name}\n"
    missing = f"rpc error: code = Unknown desc = service not found: service not found: {name}"
    bad(cli("service", "inspect", name), f"failed to get service: {missing}")
    bad(cli("service", "delete", name), f"failed to find service: {missing}")
    bad(cli("service", "scale", name, "--replicas", "1"), f"failed to find service: {missing}")


def test_service_list(world: World, cli: Cli) -> None:
    for service in world.api.read("ListServices").services:
        world.api.write("DeleteService", id=service.id)
    assert good(cli("service", "list")) == "No services found\n"
    long_name, long_image = "n" * 21, "docker.io/library/" + "i" * 20
    with world.service(2, name="short"), world.service(3, name=long_name, image=long_image):
        rows = {service.name: service.id[:12] for service in world.api.read("ListServices").services}
        lines = good(cli("service", "list")).splitlines()
    assert lines[0] == f"{'NAME':<20} {'REPLICAS':<12} {'IMAGE':<30} ID"
    assert sorted(lines[1:]) == sorted(
        (
            f"{'short':<20} {2:<12} {IMAGE:<30} {rows['short']}",
            f"{'n' * 17}... {3:<12} {long_image[:27]}... {rows[long_name]}",
        )
    )


def test_node_list(world: World, cli: Cli) -> None:
    for node in world.api.read("ListNodes").nodes:
        world.api.write("RemoveNode", id=node.id)
    assert good(cli("node", "list")) == "No nodes found\n"
    with world.workers("worker-1", "worker-with-a-long-id"):
        assert good(cli("node", "list")).splitlines() == [
            f"{'ID':<15} {'ROLE':<10} {'STATUS':<15} {'CPU':<10}",
            f"{'worker-1':<15} {'worker':<10} {'ready':<15} {4:<10}",
            f"{'worker-with-...':<15} {'worker':<10} {'ready':<15} {4:<10}",
        ]


# --- the command line's certificate (2.5, 2.6) ------------------------------------------------------------------------


@pytest.mark.containers
def test_init_gets_a_certificate_once(world: World) -> None:
    home = world.folder / "fresh-home"
    home.mkdir()
    bad(world.first.cli("init", home=home), "--token is required")
    refused = world.first.cli("init", "--token", "0" * 64, home=home)
    assert refused.returncode == 1
    assert "invalid token: invalid token" in refused.stderr
    out = good(world.first.cli("init", "--token", world.tokens["worker"], home=home))  # any live token will do
    folder = home / ".warren" / "certs" / "cli"
    assert str(folder) in out
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {
        "node.crt": "0o600",
        "node.key": "0o600",
        "ca.crt": "0o644",
    }
    assert oct(folder.stat().st_mode & 0o777) == "0o700"
    assert (folder / "node.key").read_text().startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert (folder / "ca.crt").read_bytes() == world.first.ca_file.read_bytes()
    before = (folder / "node.crt").read_bytes()
    # A second time nobody is asked: neither the token nor the manager matters.
    good(world.first.cli("init", "--token", "0" * 64, home=home, manager="127.0.0.1:1"))
    assert (folder / "node.crt").read_bytes() == before


@pytest.mark.containers
def test_certificate_files_of_a_manager(world: World) -> None:
    folder = world.first.ca_file.parent
    assert sorted(path.name for path in folder.iterdir()) == ["ca.crt", "node.crt", "node.key"]
    assert oct((folder / "node.key").stat().st_mode & 0o777) == "0o600"
