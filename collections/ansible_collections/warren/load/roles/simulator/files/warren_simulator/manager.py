# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A manager's process: `cluster init` and `manager join`, with Warren's output, order and exit codes."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
import typing as t
from pathlib import Path

# Read once, when gRPC is loaded. Warren speaks TLS 1.3 only, and gRPC has no such setting; but TLS 1.2 with an ECDSA
# suite and an RSA key agrees on nothing, and the suites of TLS 1.3 are not governed by this list.
os.environ["GRPC_SSL_CIPHER_SUITES"] = "ECDHE-ECDSA-AES128-GCM-SHA256"

import grpc
import grpc.aio

from ansible_collections.warren.load.plugins.module_utils.api import timers
from ansible_collections.warren.load.plugins.module_utils.api.channel import Security, resolve, split_address
from ansible_collections.warren.load.plugins.module_utils.api.client import Client
from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.api.errors import WarrenError
from ansible_collections.warren.load.plugins.module_utils.api.schema import message

from . import certificates, http_server, metrics
from .clock import Clock
from .costs import ONE_MANAGER, THREE_MANAGERS, make_costs
from .leaks import Leaks
from .options import ManagerOptions, add_init_flags, add_join_flags, manager_options
from .raft import CommitError, Replica, check_bind_address
from .reconciler import Reconciler
from .scheduler import Scheduler
from .service import Api, Service
from .store import Store
from .tokens import Tokens

if t.TYPE_CHECKING:
    from .store import Command

__all__ = ("Manager", "add_init_flags", "add_join_flags", "start_first", "start_joining")

COMMANDS_AT_ONCE = 100  # in one log entry
JOIN_TIMEOUT = 30.0
STATE_FILE = "raft-log.db"  # its presence says that a data directory is in use, as with Warren
SNAPSHOT_FILE = "snapshots/state"
STOP_GRACE = 2.0
FREEZE_PERIOD = 5.0  # of the defect
RULE = "━" * 51


class StartError(Exception):
    """Why a manager cannot start: what is printed after `Error:` before exit code 1."""


def say(text: str = "") -> None:
    """A line on stdout, at once: somebody may be waiting for it in a log file."""
    print(text, flush=True)


class Manager:
    """What the parts of a manager share. Make it inside the running loop."""

    def __init__(self, options: ManagerOptions, others: list[str]) -> None:
        self.options = options
        self.dialect = options.dialect
        self.defects = options.defects
        self.leaks = Leaks(options.defects)
        self.clock = Clock(options.clock_factor)
        self.store = Store()
        self.metrics = metrics.Metrics(options.dialect)
        self.tokens = Tokens()
        self.authority: certificates.Authority | None = None
        rates = THREE_MANAGERS if options.dialect is Dialect.TASKS else ONE_MANAGER
        self.costs = make_costs(options.costs, rates, self.clock)
        observe = self.metrics.observe
        self.replica = Replica(
            options.bind_addr,
            others,
            self.store,
            str(Path(options.data_dir, SNAPSHOT_FILE)),
            lambda seconds: observe("warren_raft_apply_duration_seconds", seconds),
        )
        self.replica.deaf = "no-leader" in options.defects
        if not others:
            self.store.apply(("server", options.node_id, options.bind_addr))
        self.failed = asyncio.Event()

    async def commit(self, command: Command) -> None:
        """Commit one command at the price of the cost model; CommitError if that fails."""
        start = time.perf_counter()
        try:
            await self.costs.commit(lambda: self.replica.commit(command))
        finally:
            self.metrics.observe("warren_raft_commit_duration_seconds", time.perf_counter() - start)

    async def try_commit_all(self, commands: list[Command]) -> bool:
        """Commit what a control loop decided, in few log entries where costs allow; False if leadership was lost."""
        step = COMMANDS_AT_ONCE if self.costs.batches else 1
        try:
            for start in range(0, len(commands), step):
                batch = commands[start : start + step]
                await self.commit(batch[0] if len(batch) == 1 else ("batch", batch))
        except CommitError as error:
            say(f"Scheduler error: failed to apply command: {error}")
            return False
        return True

    async def add_voter(self, node_id: str, address: str) -> None:
        """Take a manager into the cluster; CommitError if that fails."""
        say(f"Adding voter: ID={node_id}, Address={address}")
        await self.replica.add_voter(address)
        await self.replica.commit(("server", node_id, address))
        say(f"Successfully added voter {node_id} to cluster")

    def crash(self, text: str) -> t.NoReturn:
        """End the process as a Go panic does."""
        print(f"{text}\n\ngoroutine 1 [running]:\n(warren-simulator)", file=sys.stderr, flush=True)
        os._exit(2)

    # -- defects that act by themselves

    async def announce_itself(self) -> None:
        """The first leader makes itself known to those who join later."""
        await self.replica.leading.wait()
        try:
            await self.replica.commit(("server", self.options.node_id, self.options.bind_addr))
        except CommitError:
            pass  # then it is not the only manager, or it never leads

    async def freeze(self) -> None:
        """Stand still: everything, as a stopped process would."""
        time.sleep(self.defects.number("freeze") / 1000)  # noqa: ASYNC251 - that is the defect


