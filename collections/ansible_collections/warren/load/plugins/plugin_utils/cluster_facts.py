# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the public variables, the inventory and the sandbox's pid files say about the cluster, in one dictionary.

Pure: the lookup `warren.load.cluster` hands everything in. PRIVATE to the collection.
"""

from __future__ import annotations

import difflib
import hashlib
import ipaddress
import os
import re
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.warren.load.plugins.module_utils.api.images import unfit
from ansible_collections.warren.load.plugins.module_utils.node.fault_kinds import KINDS
from ansible_collections.warren.load.plugins.module_utils.phases.methods import DEFAULT, parse_mix

from .fault_plans import candidates, fault_plan, unfair
from .planning import replaced
from .program_sources import PLACE, is_url

# The guide's clusters. `dialect` is that of the sandbox: containers where the guide has one manager, since Warren
# cannot join more there.
SCALES: dict[str, dict[str, t.Any]] = {
    "small": {"services": 50, "replicas": 3, "managers": 1, "workers": 2, "dialect": "containers"},
    "medium": {"services": 200, "replicas": 3, "managers": 3, "workers": 5, "dialect": "tasks"},
    "large": {"services": 1000, "replicas": 3, "managers": 3, "workers": 10, "dialect": "tasks"},
    "massive": {"services": 1000, "replicas": 10, "managers": 3, "workers": 100, "dialect": "tasks"},
    "custom": {"services": 50, "replicas": 3, "managers": 3, "workers": 10, "dialect": "tasks"},
}
# Calls, and how many a second. From medium on p99 is sharp, and 30 s take in six ticks of the scheduler.
FEW_CALLS, MANY_CALLS = (1000, 250.0), (3000, 100.0)
CREATES_AT_ONCE = 16  # in a fault run, at least
CONTAINER = 8  # MB: 5 of a small program, as the guide says of nginx, and 3 of its shim
CHOICES = {
    "warren_load_dialect": ("auto", "tasks", "containers"),
    "warren_load_tls": ("auto", "plaintext", "tls"),
    "warren_load_costs": ("ideal", "measured"),
    "warren_load_heartbeats": ("full", "changes"),
    "warren_load_fail_at": ("acceptable", "missed", "critical"),
    "warren_load_worker_kind": ("real", "hollow"),
    "warren_load_fault": tuple(KINDS),
    "warren_load_fault_target": ("leader", "follower", "worker"),
}
NUMBERS: dict[str, tuple[float, float]] = {  # smallest allowed, default
    "warren_load_create_concurrency": (1, 1),
    "warren_load_create_rate": (0, 0),
    "warren_load_create_deadline": (1, 0),
    "warren_load_await_deadline": (1, 0),
    "warren_load_cleanup_deadline": (1, 0),
    "warren_load_port_base": (1024, 17000),
    "warren_load_clock_factor": (0.001, 1),
    "warren_load_container_memory": (0, CONTAINER),
    "warren_load_missing_workers": (0, 10),
    "warren_load_profile_seconds": (1, 30),
    "warren_load_profile_interval": (0, 30),
    "warren_load_memory_profile_rate": (0, 0),
    "warren_load_churn": (0, 0),
    "warren_load_fault_after": (0, 0),
    "warren_load_fault_seconds": (0.1, 20),
    "warren_load_fault_loss": (0, 0),
    "warren_load_fault_offset": (-1e6, 0),
    "warren_load_probe_rate": (10, 20),
    "warren_load_netns_latency": (0, 0),
    "warren_load_netns_loss": (0, 0),
}
# What the command line may say without the prefix, and what it is short for.
SHORT_NAMES = {
    "scale": "warren_load_scale",
    "services": "warren_load_services",
    "replicas": "warren_load_replicas",
    "keep": "warren_load_keep",
    "confirm": "warren_load_confirm",
    "wipe": "warren_load_wipe",
    "profile": "warren_load_profile",
    "hold": "warren_load_hold",
    "churn": "warren_load_churn",
    "settle": "warren_load_settle",
    "rounds": "warren_load_rounds",
    "managers": "warren_load_manager_hosts",
    "workers": "warren_load_worker_hosts",
    "generators": "warren_load_generator_hosts",
}
WORKER_MATCH = r"^\S*warren\S* worker start\b"  # of a worker's command line
NAMESPACES = "warren.load.netns"  # the connection
SIMULATED = (
    "Simulated managers have no profiles: profiles are of Warren's own program, so give its path in warren_load_binary."
)
SIMULATOR = "simulator"  # in place of a program's path
DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?:in)?)?(?:(\d+)s)?")
MOST = 1e9  # of any number
DEFAULT_API = "127.0.0.1:8080"  # where Warren's API listens unless told
NEAR = re.compile(r"(127\.|localhost:|\[::1\])")  # the machine that asks
WORDS = re.compile(r"[^A-Za-z0-9.-]+")


class Public:
    """The public variables; wrong values become sentences in `errors` and count as not given.

    `known` are the names that there are (none: any will do), `said` those that the command line gives.
    """

    def __init__(
        self, values: t.Mapping[str, t.Any], known: t.Collection[str] = (), said: t.Collection[str] = ()
    ) -> None:
        self._values = values
        self._said = said
        self.errors: list[str] = list(_misspelt(values, known, said)) if known else []

    def given(self, name: str) -> t.Any:
        """The variable, or its short name; None where neither is set or the value is empty.

        The short name counts where the long one is not set, and before what an inventory or a playbook says if it was
        given on the command line.
        """
        value = self._values.get(name)
        for short in (each for each, long in SHORT_NAMES.items() if long == name):
            wins = value in (None, "") or (short in self._said and name not in self._said)
            if wins and self._values.get(short) not in (None, ""):
                value = self._values[short]
        return None if value in (None, "", "None") else value

    def text(self, name: str, default: str = "") -> str:
        value = self.given(name)
        return default if value is None else str(value)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.given(name)
        if value is None or isinstance(value, bool):
            return default if value is None else bool(value)
        if str(value).lower() in ("yes", "true", "on", "1"):
            return True
        if str(value).lower() in ("no", "false", "off", "0"):
            return False
        self.errors.append(f"{name} is {value!r}: say true or false.")
        return default

    def choice(self, name: str, choices: t.Iterable[str], default: str) -> str:
        value = self.text(name, default)
        if value in choices:
            return value
        self.errors.append(f"{name} is {value!r}: choose one of {', '.join(choices)}.")
        return default

    def whole(self, name: str, default: int, smallest: int = 1) -> int:
        return int(self._number(name, default, smallest, whole=True))

    def number(self, name: str) -> float:
        smallest, default = NUMBERS[name]
        return self.positive(name, default, smallest)

    def positive(self, name: str, default: float, smallest: float = 0.001) -> float:
        return self._number(name, default, smallest, whole=False)

    def duration(self, name: str, default: float) -> float:
        """Seconds, from a number of them or from such as 90s, 15m, 1h30m and 2d."""
        value = str(self.given(name) or "").replace(" ", "")
        match = DURATION.fullmatch(value) if value else None
        if match is None:
            return self.positive(name, default, 1)
        parts = [int(part or 0) for part in match.groups()]
        seconds = float(sum(part * unit for part, unit in zip(parts, (86400, 3600, 60, 1), strict=True)))
        if seconds < 1:
            self.errors.append(f"{name} is {value!r}: it must be 1 second or more.")
            return default
        return seconds

    def words(self, name: str) -> list[str]:
        value = self.given(name) or []
        return [str(word) for word in (value if isinstance(value, list) else str(value).split(","))]

    def _number(self, name: str, default: float, smallest: float, whole: bool) -> float:
        value = self.given(name)
        if value is None:
            return default
        kind, bounds = "a whole number" if whole else "a number", f"{smallest:g} or more"
        try:
            number = float(str(value))
            if number >= smallest and (number.is_integer() or not whole) and number < MOST:
                return number
            if number >= MOST:
                bounds = f"less than {MOST:.0f}"
        except ValueError:
            pass
        self.errors.append(f"{name} is {str(value)!r}: it must be {kind}, {bounds}.")
        return default


def _misspelt(values: t.Iterable[str], known: t.Collection[str], said: t.Iterable[str]) -> t.Iterator[str]:
    """A sentence for each variable with our prefix that there is not, and for what is nearly a short name."""
    for name in sorted(values):
        if name.startswith("warren_load_") and name not in known:
            # The prefix alone would make any two alike.
            ends = [one.removeprefix("warren_load_") for one in known]
            near = difflib.get_close_matches(name.removeprefix("warren_load_"), ends, 1, 0.7)
            there = "the README of role warren.load.cluster lists those there are."
            hint = f"did you mean warren_load_{near[0]}?" if near else there
            yield f"There is no variable {name}: {hint}"
    for name in sorted(said):
        near = difflib.get_close_matches(name, SHORT_NAMES, 1, 0.8)
        if near and name != near[0]:
            yield f"There is no variable {name}: did you mean {near[0]}?"


@dataclass(frozen=True)
class Surroundings:
    """What besides the public variables decides: the inventory, the host asked for, the controller's environment."""

    host: str
    local: bool
    groups: t.Mapping[str, list[str]]
    host_vars: t.Mapping[str, t.Mapping[str, t.Any]]
    environment: t.Mapping[str, str]
    playbook_python: str
    requirements: list[str] = field(default_factory=list)
    results_home: str = ""
    running: t.Callable[[str], list[dict[str, t.Any]]] = lambda directory: []
    is_file: t.Callable[[str], bool] = os.path.isfile


