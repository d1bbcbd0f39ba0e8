# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands that talk to a manager and print what Warren's print (facts/warren.md 2.4)."""

from __future__ import annotations

import argparse
import asyncio
import sys
import typing as t

from ansible_collections.warren.load.plugins.module_utils.api.channel import Security, resolve
from ansible_collections.warren.load.plugins.module_utils.api.client import Client, detect_dialect
from ansible_collections.warren.load.plugins.module_utils.api.errors import WarrenError
from ansible_collections.warren.load.plugins.module_utils.api.schema import message

from . import certificates


class _Failed(Exception):
    """What follows `Error:` before exit code 1."""


async def _call(
    address: str, method: str, *, failed_to: str, security: Security | None = None, **fields: t.Any
) -> t.Any:
    """One call to the manager at ``address``, with the CLI's certificate where the manager speaks TLS."""
    path = certificates.folder("cli")
    known = certificates.complete(path)
    if security is None:
        security = Security(ca_file=str(path / "ca.crt")) if known else Security()
    try:
        resolved = await asyncio.to_thread(resolve, address, security)
        if resolved.tls and not known and method != "RequestCertificate":
            raise _Failed(
                f"failed to connect to manager: CLI certificate not found at {path}. Please run 'warren init --manager "
                f"{address} --token <token>' to request a certificate from the manager"
            )
        dialect = await detect_dialect(address, resolved)
        async with Client(address, resolved, dialect) as client:
            return await client.call(method, message(f"{method}Request")(**fields))
    except WarrenError as error:
        code = "Unknown" if error.code == "UNKNOWN" else error.code.title().replace("_", "")
        raise _Failed(f"failed to {failed_to}: rpc error: code = {code} desc = {error.details}") from error


def _command(
    work: t.Callable[[argparse.Namespace], t.Coroutine[t.Any, t.Any, None]],
) -> t.Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        try:
            asyncio.run(work(arguments))
        except (_Failed, ValueError, OSError) as error:
            print(f"Error: {error}", file=sys.stderr)
            return 1
        return 0

    return run


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def add_manager_flag(parser: argparse.ArgumentParser) -> None:
    """The flag that all of them have."""
    parser.add_argument("--manager", default="127.0.0.1:8080", help="API address of a manager")


def add_name(parser: argparse.ArgumentParser) -> None:
    """Commands on one service."""
    parser.add_argument("name", metavar="NAME")
    add_manager_flag(parser)


def add_create_flags(parser: argparse.ArgumentParser) -> None:
    """`service create`."""
    add_name(parser)
    parser.add_argument("--image", required=True, help="container image")
    parser.add_argument("--replicas", type=int, default=1, help="number of replicas")
    parser.add_argument("--env", action="append", default=[], metavar="K=V", help="environment, comma list")


def add_scale_flags(parser: argparse.ArgumentParser) -> None:
    """`service scale`."""
    add_name(parser)
    parser.add_argument("--replicas", type=int, required=True, help="number of replicas")


def add_token_flags(parser: argparse.ArgumentParser) -> None:
    """`cluster join-token`."""
    parser.add_argument("role", metavar="worker|manager")
    add_manager_flag(parser)


def add_cli_flags(parser: argparse.ArgumentParser) -> None:
    """`init`."""
    add_manager_flag(parser)
    parser.add_argument("--token", default="", help="join token (required)")


def add_stub_flags(parser: argparse.ArgumentParser) -> None:
    """`cluster join`."""
    parser.add_argument("--token", default="", help="join token")


@_command
async def cluster_info(arguments: argparse.Namespace) -> None:
    """`cluster info`."""
    info = await _call(arguments.manager, "GetClusterInfo", failed_to="get cluster info")
    print("Cluster Information:")
    print(f"  Leader ID: {info.leader_id}")
    print(f"  Leader Address: {info.leader_addr}")
    print(f"  Servers: {len(info.servers)}\n")
    print("Raft Servers:")
    for server in info.servers:
        print(f"  - ID: {server.id}\n    Address: {server.address}\n    Suffrage: {server.suffrage}\n")


@_command
async def join_token(arguments: argparse.Namespace) -> None:
    """`cluster join-token`."""
    role, manager = arguments.role, arguments.manager
    if role not in {"worker", "manager"}:
        raise _Failed("role must be 'worker' or 'manager'")
    token = (await _call(manager, "GenerateJoinToken", failed_to="generate token", role=role)).token
    print(f"Join token for {role}:\n\n    {token}\n\nThis token expires in 24 hours.\n")
    print(f"To join a {role} to the cluster, run:")
    if role == "manager":
        print(f"    warren manager join --token {token} --leader {manager}")
    else:
        print(f"    warren worker start --manager {manager} --token {token}")


