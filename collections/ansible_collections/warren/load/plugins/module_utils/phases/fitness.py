# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a cluster and its hosts are fit for a load test. Pure: what was seen in, sentences out.

What was seen of the cluster is what cluster_info.look() returns, what was seen of the hosts is what the module
host_info returned of each: ``{"host": {...}, "processes": [...], "absent": {...}, "unavailable": [...]}``, or
``{"name", "unreachable": true, "msg"}``.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.warren.load.plugins.module_utils.api.images import unfit
from ansible_collections.warren.load.plugins.module_utils.api.timers import HEARTBEAT
from ansible_collections.warren.load.plugins.module_utils.objectives.units import clock

if t.TYPE_CHECKING:
    from collections.abc import Iterator

NAMED = 5  # how many things a sentence names
TARGET = 256  # MB, the guide's target for a manager
CLOCKS = 1.0  # seconds that clocks may be apart before it is said
DISK = 100  # MB that a manager's log and snapshots take, whatever it holds
DISK_EACH = 0.01  # MB more for each container: its record is written again with every heartbeat
LOG = 50e-6  # MB that Warren's log takes for each write: its storage says a line on every commit
FILES = 64  # open files of a process without any connection


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the run asks of the cluster.

    ``workers`` that should be ready, all but ``to_spare``, of which the inventory names ``worker_names``; hollow ones
    are called ``hollow_prefix`` and a number. ``listed``: the managers are those of an inventory, not one address. A
    container of a real worker takes ``container_memory`` MB; 0: not known. ``hold``: s for which the load is held.
    """

    workers: int = 1
    worker_names: list[str] = dataclasses.field(default_factory=list)
    to_spare: int = 0
    hollow_prefix: str = ""
    listed: bool = False
    image: str = ""
    containers: int = 0
    container_memory: float = 0.0
    outstanding: int = 1
    hold: float = 0.0
    allow_foreign: bool = False
    hosts: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)


def disk_needed(containers: int, workers: int, hold: float = 0.0) -> float:
    """MB that a manager's data and log may take with a load that is held for so many seconds.

    Its log of Raft is cut by snapshots, and holds about 30 000 entries of 2 KB at most; that of the program is not.
    """
    return DISK + DISK_EACH * containers + LOG * (containers + workers) / HEARTBEAT * hold


def refusals(found: dict[str, t.Any], wanted: Wanted) -> list[str]:
    """Why a load test must not begin: a sentence with its remedy for each reason."""
    return [
        *_workers(found, wanted),
        *_members(found, wanted),
        *_services(found, wanted),
        *_hosts(wanted),
        *_memory(found, wanted),
    ]


def findings(found: dict[str, t.Any], wanted: Wanted) -> list[str]:
    """What does not forbid a load test, and belongs into its report."""
    return [
        *_left_behind(found),
        *_managers_seen(found, wanted),
        *_workers_beside(found, wanted),
        *_hosts_seen(wanted),
        *_clocks(wanted),
    ]


def memory_needed(found: dict[str, t.Any], wanted: Wanted) -> dict[str, t.Any]:
    """``{name, needed, available}`` in MB of the real worker that gets the containers; empty where that is not known.

    Warren places all of them on the first of its ready nodes by name (facts/warren.md 4.2 and 11).
    """
    first = min(found["workers_ready"], default="")
    for answer in wanted.hosts:
        real = [process["name"] for process in answer.get("processes", []) if process["kind"] == "worker"]
        if wanted.container_memory and first in real and answer["host"]["memory_available"] is not None:
            needed = round(wanted.containers * wanted.container_memory)
            return {"name": first, "needed": needed, "available": answer["host"]["memory_available"]}
    return {}


def nobody(details: str, hosts: list[dict[str, t.Any]]) -> str:
    """Why no manager answers, as far as can be seen, as one sentence with the remedy."""
    said = f"no manager can be reached: {details}"
    away = [host["name"] for host in hosts if host.get("unreachable")]
    if away:
        return (
            f"{said}, and Ansible cannot log in to {_list(away)} either: start the machine (a Lima VM: limactl start "
            f"{away[0]}), or correct its ansible_host"
        )
    absent = [name for host in hosts for name in host.get("absent", {})]
    if absent:
        return (
            f"{said}, and no manager process runs for {_list(absent)}: start it (warren cluster init, or playbook "
            "cluster-up with warren_load_binary; without a Warren at hand, it starts the sandbox)"
        )
    return f"{said}; start the cluster, or correct warren_load_endpoint or the managers' addresses in the inventory"


def leaderless(found: dict[str, t.Any], waited: float) -> str:
    """Why there is no leader, as a clause."""
    answer = [manager["name"] for manager in found["managers"] if manager["reachable"]]
    return (
        f"no manager named one within {waited:g} s, and of its {_count(len(found['voters']), 'manager')} "
        f"{_list(answer) or 'none'} answered"
    )


def _workers(found: dict[str, t.Any], wanted: Wanted) -> Iterator[str]:
    ready = found["workers_ready"]
    if ready and len(ready) >= wanted.workers - wanted.to_spare:
        return
    remedy = "start workers (warren worker start), or hollow ones that need no container runtime (warren_load_workers)"
    if not found["nodes"]:
        yield f"No worker is registered, so containers would never run: {remedy}."
    elif not ready:
        states = ", ".join(f"{count} {status}" for status, count in sorted(found["nodes"].items()))
        yield f"No worker is ready (nodes now: {states}), so containers would never run: {remedy}."
    else:
        named = _missing(ready, wanted)
        yield (
            f"Only {len(ready)} of the {wanted.workers} workers that were asked for are ready{named}: start the "
            "others, take them out of the inventory's group workers or of warren_load_workers, or raise "
            "warren_load_missing_workers."
        )


def _missing(ready: list[str], wanted: Wanted) -> str:
    """Names need not be those of the inventory; where some are, the others are missed by name."""
    missing = [name for name in wanted.worker_names if name not in ready]
    if not missing or len(missing) == len(wanted.worker_names):
        return ""
    return f" ({_list(missing)} {'is' if len(missing) == 1 else 'are'} missing)"


def _members(found: dict[str, t.Any], wanted: Wanted) -> Iterator[str]:
    """Managers of the inventory that are in another cluster, or in none."""
    if not wanted.listed:
        return
    for manager in found["managers"]:
        theirs = manager["voters"] or {}
        # By address too: every first manager is called manager-1 unless somebody names it.
        if manager["reachable"] and not theirs.items() & found["voter_addresses"].items():
            others = ", ".join(f"{name} at {address}" for name, address in list(theirs.items())[:NAMED])
            cluster = f"belongs to another cluster (that of {others})" if theirs else "has joined no cluster"
            yield (
                f"Manager {manager['name']} ({manager['api_address']}) {cluster}, not to that of "
                f"{found['leader']}: take it out of the inventory's group managers, or join it."
            )
        elif not manager["reachable"] and not _is_voter(manager, found):
            yield (
                f"Manager {manager['name']} ({manager['api_address']}) does not answer, and the cluster counts no such "
                f"manager (it has {_list(found['voters'])}): start it and let it join, take it out of the inventory's "
                "group managers, or set its warren_load_raft_address."
            )


def _services(found: dict[str, t.Any], wanted: Wanted) -> Iterator[str]:
    names = found["services_foreign"]
    if names and not wanted.allow_foreign:
        yield (
            f"{_count(len(names), 'service')} {'is' if len(names) == 1 else 'are'} there that no run of ours made "
            f"({_list(names)}): a load test would disturb them; set warren_load_allow_foreign to run all the same."
        )
    real = [name for name in found["workers_ready"] if not _is_hollow(name, wanted)]
    if real and wanted.image and (wrong := unfit(wanted.image)):
        yield wrong


def _hosts(wanted: Wanted) -> Iterator[str]:
    """What hosts lack for the run to end well."""
    needed = round(disk_needed(wanted.containers, wanted.workers, wanted.hold))
    for answer in wanted.hosts:
        if "host" not in answer:
            continue
        host = answer["host"]
        limit = host["open_files_limit"]
        calls = FILES + 2 * wanted.outstanding
        if host["kind"] == "generator" and limit is not None and limit < calls:
            yield (
                f"The generator {host['name']} may have {limit} files open, and {wanted.outstanding} calls at a time "
                f"need about {calls}: raise its limit (ulimit -n), or lower warren_load_create_concurrency."
            )
        for process in answer["processes"]:
            if process["kind"] != "manager":
                continue
            free = process.get("disk_free")
            if free is not None and free < needed and wanted.hold:
                yield (
                    f"The disk of {process['name']} has {free} MB left for {process['data_dir']}, and a load of "
                    f"{wanted.containers} containers that is held for {clock(wanted.hold)} may need {needed} MB there: "
                    "hold it for less (warren_load_hold), or make room."
                )
            elif free is not None and free < needed:
                yield (
                    f"The disk of {process['name']} has {free} MB left for {process['data_dir']}, and "
                    f"{wanted.containers} containers may need {needed} MB there: make room, or lower "
                    "warren_load_services or warren_load_replicas."
                )
            limit, files = process["open_files_limit"], FILES + 2 * wanted.workers
            if limit is not None and limit < files:
                yield (
                    f"{process['name']} may have {limit} files open, and {_count(wanted.workers, 'worker')} need about "
                    f"{files}: start it again with a higher limit (ulimit -n, or LimitNOFILE of its systemd unit)."
                )


def _memory(found: dict[str, t.Any], wanted: Wanted) -> Iterator[str]:
    there = memory_needed(found, wanted)
    if there and there["available"] < there["needed"]:
        yield (
            f"{there['name']} has {there['available']} MB of memory left, and {wanted.containers} containers of "
            f"{wanted.container_memory:g} MB each, all of which Warren places there, need {there['needed']} MB: lower "
            "warren_load_services or warren_load_replicas, or set warren_load_container_memory to what a container of "
            "this image takes with its shim."
        )


def _left_behind(found: dict[str, t.Any]) -> Iterator[str]:
    runs = found["leftovers"]
    containers = sum(run["containers"] for run in runs.values())
    if runs:
        services = sum(run["services"] for run in runs.values())
        yield (
            f"Earlier runs left {services} services and {containers} container records ({', '.join(sorted(runs))}): "
            "cleanup.yml removes them."
        )
    if others := found["container_records"] - containers:
        yield f"{others} container records are there that no run of ours made; they are left alone."


def _managers_seen(found: dict[str, t.Any], wanted: Wanted) -> Iterator[str]:
    for manager in found["managers"]:
        if not manager["reachable"]:
            yield f"Manager {manager['name']} ({manager['api_address']}) does not answer."
    known = {manager["name"] for manager in found["managers"] if manager["listed"]}
    addresses = {manager["raft_address"] for manager in found["managers"] if manager["listed"]}
    outside = [
        name for name, address in found["voter_addresses"].items() if name not in known and address not in addresses
    ]
    if wanted.listed and outside:
        yield (
            f"The cluster has {_count(len(outside), 'manager')} more than the inventory ({_list(outside)}), whose "
            "memory is not measured: put them into its group managers."
        )
    for manager in found["managers"]:
        if manager["pinned_now"] and manager["how"] == "pinned":
            yield f"The certificate of {manager['name']} was trusted on first use; its SHA-256 is {manager['pin']}."


def _workers_beside(found: dict[str, t.Any], wanted: Wanted) -> Iterator[str]:
    ready = len(found["workers_ready"])
    if ready < wanted.workers:
        yield (
            f"{ready} of the {wanted.workers} workers that were asked for are ready"
            f"{_missing(found['workers_ready'], wanted)}; the run goes on without the others, as "
            "warren_load_missing_workers lets it."
        )
    if wanted.listed and wanted.worker_names and ready > wanted.workers:
        more = ready - wanted.workers
        yield f"{ready} workers are ready, {more} more than the inventory and warren_load_workers say."


def _hosts_seen(wanted: Wanted) -> Iterator[str]:
    programs: dict[str, list[str]] = {}
    for answer in wanted.hosts:
        if answer.get("unreachable"):
            yield (
                f"Ansible cannot log in to {answer['name']}, so nothing is known of that host and its processes: "
                f"correct its ansible_host or its key ({_line(answer.get('msg'))})."
            )
        if "host" not in answer:
            continue
        host = answer["host"]
        yield from answer["unavailable"]
        managers = [process for process in answer["processes"] if process["kind"] == "manager"]
        for process in managers:
            if process["program"]:
                programs.setdefault(process["program"]["sha256"], []).append(process["name"])
        free, needed = host["memory_available"], TARGET * max(len(managers), 1)
        if free is not None and free < needed:
            what = f"{_count(len(managers), 'manager')} of the guide's {TARGET} MB" if managers else "sending the load"
            yield f"{host['name']} has {free} MB of memory left, which is little for {what}: it may swap."
    if len(programs) > 1:
        told = "; ".join(f"{_list(names)}: {digest[:12]}" for digest, names in programs.items())
        yield f"The managers run {len(programs)} different programs ({told})."


def _clocks(wanted: Wanted) -> Iterator[str]:
    """Hosts whose clock is surely apart from the generator's."""
    hosts = [answer["host"] for answer in wanted.hosts if "host" in answer and "clock_offset" in answer["host"]]
    base = next((host["clock_offset"] for host in hosts if host["kind"] == "generator"), {"low": 0.0, "high": 0.0})
    for host in hosts:
        ahead, behind = host["clock_offset"]["low"] - base["high"], base["low"] - host["clock_offset"]["high"]
        if max(ahead, behind) > CLOCKS:
            yield (
                f"The clock of {host['name']} is at least {max(ahead, behind):.1f} s "
                f"{'ahead of' if ahead > behind else 'behind'} the generator's, which shifts Warren's time stamps, and "
                "its 30 s for silent nodes when the leader changes: set it by NTP."
            )


def _is_voter(manager: dict[str, t.Any], found: dict[str, t.Any]) -> bool:
    return manager["name"] in found["voters"] or manager["raft_address"] in found["voter_addresses"].values()


def _is_hollow(name: str, wanted: Wanted) -> bool:
    prefix = wanted.hollow_prefix
    return bool(prefix) and name.startswith(prefix) and name[len(prefix) :].isdigit()


def _list(names: list[str]) -> str:
    """At most NAMED names, and how many there are besides."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _count(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _line(text: t.Any) -> str:
    return " ".join(str(text or "no reason was given").split()).removeprefix("Task failed: ")[:200].rstrip(".")