def derive(public: Public, around: Surroundings) -> dict[str, t.Any]:
    """Everything the roles and playbooks ask of the cluster; `errors` holds a sentence for each wrong setting."""
    scale = SCALES[public.choice("warren_load_scale", SCALES, "small")]
    endpoint = public.text("warren_load_endpoint")
    if endpoint and not re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/]+):\d{1,5}", endpoint):
        public.errors.append(f"warren_load_endpoint is {endpoint!r}: give the API address of one manager as host:port.")
    sandbox = public.flag("warren_load_sandbox") and not endpoint
    binary = public.text("warren_load_binary")
    ours = sandbox or (bool(binary) and not endpoint)
    simulated = ours and binary in ("", SIMULATOR)
    binary = "" if binary == SIMULATOR else binary
    inventory = [] if endpoint else list(around.groups.get("managers", []))
    generator = (list(around.groups.get("generators", [])) or ["localhost"])[0]

    state_dir = _state_dir(public, around)
    first = inventory[0] if inventory else ""
    network = public.text("warren_load_netns_name") if public.text("warren_load_provider") == "netns" else ""
    name = public.text("warren_load_cluster") or ("sandbox" if sandbox else WORDS.sub("_", endpoint or first) or "none")
    if network and not (public.text("warren_load_cluster") or endpoint or sandbox):
        name = f"netns-{network}"  # every network has a manager-1
    directory = f"{state_dir}/{name}"
    controller_dir = f"{_state_dir(public, replace(around, local=True))}/{name}"
    # Namespaces of this machine see the controller's files.
    sees_files = around.local or around.host_vars.get(around.host, {}).get("ansible_connection") == NAMESPACES
    running = around.running(directory) if sandbox else []
    found: dict[str, t.Any] = next((node["labels"] for node in running if node["labels"].get("role") == "manager"), {})
    fleet: dict[str, t.Any] = next((node["labels"] for node in running if "workers" in node["labels"]), {})
    found = found | {name: fleet[name] for name in ("workers", "workers_apart") if name in fleet}
    # Whom a fault run hits, if this is one: its sandbox has somebody to take over, and workers that can fail alone.
    victim = public.text("warren_load_fault_target")
    if victim:
        victim = public.choice("warren_load_fault_target", CHOICES["warren_load_fault_target"], "leader")
    if victim and sandbox:
        scale = {**scale, "managers": max(3, scale["managers"]), "dialect": "tasks"}

    # Nodes: as asked for, else as the sandbox runs, else as the scale says.
    count = len(inventory)
    if ours:
        by_default = int(found.get("managers", scale["managers"])) if sandbox else count
        count = public.whole("warren_load_managers", max(1, by_default))
        if inventory and count > len(inventory):
            public.errors.append(
                f"warren_load_managers is {count}, but the inventory has {len(inventory)} managers: ask for 1, 3 or 5."
            )
    hosts = inventory[:count]
    hollow = public.whole(
        "warren_load_workers", int(found.get("workers", scale["workers"])) if sandbox else 0, smallest=0
    )
    if not (hosts or endpoint) and public.text("warren_load_provider"):
        public.errors.append(
            "None of this inventory's managers is there: playbook hosts-up makes its hosts, and hosts-list lists them."
        )
    elif not (hosts or endpoint):
        public.errors.append(
            "There is no cluster to test: give the API address of a manager with -e warren_load_endpoint=host:port, "
            "or an inventory with hosts in the group managers."
        )

    workers = [] if endpoint or sandbox else list(around.groups.get("workers", []))
    archived = "127.0.0.1:5000/archived:latest"  # the registry of role containerd serves one image under any name
    own_images = public.text("warren_load_image_archive")
    image = public.text("warren_load_image", archived if own_images else "registry.k8s.io/pause:3.9")
    wrong = unfit(image) if workers else ""
    if wrong:
        public.errors.append(wrong)
    if ours and binary and not (is_url(binary) or PLACE in binary or around.is_file(os.path.expanduser(binary))):
        instead = "leave it out" if sandbox else f"say {SIMULATOR}"
        public.errors.append(
            f"warren_load_binary is {binary!r}, which is no file here: give the path of a Warren program, or {instead} "
            "to use the simulator."
        )
    kinds = {host: _kind(public, around, host, simulated) for host in workers if ours}
    if ours and not sandbox:
        public.errors.extend(_unfit_hosts(public, around, hosts, simulated))

    dialect = public.choice("warren_load_dialect", CHOICES["warren_load_dialect"], "auto")
    if dialect == "auto" and ours:
        features = around.host_vars.get(hosts[0], {}).get("binary_program") if hosts else None
        fallback = (features or {}).get("dialect", "auto") if binary else ("tasks" if count > 1 else scale["dialect"])
        dialect = found.get("dialect", fallback)
    if ours and dialect == "containers" and count > 1:
        public.errors.append(
            f"A cluster of {count} managers cannot be started in dialect containers: "
            "there `manager join` never succeeds and can cost "
            "the first manager its quorum. Ask for warren_load_managers=1, or for a Warren before v1.1 (dialect tasks)."
        )
    tls = public.choice("warren_load_tls", CHOICES["warren_load_tls"], "auto")
    if tls == "auto" and ours:
        tls = {"containers": "tls", "tasks": "plaintext"}.get(dialect, "auto")

    port_base = int(public.number("warren_load_port_base")) if public.given("warren_load_port_base") else 0
    port_base = port_base or int(found.get("port_base", NUMBERS["warren_load_port_base"][1]))
    managers: list[dict[str, t.Any]] = [
        _addresses(host, around.host_vars.get(host, {}), port_base + 10 * index, sandbox, binary)
        for index, host in enumerate(hosts)
    ]
    if endpoint:
        managers = [{"name": endpoint, "api_address": endpoint, "raft_address": None, "http_address": None}]
    hollow_hosts = [host for host, kind in kinds.items() if kind == "hollow"]
    apart = sandbox and (fleet.get("workers_apart") == "yes" if fleet else victim == "worker")
    if sandbox and victim == "worker" and not apart:
        public.errors.append(
            "One process is all workers of the sandbox that runs, so none of them can fail alone: take it down first "
            "(playbook cluster-down), or bring it up with warren_load_fault_target=worker."
        )
    fleet_names = (
        [f"worker-{number + 1}" for number in range(hollow)] if apart else ["hollow-workers"] if hollow else []
    )
    watched = Watched(name, generator, endpoint, sandbox, fleet_names, managers, hollow_hosts)
    ca_file = public.text("warren_load_ca_file")
    if ours and not ca_file and tls != "plaintext" and hosts:
        own = f"{directory}/{hosts[0]}/home/.warren/certs/manager-{hosts[0]}/ca.crt"
        # Of the generator, whoever asks.
        generator_dir = f"{_state_dir(public, _seen_from(around, generator))}/{name}"
        ca_file = own if sandbox else f"{generator_dir}/ca.crt"

    venv = f"{state_dir}/venv-{hashlib.sha256(' '.join(around.requirements).encode()).hexdigest()[:10]}"
    python = around.host_vars.get(generator, {}).get("generator_python")
    if not python:
        python = f"{venv}/bin/python" if around.local and around.is_file(f"{venv}/.ready") else around.playbook_python
    if found:
        _compare(public, found)
    if (
        public.given("warren_load_scale") == "custom"
        and public.given("warren_load_services") is None
        and public.given("warren_load_replicas") is None
    ):
        public.errors.append(
            "warren_load_scale is custom, which has no size of its own: give warren_load_services, "
            "warren_load_replicas or both, such as -e services=500 -e replicas=5."
        )
    objectives = public.text("warren_load_objectives_file")
    services = public.whole("warren_load_services", scale["services"])
    containers = services * public.whole("warren_load_replicas", scale["replicas"])
    calls, rate = FEW_CALLS if scale is SCALES["small"] else MANY_CALLS
    create_rate = public.number("warren_load_create_rate")
    concurrency = int(public.number("warren_load_create_concurrency"))
    fault: dict[str, t.Any] = {}
    if victim:
        wanted = len(hosts) if victim != "worker" else (len(workers) or hollow)
        fault = fault_plan(public, victim, wanted, services, create_rate, endpoint)
        # Paced, so that writes surround the fault; and one that nobody answers does not hold up the others.
        create_rate, concurrency = fault["create_rate"], max(concurrency, CREATES_AT_ONCE)
    for option, choices in CHOICES.items():
        if option not in ("warren_load_dialect", "warren_load_tls", "warren_load_fault_target"):
            public.choice(option, choices, choices[0])
    samplers = _samplers(public, around, watched)
    hold = public.duration("warren_load_hold", 3600)
    churn = public.number("warren_load_churn")
    churn_interval = public.duration("warren_load_churn_interval", 60)
    if churn > 100:
        public.errors.append(f"warren_load_churn is {churn:g}: give the percentage of services to replace, 0 to 100.")
    if churn and churn_interval >= hold:
        public.errors.append(
            f"warren_load_churn would first replace services after {churn_interval:g} s (warren_load_churn_interval), "
            f"and the load is held for {hold:g} s (warren_load_hold), so that none would be: give a shorter "
            "warren_load_churn_interval, or hold the load for longer."
        )
    if fault:
        nodes = workers + (fleet_names if apart else []) if victim == "worker" else hosts
        fault["candidates"] = candidates(fault, samplers, nodes, managers, _shares_kernel(around))
        if not sandbox:  # where all is one host
            public.errors.extend(unfair(fault, generator))
    return {
        "name": name,
        "sandbox": sandbox,
        "ours": ours,
        "endpoint": endpoint,
        "binary": binary,
        "simulated": simulated,
        "wipe": public.flag("warren_load_wipe"),
        # The cluster's directory on this machine, whoever asks.
        "controller_dir": controller_dir,
        "programs_dir": f"{_state_dir(public, replace(around, local=True))}/programs",
        "local": around.local,
        "state_dir": state_dir,
        "dir": directory,
        "node_dir": f"{directory}/{around.host}",
        "lock_file": f"{directory}/locks/{name}.json",
        "scale": public.choice("warren_load_scale", SCALES, "small"),
        "services": services,
        "replicas": public.whole("warren_load_replicas", scale["replicas"]),
        "image": image,
        "container_memory": public.number("warren_load_container_memory"),
        "running": running,
        "kept_nodes": [node["node"] for node in running if node["labels"].get("run", "") != "yes"],
        "running_managers": [node["node"] for node in running if node["labels"].get("role") == "manager"],
        "manager_hosts": hosts,
        "worker_hosts": workers,
        "hollow_hosts": hollow_hosts,
        # How many of them a run may do without.
        "workers_to_spare": int(len(workers) * min(public.number("warren_load_missing_workers"), 100) / 100),
        "worker_kind": kinds.get(around.host, ""),
        "generator": generator,
        "shares_host": _shares_host(around, watched, samplers),
        "hollow_workers": hollow,
        "workers_apart": fleet_names if apart else [],
        "fault": fault,
        # Hollow nodes must never take over the record of a worker that an existing cluster has.
        "hollow_prefix": "worker-" if sandbox else "wl-hollow-",
        "dialect": dialect,
        "tls": tls,
        "ca_file": ca_file,
        "port_base": port_base,
        "managers": managers,
        "samplers": samplers,
        "profile": public.flag("warren_load_profile"),
        "profile_seconds": public.number("warren_load_profile_seconds"),
        "profile_interval": public.number("warren_load_profile_interval"),
        # Of a load that is held: ten of its heaps tell a leak from a cache that fills.
        "hold_profile_interval": public.number("warren_load_profile_interval")
        if public.given("warren_load_profile_interval") is not None
        else max(30.0, hold / 12),
        "hold": hold,
        "churn": min(churn, 100.0),
        "churn_interval": churn_interval,
        "replaced": replaced(services, churn, hold, churn_interval),
        "churn_purge": public.flag("warren_load_churn_purge", True),
        "settle": public.duration("warren_load_settle", 1800),
        "rounds": public.whole("warren_load_rounds", 6),
        "profilers": [] if simulated else _profilers(samplers),
        "environment": _environment(public),
        "profile_note": SIMULATED if simulated else "",
        "node_processes": _node_processes(around.host, directory, watched, workers),
        "me": next((row for row in managers if row["name"] == around.host), {}),
        "connection": {
            "managers": [{key: row[key] for key in ("name", "api_address", "raft_address")} for row in managers],
            "dialect": dialect,
            "tls": tls,
            "ca_file": ca_file or None,
            "tls_name": public.text("warren_load_tls_name", "localhost"),
            "client_cert_file": public.text("warren_load_client_cert_file") or None,
            "client_key_file": public.text("warren_load_client_key_file") or None,
            "pin_file": f"{directory}/pin",
        },
        "found": found,
        # Where a fleet registers when the manager it knows does not lead.
        "raft_map": ",".join(f"{row['raft_address']}={row['api_address']}" for row in managers if row["raft_address"]),
        "requirements": around.requirements,
        "venv": venv,
        "python": python,
        "simulator": f"{controller_dir if sees_files else directory}/warren-simulator.pyz",
        "clock_factor": public.number("warren_load_clock_factor"),
        "costs": public.choice("warren_load_costs", CHOICES["warren_load_costs"], "ideal"),
        "defects": public.words("warren_load_defects"),
        "repairs": public.words("warren_load_repairs"),
        "heartbeats": public.choice("warren_load_heartbeats", CHOICES["warren_load_heartbeats"], "full"),
        "allow_foreign": public.flag("warren_load_allow_foreign"),
        "keep": public.flag("warren_load_keep"),
        "confirm": public.flag("warren_load_confirm"),
        "fail_at": public.choice("warren_load_fail_at", CHOICES["warren_load_fail_at"], "missed"),
        "objectives_file": os.path.abspath(os.path.expanduser(objectives)) if objectives else "",
        "results_dir": public.text("warren_load_results_dir", around.results_home),
        "create_concurrency": concurrency,
        "create_rate": create_rate,
        # Generous: a deadline is there so that nothing waits for ever, not to judge.
        "create_deadline": public.number("warren_load_create_deadline")
        or 120.0 + max(2.0, 1 / create_rate if create_rate else 0.0) * services,
        "await_deadline": public.number("warren_load_await_deadline") or max(300.0, containers / 10),
        "cleanup_deadline": public.number("warren_load_cleanup_deadline") or 120.0 + containers / 5,
        "latency_calls": public.whole("warren_load_latency_calls", calls),
        "latency_rate": public.positive("warren_load_latency_rate", rate),
        "latency_methods": _methods(public),
        "latency_concurrency": public.whole("warren_load_latency_concurrency", 0, smallest=0),
        "seed": public.whole("warren_load_seed", 1, smallest=0),
        "errors": list(dict.fromkeys(public.errors)),
    }


