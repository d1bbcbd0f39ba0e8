# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole clusters for tests and benchmarks: of the simulator, or of a real Warren given by its path.

A world starts its managers, reaches them through the api layer, and removes everything it made. The simulator runs on
loopback. Real managers each get a network namespace where we are root, since Warren's HTTP port is fixed: the
namespaces hang on a bridge without a way out, and /run is their own, since Warren's socket path is fixed too. Whatever
a killed run left (namespaces, bridges, folders named ``wlc-…``) the next one sweeps away.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import ctypes
import dataclasses
import http.client
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import typing as t
import zlib
from pathlib import Path

# Before gRPC is loaded: we fork only to exec.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from ansible_collections.warren.load.plugins.module_utils.api.channel import (
    PLAINTEXT,
    Resolved,
    Security,
    resolve,
    split_address,
)
from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster, Manager
from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.api.errors import NotLeader, OutcomeUnknown, WarrenError
from ansible_collections.warren.load.plugins.module_utils.api.schema import METHODS, message

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

COLLECTION = Path(__file__).resolve().parents[2]
SIMULATOR_FILES = COLLECTION / "roles" / "simulator" / "files"
PREFIX = "wlc-"
READY = "gRPC API listening on"
PORTS = range(20000, 32000)  # below every system's range of ephemeral ports
TERM = signal.SIGTERM
SLACK = 3.0  # real seconds that an expectation may be late: the machine may be busy
TOKEN = re.compile(r"^(Worker|Manager|CLI) Token[^\n]*:\n\s+([0-9a-f]{64})$", re.MULTILINE)

_libc = ctypes.CDLL(None, use_errno=True)


class WorldError(Exception):
    """A world could not be started; the text says which step failed, with the end of the program's output."""