def _claim_data_dir(options: ManagerOptions, *, reuse: bool) -> None:
    path = Path(options.data_dir)
    try:
        path.mkdir(parents=True, exist_ok=True)
        if (path / STATE_FILE).exists() and not reuse:
            raise StartError(
                "failed to bootstrap cluster: failed to bootstrap cluster: bootstrap only works on new clusters"
            )
        for name in (STATE_FILE, "raft-stable.db", "warren.db"):
            (path / name).write_text("warren simulator: state lives in memory\n", encoding="utf-8")
        (path / "snapshots").mkdir(exist_ok=True)
        (path / SNAPSHOT_FILE).unlink(missing_ok=True)  # of an earlier life, in which the log was another
    except OSError as error:
        raise StartError(f"failed to create manager: failed to create data directory: {error}") from error


def _make_manager(options: ManagerOptions, others: list[str]) -> Manager:
    try:
        return Manager(options, others)
    except OSError as error:
        raise StartError(f"failed to bootstrap cluster: failed to create transport: {error}") from error


def _prepare_tls(manager: Manager) -> certificates.Identity:
    """A new authority for a new cluster; an old certificate on disk is used again, as Warren does."""
    say("Initializing new Certificate Authority...")
    manager.authority = certificates.Authority()
    say("✓ Certificate Authority initialized and saved")
    node_id = manager.options.node_id
    path = certificates.folder("manager", node_id)
    if certificates.complete(path):
        say(f"✓ Certificate already exists at {path}")
    else:
        say(f"Issuing certificate for manager {node_id}...")
        host, _port = split_address(manager.options.bind_addr)
        certificates.write(path, manager.authority.issue_to_manager(node_id, host))
        say(f"✓ Certificate issued and saved to {path}")
    return certificates.read(path)


def _say_header(options: ManagerOptions) -> None:
    if options.leader:
        say("Joining cluster as manager... (Warren simulator)")
        say(f"  Node ID: {options.node_id}")
        say(f"  Bind Address: {options.bind_addr}")
        say(f"  API Address: {options.api_addr}")
        say(f"  Leader: {options.leader}")
    else:
        say("Initializing Warren cluster... (Warren simulator)")
        say(f"  Node ID: {options.node_id}")
        say(f"  Raft Address: {options.bind_addr}")
        say(f"  API Address: {options.api_addr}")
        say(f"  Data Directory: {options.data_dir}")
        if options.dialect is Dialect.CONTAINERS:
            say("  Containerd: None (simulator)")
    say()


def _say_tokens(manager: Manager) -> None:
    api = manager.options.api_addr
    say()
    say(RULE)
    say("  Join Tokens (valid for 24 hours)")
    say(RULE)
    for title, role, hint, command in (
        ("Worker Token:", "worker", "To add a worker node:", "worker start --manager"),
        ("Manager Token:", "manager", "To add a manager node:", "manager join --leader"),
        ("CLI Token (for remote CLI access):", "worker", "To initialize CLI:", "init --manager"),
    ):
        token = manager.tokens.generate(role).text
        say(f"\n{title}\n  {token}\n\n{hint}\n  warren {command} {api} --token {token}")
    say(f"\n{RULE}\n")


async def _serve_api(manager: Manager, identity: certificates.Identity | None) -> t.Any:
    """The running gRPC server; OSError if the address is taken."""
    server = grpc.aio.server(
        options=(
            ("grpc.so_reuseport", 0),  # two managers must not share a port unnoticed
            ("grpc.max_receive_message_length", 4 * 2**20),
            ("grpc.max_send_message_length", -1),
        )
    )
    server.add_generic_rpc_handlers((Api(Service(manager), manager.dialect),))
    address = manager.options.api_addr
    try:
        if identity is None:
            server.add_insecure_port(address)
        else:
            pair = (identity.key, identity.certificate)
            server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
    except RuntimeError as error:
        raise OSError(f"failed to listen: listen tcp {address}: bind: address already in use") from error
    await server.start()
    return server