@dataclass(frozen=True)
class Watched:
    """Whose processes are to be sampled: what derive() has found out."""

    cluster: str
    generator: str
    endpoint: str
    sandbox: bool
    fleet: list[str]
    managers: list[dict[str, t.Any]]
    hollow_hosts: list[str] = field(default_factory=list)


def _samplers(public: Public, around: Surroundings, watched: Watched) -> list[dict[str, t.Any]]:
    """One sampler for each machine: ``{host, dir, processes}``, as module `sampler` takes them.

    Hosts of one machine (the sandbox's, or names of one address) share one; the generator's own processes come last.
    """
    machines: dict[str, dict[str, t.Any]] = {}

    def variables(host: str) -> t.Mapping[str, t.Any]:
        return around.host_vars.get(host, {}) if host in around.groups.get("all", around.host_vars) else {}

    def machine(host: str) -> dict[str, t.Any]:
        key = "local" if _is_here(around, host) else _address(variables(host), host)
        if key not in machines:
            base = f"{_state_dir(public, _seen_from(around, host))}/{watched.cluster}"
            machines[key] = {"host": host, "base": base, "dir": f"{base}/runs/sampler", "processes": []}
        elif host == watched.generator:
            machines[key]["host"] = host
        return machines[key]

    def add(host: str, name: str, kind: str, **ways: t.Any) -> None:
        found = machine(host)
        log = variables(name).get("warren_load_log_file") or f"{found['base']}/{name}/log"
        row = {"name": name, "kind": kind, "pid_file": f"{found['base']}/{name}/pid.json", "log_file": log, **ways}
        found["processes"].append({key: value for key, value in row.items() if value})

    for manager in watched.managers:
        api = manager["api_address"]
        if watched.endpoint:
            near = NEAR.match(api)
            page = f"http://{'127.0.0.1' if near else api.rpartition(':')[0]}:9090/metrics"
            match = _manager_match(api) if near else None
            add(
                watched.generator,
                manager["name"],
                "manager",
                pid_file=None,
                log_file=None,
                match=match,
                metrics_url=page,
            )
        else:
            match = _manager_match(api if watched.sandbox else "")
            page = f"http://{manager['http_address']}/metrics"
            add(manager["name"], manager["name"], "manager", match=match, metrics_url=page)
    for host in [] if watched.endpoint or watched.sandbox else around.groups.get("workers", []):
        pprof = "http://127.0.0.1:6060/debug/pprof/goroutine?debug=1"
        if host in watched.hollow_hosts:  # whose memory is not Warren's
            add(host, host, "other")
        else:
            add(host, host, "worker", match=WORKER_MATCH, pprof_url=pprof)
    for name in watched.fleet:
        add(watched.generator, name, "other")
    machine(watched.generator)  # the engine's
    return [{key: found[key] for key in ("host", "dir", "processes")} for found in machines.values()]