# --- programs ---------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Program:
    """Something with Warren's command line: ``argv`` starts it, ``flags`` belong to every start of a manager."""

    kind: str  # "simulator" | "real"
    argv: tuple[str, ...]
    dialect: Dialect
    init_flags: tuple[str, ...] = ()
    manager_flags: tuple[str, ...] = ()
    environment: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    clock_factor: float = 1.0

    def run(
        self, *arguments: str, home: Path | None = None, enter: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run the command line to its end; ``enter`` is a command to run it through (nsenter …)."""
        return subprocess.run(
            [*enter, *self.argv, *arguments],
            env=self.environ(home),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def environ(self, home: Path | None) -> dict[str, str]:
        """The environment of the program, with its own HOME (Warren keeps certificates there)."""
        return {**os.environ, **self.environment, "HOME": str(home or "/nonexistent")}


def python_environment() -> dict[str, str]:
    """What our own programs need in order to run from the sources."""
    return {"PYTHONPATH": os.pathsep.join((str(COLLECTION.parents[2]), str(SIMULATOR_FILES)))}


def simulator(dialect: Dialect, clock_factor: float = 10.0, *flags: str) -> Program:
    """The simulator from the sources of its role; ``flags``: more of its own flags for every manager."""
    return Program(
        kind="simulator",
        argv=(sys.executable, "-m", "warren_simulator"),
        dialect=dialect,
        init_flags=("--manager-only", "--external-containerd") if dialect is Dialect.CONTAINERS else (),
        manager_flags=("--dialect", dialect.value, "--clock-factor", str(clock_factor), *flags),
        environment=python_environment(),
        clock_factor=clock_factor,
    )


def real(path: str) -> Program:
    """The Warren at ``path``: its version does not tell (official binaries say "dev"), so its help does."""
    executable = str(Path(path).resolve())
    text = {
        words: subprocess.run([executable, *words, "--help"], capture_output=True, text=True, check=False).stdout
        for words in ((), ("cluster", "init"))
    }
    containers = re.search(r"^  init\b", text[()], re.MULTILINE)
    offered = [flag for flag in ("--manager-only", "--external-containerd") if flag in text[("cluster", "init")]]
    return Program(
        kind="real",
        argv=(executable,),
        dialect=Dialect.CONTAINERS if containers else Dialect.TASKS,
        init_flags=tuple(offered),
    )


# --- networks ---------------------------------------------------------------------------------------------------------


def _ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise WorldError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _abandoned(name: str) -> bool:
    """Whether ``name`` (``wlc-<pid in hex>-…``) belongs to a test process that is no more."""
    match = re.fullmatch(rf"{PREFIX}([0-9a-f]+)-\w+", name)
    return bool(match) and not _alive(int(match.group(1), 16)) if match else False


def _remove_namespace(name: str) -> None:
    for pid in _ip("netns", "pids", name).split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    _ip("netns", "del", name)


def sweep() -> None:
    """Remove the namespaces, bridges and folders of test processes that died before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _abandoned(folder.name):
            shutil.rmtree(folder, ignore_errors=True)
    if os.geteuid() or not shutil.which("ip"):
        return
    for line in _ip("netns", "list").splitlines():
        if _abandoned(line.split()[0]):
            _remove_namespace(line.split()[0])
    for link in json.loads(_ip("-json", "link", "show") or "[]"):
        if _abandoned(link["ifname"]):
            with contextlib.suppress(WorldError):  # its other end may have gone with a namespace
                _ip("link", "del", link["ifname"])


_numbers = itertools.count(1)


class Bridge:
    """Network namespaces on a bridge that leads nowhere else; ``addresses[i]`` is that of namespace ``names[i]``."""

    def __init__(self, count: int) -> None:
        number = next(_numbers)
        self.name = f"{PREFIX}{os.getpid():x}-{number}"
        # 198.18.0.0/15 is for benchmarks (RFC 2544): no real network has it. Test runs at the same time need two nets.
        taken = _ip("-4", "-o", "addr", "show")
        nets = (f"198.{18 + byte // 256}.{byte % 256}" for byte in itertools.count(os.getpid() * 7 % 500))
        net = next(net for net in nets if f" {net}." not in taken)
        self.addresses = [f"{net}.{host}" for host in range(1, count + 1)]
        self.names: list[str] = []
        try:
            _ip("link", "add", self.name, "type", "bridge")
            _ip("addr", "add", f"{net}.254/24", "dev", self.name)
            _ip("link", "set", self.name, "up")
            for host, address in enumerate(self.addresses, start=1):
                self._add(host, address)
        except WorldError:
            self.remove()
            raise

    def _add(self, host: int, address: str) -> None:
        name = f"{self.name}n{host}"
        outside = f"{self.name}v{host}"
        _ip("netns", "add", name)
        self.names.append(name)
        _ip("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("link", "set", outside, "master", self.name, "up")
        for words in (
            ("addr", "add", f"{address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", name, *words)

    def remove(self) -> None:
        """Remove the namespaces, with whatever runs in them, and the bridge."""
        for name in self.names:
            with contextlib.suppress(WorldError):
                _remove_namespace(name)
        with contextlib.suppress(WorldError):
            _ip("link", "del", self.name)


def can_use_namespaces() -> bool:
    """Whether this process may make network namespaces."""
    if os.geteuid() or not shutil.which("ip") or not shutil.which("nsenter"):
        return False
    name = f"{PREFIX}{os.getpid():x}-probe"
    try:
        _ip("netns", "add", name)
        _ip("netns", "del", name)
    except WorldError:
        return False
    return True


def _first_port() -> int:
    """Where this process looks first: those of one run of tests far apart, other runs somewhere else."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", "").encode() or os.urandom(8)
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return zlib.crc32(run) + worker * (len(PORTS) // workers)


# What to look at next: no port is given out twice, as its first taker may not listen yet.
_next_port = itertools.count(_first_port())


def free_ports(count: int) -> int:
    """The first of so many TCP ports in a row on loopback that nobody listens on and that were not given out before."""
    for _try in PORTS:
        ports = [PORTS[next(_next_port) % len(PORTS)] for _port in range(count)]
        if ports[-1] - ports[0] != count - 1:
            continue  # the range begins anew in the middle of them
        with contextlib.ExitStack() as probes, contextlib.suppress(OSError):
            for port in ports:
                probes.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return ports[0]
    raise WorldError(f"no {count} free ports in a row between {PORTS[0]} and {PORTS[-1]}")


def free_port() -> int:
    """A TCP port on loopback that nobody listens on and that was not given out before."""
    return free_ports(1)


def _die_with_parent() -> None:
    """In a child: be killed when the test process dies, however it dies (prctl PR_SET_PDEATHSIG)."""
    _libc.prctl(1, signal.SIGKILL)


# --- processes --------------------------------------------------------------------------------------------------------


class Process:
    """A foreground program with its output in files; ``name`` is for messages."""

    def __init__(self, name: str, argv: Sequence[str], environment: t.Mapping[str, str], folder: Path) -> None:
        self.name = name
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        with (folder / "stdout").open("w") as out, (folder / "stderr").open("w") as err:
            self._popen = subprocess.Popen(
                argv,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - it makes one system call and takes no lock
            )
        self.pid = self._popen.pid

    @property
    def stdout(self) -> str:
        """What it has printed so far."""
        return (self.folder / "stdout").read_text(errors="replace")

    @property
    def stderr(self) -> str:
        """What it has complained about so far."""
        return (self.folder / "stderr").read_text(errors="replace")

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._popen.poll() is None

    def wait_for(self, text: str, timeout: float = 30.0) -> None:
        """Wait until ``text`` is in its output; WorldError if it ends first or takes longer than ``timeout`` s."""
        end = time.monotonic() + timeout
        while text not in self.stdout:
            if not self.running or time.monotonic() > end:
                how = f"ended with {self._popen.returncode}" if not self.running else f"did not say {text!r} in time"
                raise WorldError(f"{self.name} {how}:\n{self.stdout[-2000:]}\n{self.stderr[-2000:]}")
            time.sleep(0.02)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        if self.running:
            self._popen.send_signal(number)

    def wait(self, timeout: float = 20.0) -> int:
        """Its exit code, negative after a signal."""
        return self._popen.wait(timeout)

    def stop(self, number: int = TERM, timeout: float = 20.0) -> int:
        """Signal it and return its exit code; it is killed where it takes longer than ``timeout`` s."""
        self.signal(number)
        try:
            return self.wait(timeout)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
            return -signal.SIGKILL


class HttpReply(t.NamedTuple):
    """An answer of a manager's HTTP listener; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Node:
    """A manager: where it listens, its folder (data, home, output), and its process once started."""

    def __init__(self, name: str, program: Program, folder: Path, namespace: str | None, host: str) -> None:
        self.name = name
        self.program = program
        self.folder = folder
        self.home = folder / "home"
        self.data = folder / "data"
        self.namespace = namespace
        ports = (8080, 7946, 9090) if namespace else (free_port(), free_port(), free_port())
        self.api_address = f"{host}:{ports[0]}"
        self.raft_address = f"{host}:{ports[1]}"
        self.http_address = f"127.0.0.1:{9090 if program.kind == 'real' else ports[2]}"
        self._process: Process | None = None

    @property
    def process(self) -> Process:
        """The manager's process, running or ended."""
        assert self._process, f"{self.name} was never started"
        return self._process

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.running

    @property
    def ca_file(self) -> Path:
        """The CA's certificate, as Warren leaves it on a manager's disk (dialect `containers`)."""
        return self.home / ".warren" / "certs" / f"manager-{self.name}" / "ca.crt"

    def listen_flags(self) -> list[str]:
        """The flags that say where this manager listens and keeps its data."""
        flags = ["--node-id", self.name, "--bind-addr", self.raft_address, "--api-addr", self.api_address]
        flags += ["--data-dir", str(self.data), *self.program.manager_flags]
        if self.program.kind == "simulator":
            flags += ["--http-addr", self.http_address]
        return flags

    def wipe(self) -> None:
        """Remove its data and certificates: a manager starts on nothing else (facts 0.3)."""
        for folder in (self.data, self.home):
            shutil.rmtree(folder, ignore_errors=True)

    def start(self, *words: str) -> Process:
        """Start `warren WORDS` with this manager's flags in its namespace; does not wait."""
        self.home.mkdir(parents=True, exist_ok=True)
        argv = [*self.program.argv, *words, *self.listen_flags()]
        if self.namespace:
            # Warren's socket is /var/run/warren.sock, wherever it runs; `ip netns exec` has its own mounts.
            script = 'mount -t tmpfs tmpfs /run && exec "$@"'
            argv = ["ip", "netns", "exec", self.namespace, "sh", "-c", script, "sh", *argv]
        self._process = Process(self.name, argv, self.program.environ(self.home), self.folder)
        return self._process

    def cli(
        self, *arguments: str, home: Path | None = None, manager: str | None = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run the command line beside this manager, with ``--manager`` ADDRESS (its own; None: leave the flag out)."""
        enter: tuple[str, ...] = ()
        if self.namespace and self.running:
            enter = ("nsenter", "-t", str(self.process.pid), "-m", "-n", "--")
        elif self.namespace:
            enter = ("ip", "netns", "exec", self.namespace)
        flag = () if manager is None else ("--manager", manager or self.api_address)
        return self.program.run(*arguments, *flag, home=home or self.home, enter=enter)

    def _socket(self, make: Callable[[], socket.socket]) -> socket.socket:
        """A socket made on this manager's host: it stays in its namespace wherever it is used."""

        def work() -> socket.socket:
            if self.namespace:
                with Path(f"/run/netns/{self.namespace}").open() as handle:
                    if _libc.setns(handle.fileno(), 0x40000000):  # CLONE_NEWNET, of this thread alone
                        raise OSError(ctypes.get_errno(), f"setns {self.namespace}")
            return make()

        # A thread of its own: it must never come back to other work from the namespace.
        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            return thread.submit(work).result()

    def connect(self, address: str, timeout: float = 10.0) -> socket.socket:
        """A TCP connection to ``host:port`` as this manager's host sees it."""
        return self._socket(lambda: socket.create_connection(split_address(address), timeout))

    def occupy(self, address: str) -> socket.socket:
        """A listener on ``host:port`` of this manager's host, so that the manager cannot have it."""
        return self._socket(lambda: socket.create_server(split_address(address)))

    def http(self, path: str, method: str = "GET") -> HttpReply:
        """Ask the manager's HTTP listener."""
        connection = http.client.HTTPConnection(self.http_address, timeout=10)
        connection.sock = self.connect(self.http_address)
        try:
            connection.request(method, path)
            reply = connection.getresponse()
            headers = {name.lower(): value for name, value in reply.getheaders()}
            return HttpReply(reply.status, headers, reply.read())
        finally:
            connection.close()


# --- the API, without asyncio -----------------------------------------------------------------------------------------


class Api:
    """The api layer for tests that know no asyncio: its event loop runs in a thread."""

    def __init__(self, managers: Sequence[Manager], security: Security, dialect: Dialect) -> None:
        self.dialect = dialect
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.cluster = self.run(Cluster.connect(managers, security, dialect.value))

    def run(self, work: t.Coroutine[t.Any, t.Any, t.Any], timeout: float = 60.0) -> t.Any:
        """The result of a coroutine on the api's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def submit(self, work: t.Coroutine[t.Any, t.Any, t.Any]) -> concurrent.futures.Future[t.Any]:
        """Start a coroutine on the api's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, manager: str, method: str, timeout: float = 10.0, **fields: t.Any) -> t.Any:
        """One call to one manager, as it is: refusals raise."""
        request = message(METHODS[method].request)(**fields)
        return self.run(self.cluster.read(method, request, manager=manager, timeout=timeout))

    def write(self, method: str, **fields: t.Any) -> t.Any:
        """A write to whoever leads; the reply. What does no harm twice is repeated where its outcome is unknown.

        A real leader loses its office after 250 ms without its share of the processor, and tests run on busy machines.
        """
        request = message(METHODS[method].request)(**fields)
        tries = 1 if method.startswith(("Create", "Join", "Generate")) else 5
        for number in range(1, tries + 1):
            try:
                return self.run(self.cluster.write(method, request)).response
            except OutcomeUnknown:
                if number == tries:
                    raise
        raise AssertionError("not reached")

    def read(self, method: str, **fields: t.Any) -> t.Any:
        """A read from whoever leads: its store is never behind an acknowledged write."""
        return self.call(self.leader(), method, **fields)

    def leader(self) -> str:
        """The name of the manager that leads now."""
        return t.cast(str, self.run(self.cluster.leader())[0])

    def bare(self, manager: str, wire_name: str, request: bytes = b"", timeout: float = 10.0) -> bytes:
        """Call a method by its name on the wire with encoded messages, whether or not the dialect has it."""

        async def send() -> bytes:
            channel = self.cluster.clients[manager].channel
            return t.cast(
                bytes, await channel.unary_unary(f"/warren.v1.WarrenAPI/{wire_name}")(request, timeout=timeout)
            )

        return t.cast(bytes, self.run(send()))

    def close(self) -> None:
        """Close the connections and end the thread; a second time it does nothing."""
        if self._loop.is_closed():
            return
        self.run(self.cluster.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


class Worker:
    """A worker in the test's hands: registered, kept ready by heartbeats without states, and otherwise idle."""

    def __init__(self, world: World, node_id: str) -> None:
        self.world = world
        self.node_id = node_id
        resources = {"cpu_cores": 4, "memory_bytes": 8 << 30, "disk_bytes": 100 << 30}
        self.node = world.api.write(
            "RegisterNode", id=node_id, role="worker", address="localhost", resources=resources
        ).node
        self._beating = world.api.submit(self._beat())

    async def _beat(self) -> None:
        request = message("HeartbeatRequest")(node_id=self.node_id)
        while True:
            await asyncio.sleep(self.world.clock(5))
            with contextlib.suppress(WarrenError):
                await self.world.api.cluster.write("Heartbeat", request, deadline_s=4)

    def containers(self) -> dict[str, t.Any]:
        """The records assigned to it, by id, as its poll sees them."""
        reply = self.world.api.read("ListContainers", node_id=self.node_id)
        return {record.id: record for record in reply.containers}

    def report(self, states: t.Mapping[str, str]) -> None:
        """Send a heartbeat with container states."""
        statuses = [
            {"container_id": container_id, "actual_state": state, "runtime_container_id": container_id}
            for container_id, state in states.items()
        ]
        self.world.api.write("Heartbeat", node_id=self.node_id, container_statuses=statuses)

    def silence(self) -> None:
        """Send no more heartbeats."""
        self._beating.cancel()

    def remove(self) -> None:
        """Send no more heartbeats, and remove its record."""
        self.silence()
        with contextlib.suppress(WarrenError):
            self.world.api.write("RemoveNode", id=self.node_id)


class Fleet:
    """Our hollow workers as a process beside the world."""

    def __init__(self, process: Process, stats_file: Path, count: int) -> None:
        self.process = process
        self.stats_file = stats_file
        self.count = count

    def stats(self) -> dict[str, t.Any]:
        """The last line of its bookkeeping; empty before the first."""
        if not self.stats_file.exists():
            return {}
        return t.cast("dict[str, t.Any]", json.loads(self.stats_file.read_text()))

    def wait_registered(self, timeout: float = 30.0) -> None:
        """Wait until every worker is registered."""
        self.process.wait_for("Hollow workers are running", timeout)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        return self.process.stop()


# --- worlds -----------------------------------------------------------------------------------------------------------


class World:
    """A cluster of ``managers`` managers of ``program``; use it as a context manager."""

    def __init__(self, program: Program, managers: int | None = None) -> None:
        self.program = program
        self.dialect = program.dialect
        count = managers or (3 if self.dialect is Dialect.TASKS else 1)
        sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid():x}-"))
        self._undo = contextlib.ExitStack()
        self._undo.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.bridge: Bridge | None = None
        if program.kind == "real" and can_use_namespaces():
            self.bridge = Bridge(count + 1)
            self._undo.callback(self.bridge.remove)
        self.nodes = {f"manager-{number}": self._node(number) for number in range(1, count + 1)}
        self.spare = self._node(count + 1)  # not of the cluster: for a manager that a test starts
        self.tokens: dict[str, str] = {}
        self._api: Api | None = None
        self._names = itertools.count(1)

    def __enter__(self) -> World:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def __str__(self) -> str:
        return f"{self.program.kind}-{self.dialect.value}"

    def _node(self, number: int) -> Node:
        name = f"manager-{number}"
        namespace, host = None, "127.0.0.1"
        if self.bridge:
            namespace, host = self.bridge.names[number - 1], self.bridge.addresses[number - 1]
        node = Node(name, self.program, self.folder / name, namespace, host)
        self._undo.callback(lambda: node.running and node.process.stop(signal.SIGKILL))
        return node

    @property
    def first(self) -> Node:
        """The manager that made the cluster."""
        return self.nodes["manager-1"]

    @property
    def api(self) -> Api:
        """The managers' API."""
        if self._api is None:
            managers = [
                Manager(node.name, node.api_address, node.raft_address) for node in self.nodes.values() if node.running
            ]
            self._api = Api(managers, self.security(), self.dialect)
            self._undo.callback(self._api.close)
        return self._api

    @property
    def http_names(self) -> list[str]:
        """The managers whose HTTP listener can be asked: real ones that share a host also share its one port."""
        shared = self.program.kind == "real" and not self.bridge
        return ["manager-1"] if shared else list(self.nodes)

    def security(self) -> Security:
        """How the world's managers are spoken to: plaintext, or TLS with the CA file from the first one's disk."""
        if self.dialect is Dialect.TASKS:
            return Security(mode="plaintext")
        return Security(mode="tls", ca_file=str(self.first.ca_file))

    def resolved(self) -> Resolved:
        """What the api layer agrees on with the first manager."""
        return PLAINTEXT if self.dialect is Dialect.TASKS else resolve(self.first.api_address, self.security())

    def start(self) -> None:
        """Start the first manager, wait until it leads, and let the others join."""
        self.first.start("cluster", "init", *self.program.init_flags).wait_for(READY)
        self.tokens = {role.lower(): token for role, token in TOKEN.findall(self.first.process.stdout)}
        self.wait_for_leader()
        for node in self.nodes.values():
            if node is not self.first:
                self._add(node)

    def _add(self, node: Node, tries: int = 5) -> None:
        """Let a manager join; again where the leader lost its office meanwhile, as it does on a busy machine."""
        for number in range(1, tries + 1):
            leader = self.nodes[self.wait_for_leader()]
            token = leader.cli("cluster", "join-token", "manager")
            match = re.search(r"^\s{4}([0-9a-f]{64})$", token.stdout, re.MULTILINE)
            try:
                if not match:
                    raise WorldError(f"cluster join-token printed no token:\n{token.stdout}{token.stderr[:500]}")
                flags = ("--leader", leader.api_address, "--token", match.group(1))
                node.start("manager", "join", *flags).wait_for(READY)
            except WorldError:
                if number == tries:
                    raise
                if node.running:
                    node.process.stop(signal.SIGKILL)
                node.wipe()
            else:
                break
        if self._api:
            self._api.close()  # it does not know the new one
            self._api = None
        self.wait_for_leader()

    def wait_for_leader(self) -> str:
        """Wait until somebody leads, and accepts writes; its name."""
        self.api.write("DeleteService", id="nobody-has-this-id")
        return self.api.leader()

    def stop(self) -> None:
        """Stop everything and remove every trace."""
        self._undo.close()

    def clock(self, seconds: float) -> float:
        """Real seconds for ``seconds`` on the managers' timers."""
        return seconds / self.program.clock_factor

    def eventually(self, check: Callable[[], t.Any], within: float, what: str) -> t.Any:
        """The first true result of ``check`` within so many clock seconds (and some slack); AssertionError if none."""
        end = time.monotonic() + self.clock(within) + SLACK
        while True:
            result = check()
            if result:
                return result
            if time.monotonic() > end:
                raise AssertionError(f"not within {within} s of {self}'s clock: {what} (last: {result!r})")
            time.sleep(min(0.2, self.clock(0.5)))

    def stays(self, check: Callable[[], t.Any], during: float, what: str) -> None:
        """Assert that ``check`` stays true for so many clock seconds."""
        end = time.monotonic() + self.clock(during)
        while time.monotonic() < end:
            assert check(), f"{what}, during {during} s of {self}'s clock"
            time.sleep(min(0.5, self.clock(1)))

    def undisturbed(self, scenario: Callable[[], None], tries: int = 3) -> None:
        """Run ``scenario``, again if it failed while the leader changed: workers never follow a new one (0.12)."""
        for number in range(1, tries + 1):
            leader = self.api.leader()
            try:
                scenario()
            except (AssertionError, WarrenError):
                if number == tries or self.api.leader() == leader:
                    raise
            else:
                return

    def name(self, what: str) -> str:
        """A name that no other test uses."""
        return f"{what}-{next(self._names):04d}"

    @contextlib.contextmanager
    def service(self, replicas: int = 1, **fields: t.Any) -> Iterator[t.Any]:
        """A service for the length of a block."""
        fields = {
            "name": self.name("contract"),
            "image": "docker.io/library/nginx:alpine",
            "mode": "replicated",
            **fields,
        }
        service = self.api.write("CreateService", replicas=replicas, **fields).service
        try:
            yield service
        finally:
            with contextlib.suppress(WarrenError):
                self.api.write("DeleteService", id=service.id)

    @contextlib.contextmanager
    def workers(self, *node_ids: str) -> Iterator[list[Worker]]:
        """Ready workers for the length of a block."""
        workers: list[Worker] = []
        try:
            workers.extend(Worker(self, node_id) for node_id in node_ids)
            yield workers
        finally:
            for worker in workers:
                worker.remove()

    def containers(self, service_id: str) -> list[t.Any]:
        """The records of a service, as the leader has them, in its order."""
        return list(self.api.read("ListContainers", service_id=service_id).containers)

    @contextlib.contextmanager
    def fleet(self, count: int, *flags: str, clock_factor: float | None = None) -> Iterator[Fleet]:
        """Our hollow workers on this world's leader for the length of a block, started but not waited for."""
        leader = self.nodes[self.api.leader()]
        folder = self.folder / self.name("fleet")
        stats_file = folder / "stats.json"
        argv = [sys.executable, "-m", "warren_simulator", "hollow-workers", "start", "--count", str(count)]
        argv += ["--manager", leader.api_address, "--dialect", self.dialect.value, "--stats-file", str(stats_file)]
        argv += ["--clock-factor", str(clock_factor or self.program.clock_factor)]
        argv += ["--plaintext"] if self.dialect is Dialect.TASKS else ["--ca-file", str(self.first.ca_file)]
        process = Process("hollow workers", [*argv, *flags], {**os.environ, **python_environment()}, folder)
        try:
            yield Fleet(process, stats_file, count)
        finally:
            process.stop(signal.SIGKILL)


def follower_of(world: World) -> str:
    """A manager that does not lead now."""
    leader = world.api.leader()
    return next(name for name, node in world.nodes.items() if name != leader and node.running)


def refusal(work: Callable[[], t.Any]) -> WarrenError:
    """The WarrenError that ``work`` raises; AssertionError where it succeeds."""
    try:
        result = work()
    except WarrenError as error:
        return error
    raise AssertionError(f"it was not refused, but answered {result!r}")


def follower_refusal(world: World, method: str, **fields: t.Any) -> WarrenError:
    """How a follower refuses ``method``; tried again where leadership moves meanwhile."""
    for _try in range(5):
        name = follower_of(world)
        try:
            world.api.call(name, method, **fields)
        except WarrenError as error:
            if not isinstance(error, NotLeader) or world.api.leader() != name:
                return error
    raise AssertionError(f"no follower refuses {method}")
