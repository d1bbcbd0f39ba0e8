# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that run hollow workers: Warren's `worker start` for one, `hollow-workers start` for a fleet."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import typing as t
from pathlib import Path

from ansible_collections.warren.load.plugins.module_utils.api.channel import Resolved, Security, resolve, split_address
from ansible_collections.warren.load.plugins.module_utils.api.client import Client
from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.api.errors import WarrenError
from ansible_collections.warren.load.plugins.module_utils.api.schema import message

from .hollow import DEFECTS, REGISTER_DEADLINE, Behaviour, FleetOptions, run_fleet

if t.TYPE_CHECKING:
    from collections.abc import Callable


def _address(text: str) -> str:
    try:
        split_address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _number(low: float, high: float, what: str) -> Callable[[str], float]:
    def convert(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
        return value

    return convert


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _manager_map(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    for raft, equals, api in pairs:
        if not (equals and raft):
            raise argparse.ArgumentTypeError(f"{text!r} is not a list of RAFT=API addresses, separated by commas")
        _address(api)
    return {raft: api for raft, _equals, api in pairs}


def _add_common_flags(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--manager", type=_address, default="127.0.0.1:8080", help="API address of the manager to work for")
    add(
        "--dialect", choices=("auto", "tasks", "containers"), default="auto", help="the server's dialect (auto: ask it)"
    )
    add("--heartbeats", choices=("full", "changes"), default="full", help="states of all containers, or only changes")
    add("--start-delay", type=_number(0, 86400, "a number of seconds"), default=0.0, metavar="S")
    add("--fail-fraction", type=_number(0, 1, "a fraction between 0 and 1"), default=0.0, metavar="X")
    add("--clock-factor", type=_number(0.01, 1000, "a factor between 0.01 and 1000"), default=1.0, metavar="F")
    add("--defect", action="append", choices=DEFECTS, default=[], help="a real worker's defect to show; repeatable")
    add("--stats-file", metavar="PATH", help="JSON file that says once a second what the workers do")


def add_fleet_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of `hollow-workers start`."""
    _add_common_flags(parser)
    add = parser.add_argument
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--count", type=_count, metavar="N", help="how many workers")
    which.add_argument("--node-id", metavar="ID", help="the id of one worker alone")
    add("--address", default="localhost", help="the address that they register with")
    add("--first", type=_count, default=1, metavar="N", help="number of the first one")
    add("--prefix", default="worker-", help="their ids are this and a number")
    add("--managers", type=_manager_map, default={}, metavar="RAFT=API,…", help="where to register when not the leader")
    add("--ca-file", metavar="PATH", help="PEM file of the cluster's CA; without it the first certificate is trusted")
    add("--server-name", default="localhost", help="name that the manager's certificate must carry")
    add("--plaintext", action="store_true", help="no TLS")
    add("--seed", type=int, default=0, help="seed of the failures that --fail-fraction asks for")
    add("--cpu", type=_count, default=4, metavar="CORES")
    add("--memory", type=_count, default=8, metavar="GB")


def add_worker_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of `worker start`: Warren's, and those of hollow workers."""
    _add_common_flags(parser)
    add = parser.add_argument
    add("--node-id", default="worker-1", help="unique node id")
    add("--data-dir", default="./warren-worker-data", help="data directory")
    add("--cpu", type=_count, default=4, metavar="CORES")
    add("--memory", type=_count, default=8, metavar="GB")
    add("--token", default="", help="join token (TLS managers, first start only)")
    add("--enable-pprof", action="store_true", help="accepted; a hollow worker has no profiles")


def _behaviour(arguments: argparse.Namespace) -> Behaviour:
    return Behaviour(
        start_delay=arguments.start_delay,
        fail_fraction=arguments.fail_fraction,
        heartbeats=arguments.heartbeats,
        defects=frozenset(arguments.defect),
    )


def _say(text: str) -> None:
    print(text, flush=True)


def start_fleet(arguments: argparse.Namespace) -> int:
    """`hollow-workers start`: run a fleet in the foreground; 0 after SIGTERM, 1 with a sentence on stderr."""
    if arguments.plaintext and arguments.ca_file:
        print("Error: --plaintext and --ca-file exclude each other: drop one of them", file=sys.stderr)
        return 1
    mode = "plaintext" if arguments.plaintext else "tls" if arguments.ca_file else "auto"
    numbers = range(arguments.first, arguments.first + (arguments.count or 0))
    node_ids = (arguments.node_id,) if arguments.node_id else tuple(f"{arguments.prefix}{each}" for each in numbers)
    options = FleetOptions(
        node_ids=node_ids,
        address=arguments.address,
        manager=arguments.manager,
        managers=arguments.managers,
        security=Security(mode=mode, ca_file=arguments.ca_file, server_name=arguments.server_name),
        dialect=arguments.dialect,
        behaviour=_behaviour(arguments),
        clock_factor=arguments.clock_factor,
        cpu_cores=arguments.cpu,
        memory_bytes=arguments.memory << 30,
        stats_file=arguments.stats_file,
        seed=arguments.seed,
    )
    _say(f"Starting {len(node_ids)} hollow workers (simulator: they run no containers)...")
    try:
        run_fleet(options, _say)
    except (WarrenError, OSError) as error:
        print(f"Error: failed to start the hollow workers: {error}", file=sys.stderr)
        return 1
    _say("✓ Shutdown complete")
    return 0


def certificate_folder(node_id: str) -> Path:
    """Where Warren keeps a worker's certificate (facts/warren.md 2.6)."""
    return Path(os.environ.get("HOME", ".")) / ".warren" / "certs" / f"worker-{node_id}"


async def _request_certificate(address: str, resolved: Resolved, node_id: str, token: str) -> t.Any:
    async with Client(address, resolved, Dialect.CONTAINERS) as client:
        request = message("RequestCertificateRequest")(node_id=node_id, token=token)
        return await client.call("RequestCertificate", request)


def _worker_security(arguments: argparse.Namespace) -> Security:
    """As Warren's worker: plaintext needs nothing; with TLS a certificate is asked for once, by token."""
    # Like Warren's own first connection, this one does not verify the server (facts/warren.md 3.2).
    resolved = resolve(arguments.manager, Security())
    if not resolved.tls:
        return Security(mode="plaintext")
    folder = certificate_folder(arguments.node_id)
    names = ("node.crt", "node.key", "ca.crt")
    certificate, key, authority = (folder / name for name in names)
    if all((folder / name).exists() for name in names):
        _say(f"✓ Using existing certificate from {folder}")
    else:
        _say("Worker certificate not found, requesting from manager...")
        reply = asyncio.run(_request_certificate(arguments.manager, resolved, arguments.node_id, arguments.token))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path, content, mode in (
            (certificate, reply.certificate, 0o600),
            (key, reply.private_key, 0o600),
            (authority, reply.ca_cert, 0o644),
        ):
            path.write_bytes(content)
            path.chmod(mode)
        _say(f"✓ Certificate obtained and saved to {folder}")
    return Security(mode="tls", ca_file=str(authority), client_cert_file=str(certificate), client_key_file=str(key))


def start_worker(arguments: argparse.Namespace) -> int:
    """`worker start`: one hollow worker in the foreground, with a real worker's output and exit codes."""
    _say("Starting Warren worker (simulator: it runs no containers)...")
    _say(f"  Node ID: {arguments.node_id}")
    _say(f"  Manager: {arguments.manager}")
    _say(f"  Data Directory: {arguments.data_dir}")
    _say(f"  Resources: {arguments.cpu} cores, {arguments.memory} GB memory")
    _say("")

    def say(text: str) -> None:
        if not text.startswith("Hollow workers are running"):
            _say(text)
            return
        _say("Worker registered with manager")
        _say(f"  Node ID: {arguments.node_id}")
        _say("  Overlay IP: 10.0.0.1")
        _say("")
        _say("Worker is running. Press Ctrl+C to stop.")

    try:
        Path(arguments.data_dir).mkdir(parents=True, exist_ok=True)
        options = FleetOptions(
            node_ids=(arguments.node_id,),
            manager=arguments.manager,
            security=_worker_security(arguments),
            dialect=arguments.dialect,
            behaviour=_behaviour(arguments),
            clock_factor=arguments.clock_factor,
            cpu_cores=arguments.cpu,
            memory_bytes=arguments.memory << 30,
            stats_file=arguments.stats_file,
            register_for=REGISTER_DEADLINE,
        )
        run_fleet(options, say)
    except WarrenError as error:
        code = "Unknown" if error.code == "UNKNOWN" else error.code
        step = "request certificate" if error.method == "RequestCertificate" else "register with manager"
        print(
            f"Error: failed to start worker: failed to {step}: rpc error: code = {code} desc = {error.details}",
            file=sys.stderr,
        )
        return 1
    except OSError as error:
        print(f"Error: failed to start worker: {error}", file=sys.stderr)
        return 1
    _say("\nShutting down...")
    _say("✓ Shutdown complete")
    return 0


def main(argv: list[str] | None = None) -> int:
    """The two commands alone: `python -m warren_simulator.hollow_cli hollow-workers start …`."""
    parser = argparse.ArgumentParser(prog="warren-simulator", allow_abbrev=False)
    kinds = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, add_flags, run in (
        ("worker", add_worker_flags, start_worker),
        ("hollow-workers", add_fleet_flags, start_fleet),
    ):
        start = kinds.add_parser(name, allow_abbrev=False).add_subparsers(required=True, metavar="start")
        command = start.add_parser("start", allow_abbrev=False)
        add_flags(command)
        command.set_defaults(run=run)
    arguments = parser.parse_args(argv)
    return t.cast(int, arguments.run(arguments))


if __name__ == "__main__":
    sys.exit(main())