def _environment(public: Public) -> dict[str, str]:
    """What Warren's environment is to have besides its own home."""
    rate = int(public.number("warren_load_memory_profile_rate"))
    return {"GODEBUG": f"memprofilerate={rate}"} if rate else {}


def _profilers(samplers: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Of each machine the processes that may serve profiles, as module `profile` takes them."""
    found = []
    for sampler in samplers:
        processes = [
            {key: value for key, value in row.items() if key != "log_file"}
            for row in sampler["processes"]
            if row["kind"] in ("manager", "worker") and ("metrics_url" in row or "pprof_url" in row)
        ]
        if processes:
            folder = f"{os.path.dirname(sampler['dir'])}/profiles"
            managers = any(row["kind"] == "manager" for row in processes)
            found.append({"host": sampler["host"], "dir": folder, "processes": processes, "managers": managers})
    return found


def _kind(public: Public, around: Surroundings, host: str, simulated: bool) -> str:
    """What a host of the group workers runs, by its own variable: a real worker, or a hollow one in its name."""
    if simulated:
        return "hollow"
    own = around.host_vars.get(host, {}).get("warren_load_worker_kind")
    return str(own or public.choice("warren_load_worker_kind", CHOICES["warren_load_worker_kind"], "real"))


def _unfit_hosts(public: Public, around: Surroundings, hosts: list[str], simulated: bool) -> t.Iterator[str]:
    """A sentence for what Warren, or the simulator, cannot be started on."""
    for host in hosts:
        own = around.host_vars.get(host, {})
        address = str(own.get("warren_load_node_address") or own.get("ansible_host") or host)
        raft = str(own.get("warren_load_raft_address") or address)
        # A name leaves the certificate without the address, and the leader without its name (facts/warren.md 2.8, 4.1).
        if not _is_ip(raft.rpartition(":")[0] if own.get("warren_load_raft_address") else raft):
            yield (
                f"{host} would listen on {raft}, and Warren needs an address there, not a name: set "
                "warren_load_node_address for it to the address that the other nodes reach it at."
            )
    if simulated and any(
        (around.host_vars.get(host, {}).get("ansible_connection") or "ssh") not in ("local", NAMESPACES)
        for host in hosts
    ):
        yield (
            "warren_load_binary is simulator, and the simulator runs in the sandbox and in network namespaces: give "
            "the path of a Warren program for other hosts."
        )


def _is_ip(text: str) -> bool:
    try:
        return not ipaddress.ip_address(text.strip("[]")).is_unspecified
    except ValueError:
        return False


def _is_here(around: Surroundings, host: str) -> bool:
    """Whether that host is the controller."""
    if host == around.host:
        return around.local
    known = host in around.groups.get("all", around.host_vars)
    return not known or around.host_vars.get(host, {}).get("ansible_connection") == "local"


def _shares_kernel(around: Surroundings) -> t.Callable[[str], bool]:
    """Whether a host has its kernel together with others."""
    return lambda host: around.host_vars.get(host, {}).get("ansible_connection") in ("local", NAMESPACES)


def _shares_host(around: Surroundings, watched: Watched, samplers: list[dict[str, t.Any]]) -> bool:
    """Whether the load is sent from a manager's machine: the sandbox's, the same host, or its namespaces."""
    own = next(row for row in samplers if row["host"] == watched.generator)
    if watched.endpoint:
        return bool(NEAR.match(watched.endpoint))
    inside = any(
        around.host_vars.get(row["name"], {}).get("ansible_connection") == NAMESPACES for row in watched.managers
    )
    return any(row["kind"] == "manager" for row in own["processes"]) or (inside and _is_here(around, watched.generator))


def _node_processes(host: str, directory: str, watched: Watched, workers: list[str]) -> list[dict[str, t.Any]]:
    """What ``host`` is asked about, as module `host_info` takes it; in a sandbox the generator speaks for all."""
    here = watched.sandbox or bool(watched.endpoint)

    def told(row: dict[str, t.Any]) -> bool:
        """Whether the address tells its command line from others': where several managers share a machine."""
        return here or bool(NEAR.match(row["api_address"]))

    rows: list[dict[str, t.Any]] = [
        {"name": row["name"], "kind": "manager", "match": _manager_match(row["api_address"] if told(row) else "")}
        for row in watched.managers
        if here or row["name"] == host
    ]
    if host in watched.hollow_hosts:
        rows.append({"name": host, "kind": "other"})
    elif host in workers:
        rows.append({"name": host, "kind": "worker", "match": WORKER_MATCH})
    if host == watched.generator:
        rows += [{"name": name, "kind": "other"} for name in watched.fleet]
    return [{**row, "pid_file": f"{directory}/{row['name']}/pid.json"} for row in rows]


def _manager_match(api_address: str) -> str:
    """A pattern for the command line of the manager with that address, or, without one, of any."""
    program = r"^(\S*python\S* )?\S*warren\S* (cluster init|manager join)\b"
    if not api_address:
        return program
    given = rf".* --api-addr[= ]{re.escape(api_address)}(?!\d)"
    return program + (rf"({given}|(?!.* --api-addr\b))" if api_address == DEFAULT_API else given)


def _methods(public: Public) -> list[str]:
    """The methods to measure, each with its parts of the calls."""
    words = [word.strip() for word in public.words("warren_load_latency_methods")] or [DEFAULT]
    try:
        mix = parse_mix(words)
    except ValueError as error:
        public.errors.append(f"warren_load_latency_methods: {error}.")
        mix = {DEFAULT: 1}
    return [f"{name}:{parts}" for name, parts in mix.items()]


def _compare(public: Public, found: t.Mapping[str, str]) -> None:
    """A setting given for this playbook must be what the running sandbox was started with."""
    for label in ("managers", "dialect", "binary", "port_base", "costs", "clock_factor", "defects", "repairs"):
        given, runs = public.given(f"warren_load_{label}"), found.get(label)
        if isinstance(given, list):
            given = ",".join(map(str, given))
        if given is not None and given != "auto" and runs is not None and _same(given) != _same(runs):
            public.errors.append(
                f"warren_load_{label} is {given!s}, but the sandbox that runs was started with {runs or 'none'!s}: "
                "take it down "
                "first (playbook cluster-down), or leave the setting out."
            )


def _same(value: t.Any) -> str:
    """Numbers compare by value, 1 with 1.0."""
    try:
        return f"{float(value):g}"
    except (TypeError, ValueError):
        return str(value)


def controller_state_dir(public: Public, environment: t.Mapping[str, str]) -> str:
    """Where the machine that runs the playbooks keeps its files."""
    return _state_dir(public, Surroundings("localhost", True, {}, {}, environment, ""))


def _address(own: t.Mapping[str, t.Any], host: str) -> str:
    """What is the same for all names of one machine."""
    return f"{own.get('ansible_host') or host}:{own.get('ansible_port') or 22}"


def _seen_from(around: Surroundings, host: str) -> Surroundings:
    return replace(around, host=host, local=_is_here(around, host))


def _state_dir(public: Public, around: Surroundings) -> str:
    given = public.text("warren_load_state_dir")
    if given and not around.local:
        # Hosts may share it: network namespaces and those with NFS do.
        own = around.host_vars.get(around.host, {})
        # No colon: a virtual environment cannot lie below one.
        return os.path.normpath(f"{given}/{_address(own, around.host).replace(':', '-')}")
    if given:
        home = around.environment.get("HOME", "")
        return os.path.normpath(home + given[1:] if given.startswith("~/") else given)
    if not around.local:
        return "/var/tmp/warren-load"
    state = around.environment.get("XDG_STATE_HOME") or around.environment.get("HOME", "/tmp") + "/.local/state"
    return f"{state}/warren-load"


def _addresses(host: str, own: t.Mapping[str, t.Any], port: int, sandbox: bool, binary: str) -> dict[str, t.Any]:
    """A manager's addresses: set for the host, or ten loopback ports a node in the sandbox, or Warren's elsewhere."""
    ip = str(own.get("warren_load_node_address") or own.get("ansible_host") or host)
    defaults = (f"127.0.0.1:{port}", f"127.0.0.1:{port + 1}", f"127.0.0.1:{port + 2}")
    if not sandbox:
        defaults = (f"{ip}:8080", f"{ip}:7946", "127.0.0.1:9090")
    elif binary:
        defaults = (*defaults[:2], "127.0.0.1:9090")  # hard-wired in the real program
    names = ("api_address", "raft_address", "http_address")
    return {
        "name": host,
    } | {name: str(own.get(f"warren_load_{name}") or default) for name, default in zip(names, defaults, strict=True)}