def _say_http(options: ManagerOptions) -> None:
    address = options.http_addr
    say(f"✓ Metrics endpoint: http://{address}/metrics")
    if options.dialect is Dialect.CONTAINERS:
        say("✓ Health endpoints:")
        say(f"  - Health check: http://{address}/health")
        say(f"  - Readiness:    http://{address}/ready")
        say(f"  - Liveness:     http://{address}/live")
    if options.enable_pprof:
        say(f"✓ Profiling endpoints enabled at http://{address}/debug/pprof/")
        say(f"  - Heap profile: http://{address}/debug/pprof/heap")
        say(f"  - CPU profile: http://{address}/debug/pprof/profile")
        say(f"  - Goroutines: http://{address}/debug/pprof/goroutine")


async def _run(manager: Manager, identity: certificates.Identity | None) -> None:
    """From the control loops to the shutdown: the same for a first and for a joined manager."""
    options = manager.options
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    async def collect() -> None:
        await manager.costs.scan(len(manager.store.services) * len(manager.store.containers), loop=True)
        metrics.collect(manager.metrics, manager)

    every = manager.clock.every
    loops = [
        every(timers.SCHEDULER_TICK, Scheduler(manager).tick),
        every(timers.RECONCILER_TICK, Reconciler(manager).tick),
        every(timers.METRICS_TICK, collect),
    ]
    if "freeze" in manager.defects:
        loops.append(every(FREEZE_PERIOD, manager.freeze))
    if manager.leaks.with_time:
        loops.append(every(manager.clock.factor, manager.leaks.second))  # each real second
    if not options.leader:
        loops.append(manager.announce_itself())
    tasks = [asyncio.ensure_future(each) for each in loops]
    say("✓ Scheduler started")
    say("✓ Reconciler started")
    metrics.collect(manager.metrics, manager)
    say("✓ Metrics collector started")

    health = http_server.Health() if manager.metrics.fed else None
    if health:
        health.register("raft", True, "bootstrapped")
        health.register("containerd", False, "initializing")
        health.register("api", False, "initializing")
    web = http_server.serve(options.http_addr, manager.metrics, health, loop)
    _say_http(options)

    server, problem = None, ""
    try:
        server = await _serve_api(manager, identity)
    except OSError as error:
        problem = f"{'TCP ' if manager.metrics.fed else ''}API server error: {error}"
    if health:
        # Said whether or not it is true, as by Warren; so is the health of the two.
        say(f"✓ API server listening on TCP: {options.api_addr} (mTLS)")
        health.register("api", True, "ready")
        health.register("containerd", True, "ready")
        say()
        if options.manager_only:
            say("✓ Node running in MANAGER-ONLY mode")
            say("  - Control plane: Ready")
            say("  - Workload execution: Disabled")
        else:
            tasks.append(asyncio.ensure_future(_embedded_worker(manager)))
            say("✓ Node running in HYBRID mode (manager + worker)")
            say("  - Control plane: Ready")
            say("  - Workload execution: Ready (hollow: it runs no containers)")
        _say_tokens(manager)
        say("Manager is running. Press Ctrl+C to stop.")
    else:
        say()
        say("Manager is running. Press Ctrl+C to stop.")
    if server or health:
        say(f"gRPC API listening on {options.api_addr}")

    if problem:
        print(f"\nError: {problem}", file=sys.stderr, flush=True)
    else:
        await stop.wait()
        say("\nShutting down...")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if server:
        await server.stop(STOP_GRACE)
    manager.replica.close()
    if web:
        web.shutdown()
    say("✓ Shutdown complete")


async def _embedded_worker(manager: Manager) -> None:
    """Hybrid mode: this node is a worker too, and starts at once whatever it is given."""
    node_id = manager.options.node_id
    await manager.replica.leading.wait()
    resources = {"cpu_cores": os.cpu_count() or 1, "memory_bytes": 8 << 30, "disk_bytes": 100 << 30}
    from .store import set_time

    node = message("Node")(
        id=node_id, role="hybrid", address="localhost", overlay_ip="10.0.0.1", resources=resources, status="ready"
    )
    set_time(node.last_heartbeat, time.time_ns())
    set_time(node.created_at, time.time_ns())
    await manager.try_commit_all([("put", "nodes", node.SerializeToString())])

    async def beat() -> None:
        ends = {"pending": "running", "running": "complete", "failed": "complete"}
        states = [
            (each.id, ends[each.actual_state], each.id)
            for each in manager.store.containers.of_node(node_id)
            if each.actual_state == "pending" or (each.desired_state == "shutdown" and each.actual_state in ends)
        ]
        await manager.try_commit_all([("beat", node_id, time.time_ns(), None), ("states", states)])

    await manager.clock.every(timers.HEARTBEAT, beat)


