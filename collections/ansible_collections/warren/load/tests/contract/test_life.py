# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How managers start, stop and die (2.7, 3.7), and who may join."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.tests.support.worlds import READY, Node, World, refusal


def test_signals_end_a_manager_with_0_and_its_data_cannot_be_used_again(fresh_world: World) -> None:
    world = fresh_world
    world.api.write("CreateService", name="kept", image="docker.io/library/nginx:alpine")
    for number, node in enumerate(reversed(world.nodes.values())):
        assert node.process.stop(signal.SIGINT if number else signal.SIGTERM) == 0
        assert "Shutting down..." in node.process.stdout
        assert "✓ Shutdown complete" in node.process.stdout
    again = world.first.start("cluster", "init", *world.program.init_flags)
    assert again.wait() == 1
    assert "Error: failed to bootstrap cluster" in again.stderr
    assert "bootstrap only works on new clusters" in again.stderr
    assert READY not in again.stdout


@pytest.mark.containers
def test_register_node_without_resources_kills_the_manager(fresh_world: World) -> None:
    """As it does in dialect `tasks`, where the test of dying leaders uses it."""
    error = refusal(lambda: fresh_world.api.call("manager-1", "RegisterNode", id="x", role="worker"))
    assert error.code == "UNAVAILABLE"
    assert fresh_world.first.process.wait() not in (0, 1)


@pytest.fixture
def spare(world: World) -> Iterator[Node]:
    """A manager beside the shared cluster, for one test to start."""
    yield world.spare
    if world.spare.running:
        world.spare.process.stop()
    world.spare.wipe()


def test_a_taken_http_port_does_not_stop_a_manager(world: World, spare: Node) -> None:
    # Where all managers are on one host, the first has taken it already.
    alone = spare.namespace or world.program.kind == "simulator"
    with spare.occupy(spare.http_address) if alone else contextlib.nullcontext():
        process = spare.start("cluster", "init", *world.program.init_flags)
        process.wait_for(READY)
        assert "✓ Metrics endpoint:" in process.stdout
        spare.connect(spare.api_address).close()
        assert process.stop() == 0


def test_a_taken_api_port_ends_it_with_0(world: World, spare: Node) -> None:
    """It is noticed when everything has been said."""
    with spare.occupy(spare.api_address):
        process = spare.start("cluster", "init", *world.program.init_flags)
        assert process.wait() == 0
    assert "Manager is running." in process.stdout
    # Dialect `tasks` says this only when it listens.
    assert (READY in process.stdout) is (world.dialect is Dialect.CONTAINERS)
    assert "address already in use" in process.stdout + process.stderr


@pytest.mark.tasks
def test_joining_needs_a_managers_token(world: World, spare: Node) -> None:
    worker_token = world.api.write("GenerateJoinToken", role="worker").token
    refusals = {
        "0" * 64: "invalid join token: invalid token",
        worker_token: "invalid token role: expected manager, got worker",
    }
    for token, text in refusals.items():
        leader = world.nodes[world.api.leader()].api_address
        process = spare.start("manager", "join", "--leader", leader, "--token", token)
        assert process.wait() == 1
        assert "Error: failed to join cluster" in process.stderr
        assert text in process.stderr
        spare.wipe()
    assert len(world.api.read("GetClusterInfo").servers) == 3


@pytest.mark.containers
def test_joining_never_works(world: World, spare: Node) -> None:
    """In every version of dialect `containers` (0.2); the cluster survives it where the joiner's CLI was not set up."""
    flags = ("--leader", world.first.api_address, "--token", world.tokens["manager"])
    process = spare.start("manager", "join", *flags)
    assert process.wait() == 1
    assert "Error: failed to join cluster" in process.stderr
    assert [server.id for server in world.api.read("GetClusterInfo").servers] == ["manager-1"]
    world.api.write("DeleteService", id="no-such-id")  # it still has its quorum