@_command
async def cluster_join(arguments: argparse.Namespace) -> None:
    """`cluster join`: a stub in Warren too."""
    if not arguments.token:
        raise _Failed("--token is required")
    print("Joining cluster...\nImplementation coming in Milestone 1!")


@_command
async def init_cli(arguments: argparse.Namespace) -> None:
    """`init`: get the command line a certificate, or be content with the one that is there."""
    if not arguments.token:
        raise _Failed("--token is required")
    print("Initializing CLI certificate... (Warren simulator)")
    print(f"  Manager: {arguments.manager}")
    path = certificates.folder("cli")
    if certificates.complete(path):
        print(f"✓ Using existing certificate from {path}")
        print("\n✓ CLI initialized successfully\nYou can now use other Warren CLI commands")
        return
    print("CLI certificate not found, requesting from manager...")
    reply = await _call(
        arguments.manager,
        "RequestCertificate",
        failed_to="initialize CLI: failed to request certificate",
        security=Security(),  # Warren does not verify the server here either
        node_id="cli",
        token=arguments.token,
    )
    certificates.write(path, certificates.Identity(reply.certificate, reply.private_key, reply.ca_cert))
    print(f"✓ Certificate obtained and saved to {path}")
    print("\n✓ CLI initialized successfully\nYou can now use other Warren CLI commands")


@_command
async def service_create(arguments: argparse.Namespace) -> None:
    """`service create`."""
    pairs = (pair.partition("=") for text in arguments.env for pair in text.split(","))
    service = (
        await _call(
            arguments.manager,
            "CreateService",
            failed_to="create service",
            name=arguments.name,
            image=arguments.image,
            replicas=arguments.replicas,
            mode="replicated",
            env={key: value for key, equals, value in pairs if equals},
        )
    ).service
    print(f"✓ Service created: {service.name}")
    print(f"  ID: {service.id}\n  Image: {service.image}\n  Replicas: {service.replicas}")


@_command
async def service_list(arguments: argparse.Namespace) -> None:
    """`service list`."""
    services = (await _call(arguments.manager, "ListServices", failed_to="list services")).services
    if not services:
        print("No services found")
        return
    print(f"{'NAME':<20} {'REPLICAS':<12} {'IMAGE':<30} ID")
    for each in services:
        print(f"{_cut(each.name, 20):<20} {each.replicas:<12} {_cut(each.image, 30):<30} {each.id[:12]}")


@_command
async def service_inspect(arguments: argparse.Namespace) -> None:
    """`service inspect`."""
    service = (await _call(arguments.manager, "GetService", failed_to="get service", name=arguments.name)).service
    print(f"Service: {service.name}\n  ID: {service.id}\n  Image: {service.image}\n  Replicas: {service.replicas}")
    print(f"  Mode: {service.mode}")
    if service.env:
        print("  Environment:")
        for key, value in service.env.items():
            print(f"    {key}={value}")


@_command
async def service_delete(arguments: argparse.Namespace) -> None:
    """`service delete`: of several with that name, the last in id order."""
    service = (await _call(arguments.manager, "GetService", failed_to="find service", name=arguments.name)).service
    await _call(arguments.manager, "DeleteService", failed_to="delete service", id=service.id)
    print(f"✓ Service deleted: {arguments.name}")


@_command
async def service_scale(arguments: argparse.Namespace) -> None:
    """`service scale`."""
    old = (await _call(arguments.manager, "GetService", failed_to="find service", name=arguments.name)).service
    update = {"id": old.id, "replicas": arguments.replicas}
    new = (await _call(arguments.manager, "UpdateService", failed_to="scale service", **update)).service
    print(f"✓ Service scaled: {arguments.name}\n  Replicas: {old.replicas} → {new.replicas}")


@_command
async def node_list(arguments: argparse.Namespace) -> None:
    """`node list`."""
    nodes = (await _call(arguments.manager, "ListNodes", failed_to="list nodes")).nodes
    if not nodes:
        print("No nodes found")
        return
    print(f"{'ID':<15} {'ROLE':<10} {'STATUS':<15} {'CPU':<10}")
    for node in nodes:
        name = node.id if len(node.id) <= 12 else node.id[:12] + "..."
        print(f"{name:<15} {node.role:<10} {node.status:<15} {node.resources.cpu_cores:<10}")
