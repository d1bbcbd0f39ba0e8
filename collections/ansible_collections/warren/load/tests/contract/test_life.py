# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How managers start, stop and die (2.7, 3.7), and who may join."""

from __future__ import annotations

import signal

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.api.errors import WarrenError
from ansible_collections.warren.load.tests.support.worlds import READY, World, refusal


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


def test_register_node_without_resources_kills_the_manager(fresh_world: World) -> None:
    leader = fresh_world.nodes[fresh_world.api.leader()]
    error = refusal(lambda: fresh_world.api.call(leader.name, "RegisterNode", id="x", role="worker"))
    assert isinstance(error, WarrenError)
    assert error.code == "UNAVAILABLE"
    assert leader.process.wait() not in (0, 1)


def test_ports_that_are_taken(fresh_world: World) -> None:
    """Without its HTTP port a manager runs on; without its API port it says that it runs, and ends with exit code 0."""
    node = fresh_world.add_node()
    with node.occupy(node.http_address):
        process = node.start("cluster", "init", *fresh_world.program.init_flags)
        process.wait_for(READY)
        assert "✓ Metrics endpoint:" in process.stdout
        node.connect(node.api_address).close()
        assert process.stop() == 0
    node.data = node.folder / "data-2"
    with node.occupy(node.api_address):
        process = node.start("cluster", "init", *fresh_world.program.init_flags)
        assert process.wait() == 0
        assert "Manager is running." in process.stdout
        # Dialect `tasks` says so only when it listens.
        assert (READY in process.stdout) is (fresh_world.dialect is Dialect.CONTAINERS)
        assert "address already in use" in process.stdout + process.stderr


@pytest.mark.tasks
def test_joining_needs_a_managers_token(fresh_world: World) -> None:
    world = fresh_world
    node = world.add_node()
    leader = world.nodes[world.api.leader()]
    refusals = {
        "0" * 64: "invalid join token: invalid token",
        world.api.write("GenerateJoinToken", role="worker").token: "invalid token role: expected manager, got worker",
    }
    for number, (token, text) in enumerate(refusals.items()):
        node.data = node.folder / f"data-{number}"
        process = node.start("manager", "join", "--leader", leader.api_address, "--token", token)
        assert process.wait() == 1
        assert "Error: failed to join cluster" in process.stderr
        assert text in process.stderr
    assert len(world.api.read("GetClusterInfo").servers) == 3


@pytest.mark.containers
def test_joining_never_works(fresh_world: World) -> None:
    """In every version of dialect `containers` (0.2); the cluster survives it where the joiner's CLI was not set up."""
    world = fresh_world
    assert world.dialect is Dialect.CONTAINERS
    node = world.add_node()
    process = world.join(node, world.tokens["manager"])
    assert process.wait() == 1
    assert "Error: failed to join cluster" in process.stderr
    assert [server.id for server in world.api.read("GetClusterInfo").servers] == ["manager-1"]
    world.api.write("DeleteService", id="no-such-id")  # it still has its quorum