async def _init(options: ManagerOptions) -> None:
    _claim_data_dir(options, reuse=False)
    manager = _make_manager(options, [])
    identity = _prepare_tls(manager) if options.dialect is Dialect.CONTAINERS else None
    say("✓ Cluster initialized successfully")
    await _run(manager, identity)


async def _ask_leader(options: ManagerOptions) -> list[str]:
    """Raft addresses of the cluster that the leader is in."""
    try:
        resolved = await asyncio.to_thread(resolve, options.leader, Security(mode="plaintext"))
    except WarrenError as error:
        raise StartError(f"failed to join cluster: failed to connect to leader: {error}") from error
    async with Client(options.leader, resolved, options.dialect) as client:
        try:
            info = await client.call("GetClusterInfo")
        except WarrenError as error:
            raise _rpc_failed(error) from error
        return [server.address for server in info.servers if server.address != options.bind_addr]


def _rpc_failed(error: WarrenError) -> StartError:
    code = "Unknown" if error.code == "UNKNOWN" else error.code.title()
    return StartError(
        f"failed to join cluster: failed to join cluster via RPC: rpc error: code = {code} desc = {error.details}"
    )


async def _send_join(options: ManagerOptions, security: Security) -> None:
    resolved = await asyncio.to_thread(resolve, options.leader, security)
    async with Client(options.leader, resolved, options.dialect) as client:
        request = message("JoinClusterRequest")(
            node_id=options.node_id, bind_addr=options.bind_addr, token=options.token
        )
        try:
            await client.call("JoinCluster", request, JOIN_TIMEOUT)
        except WarrenError as error:
            raise _rpc_failed(error) from error


async def _join(options: ManagerOptions) -> None:
    _claim_data_dir(options, reuse=True)
    if options.dialect is Dialect.CONTAINERS:
        await _fail_to_join(options)
    others = await _ask_leader(options)
    manager = _make_manager(options, others)
    say(f"Contacting leader at {options.leader} to join cluster...")
    say(f"Node ID: {options.node_id}, Bind Addr: {options.bind_addr}, Token: {options.token}")
    await _send_join(options, Security(mode="plaintext"))
    if not await manager.replica.joined(JOIN_TIMEOUT):
        raise StartError("failed to join cluster: the leader accepted this manager but does not replicate to it")
    say("✓ Successfully joined cluster")
    await _run(manager, None)


async def _fail_to_join(options: ManagerOptions) -> t.NoReturn:
    """As in every release from v1.1.0 to v1.6.0, where no manager can join (facts/warren.md 0.2)."""
    say(f"Contacting leader at {options.leader} to join cluster...")
    say(f"Node ID: {options.node_id}, Bind Addr: {options.bind_addr}, Token: {options.token}")
    path = certificates.folder("cli")
    if "join-quorum-loss" in options.defects:
        await _send_join(options, Security(mode="tls"))
        say("✓ Successfully joined cluster")
    elif not certificates.complete(path):
        raise StartError(
            f"failed to join cluster: failed to connect to leader: CLI certificate not found at {path}. Please run "
            "'warren init' to request a certificate from the manager"
        )
    raise StartError("failed to join cluster: failed to load CA: failed to get CA from storage: CA not found")


def _main(arguments: argparse.Namespace, run: t.Callable[[ManagerOptions], t.Coroutine[t.Any, t.Any, None]]) -> int:
    try:
        options = manager_options(arguments)
        check_bind_address(options.bind_addr, options.trusted_network)
        if options.leader:
            split_address(options.leader)
    except ValueError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    _say_header(options)
    try:
        asyncio.run(run(options))
    except StartError as error:
        print(f"Error: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


def start_first(arguments: argparse.Namespace) -> int:
    """`cluster init`."""
    return _main(arguments, _init)


def start_joining(arguments: argparse.Namespace) -> int:
    """`manager join`."""
    return _main(arguments, _join)
