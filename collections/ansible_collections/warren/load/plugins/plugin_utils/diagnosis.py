# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with a cluster: the guide's Troubleshooting, and Warren's own traps that can be seen from outside.

Pure: module `diagnose` hands everything in. PRIVATE to the collection.
"""

from __future__ import annotations

import dataclasses
import typing as t

BUSY = 90.0  # percent of a core from which on a manager may be the bottleneck
DISK_LEFT = 1 << 30  # bytes below which a disk counts as full
MEMORY = {"manager": 512 << 20, "worker": 256 << 20}  # the guide's critical limits
HEARTBEAT = 30.0  # s after which Warren takes a node for down (facts/warren.md 4.3)
SKEW = 5.0  # s
FEW = 5  # names that are listed


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is wrong: what, how it is known, what to do; ``check`` names the check that found it."""

    check: str
    what: str
    how: str
    remedy: str


@dataclasses.dataclass(frozen=True)
class Picture:
    """What is known. ``hosts``: what module `evidence` saw by host, with ``error`` for one that did not answer;
    ``cluster``: what module `cluster_info` returned, or only ``msg``."""

    managers: list[str]
    workers: list[str]
    hosts: dict[str, dict[str, t.Any]]
    cluster: dict[str, t.Any]
    image: str = ""
    real_workers: bool = True
    provider: str = ""

    def rows(self, kind: str = "") -> t.Iterator[tuple[str, dict[str, t.Any]]]:
        """(host, process) of all processes that were looked for, or of those of a kind."""
        for host, seen in self.hosts.items():
            for row in seen.get("processes", []):
                if not kind or row["kind"] == kind:
                    yield host, row

    def signs(self, name: str, kind: str = "") -> list[tuple[str, dict[str, t.Any]]]:
        """The logs that show a sign."""
        return [(row["name"], row["signs"][name]) for _host, row in self.rows(kind) if name in row.get("signs", {})]


Check = t.Callable[[Picture], t.Iterator[Finding]]


def _names(names: t.Iterable[str]) -> str:
    found = list(dict.fromkeys(names))
    return ", ".join(found[:FEW]) + (f" and {len(found) - FEW} more" if len(found) > FEW else "")


def _is_are(names: t.Sequence[str]) -> str:
    return "is" if len(set(names)) == 1 else "are"


def hosts_answer(picture: Picture) -> t.Iterator[Finding]:
    """The guide's "Manager VM not running"."""
    silent = {host: seen["error"] for host, seen in picture.hosts.items() if seen.get("error")}
    if silent:
        first, reason = min(silent.items())
        make = "playbook hosts-up starts and mends them" if picture.provider else "see that it runs and lets you in"
        yield Finding(
            "hosts",
            f"{_names(silent)} cannot be reached.",
            f"{first}: {reason}",
            f"{make[0].upper()}{make[1:]}.",
        )


def managers_run(picture: Picture) -> t.Iterator[Finding]:
    """The guide's "Warren manager process not running", with the reasons that its log tells."""
    for host, row in picture.rows("manager"):
        if row["pid"]:
            continue
        signs = row.get("signs", {})
        words = " / ".join(row.get("last_words") or []) or row.get("why", "")
        remedy = "Playbook cluster-up starts it"
        if "bootstrap" in signs:
            remedy = "Warren cannot start on a used data directory: cluster-down -e wipe=true, then cluster-up"
        elif "in_use" in signs:
            remedy = (
                "Another program has one of its ports (Warren then ends with exit code 0): stop that, then cluster-up"
            )
        elif "disk" in signs:
            remedy = "Make room on its disk, then cluster-down -e wipe=true and cluster-up"
        elif "panic" in signs:
            remedy = "Its log has the stack; cluster-down -e wipe=true and cluster-up make the cluster anew"
        yield Finding("managers", f"The manager of {host} does not run.", f"Its last words: {words}", f"{remedy}.")


def workers_run(picture: Picture) -> t.Iterator[Finding]:
    """The guide's "No workers registered": processes, and what the cluster knows of them."""
    dead = [host for host in picture.workers for _h, row in picture.rows() if _h == host and not row["pid"]]
    for name, row in ((host, row) for host, row in picture.rows() if host in dead[:FEW] and row["name"] in dead):
        why = " / ".join(row.get("last_words") or []) or row.get("why", "")
        remedy = "Playbook cluster-up starts it"
        signs = row.get("signs", {})
        if "containerd" in signs:
            remedy = "It needs containerd and runc on its host: install them, then cluster-up"
        elif "certificate" in signs:
            remedy = "It has certificates of another cluster: cluster-down -e wipe=true, then cluster-up"
        elif "not_leader" in signs:
            remedy = "It knew a manager that does not lead: cluster-up starts it at the leader"
        yield Finding("workers", f"The worker of {name} does not run.", f"Its last words: {why}", f"{remedy}.")
    if "node_list" not in picture.cluster:
        return
    known = {node["name"]: node for node in picture.cluster["node_list"]}
    missing = [host for host in picture.workers if host not in known and host not in dead]
    if missing:
        yield Finding(
            "workers",
            f"{_names(missing)} {_is_are(missing)} not registered.",
            f"The cluster knows {len(known)} nodes.",
            "See the worker's log in the archive; cluster-down and cluster-up register all anew.",
        )
    if not known:
        yield Finding(
            "workers",
            "No worker is registered.",
            "The cluster lists no node.",
            "Start workers with cluster-up, real ones on the hosts of the group workers, or hollow ones with "
            "-e warren_load_workers=5.",
        )


def leader_there(picture: Picture) -> t.Iterator[Finding]:
    """The guide's "hangs during service creation": nobody commits."""
    if picture.cluster.get("msg"):
        yield Finding(
            "leader", "The cluster does not answer.", str(picture.cluster["msg"]), "See which managers run, above."
        )
        return
    managers = picture.cluster.get("managers", [])
    voters = picture.cluster.get("voters", [])
    answering = [row["name"] for row in managers if row["reachable"]]
    if picture.cluster.get("leader") is None:
        yield Finding(
            "leader",
            "The cluster has no leader, so nothing is created or deleted.",
            f"{len(answering)} of {len(voters)} voters answer, and none leads.",
            "A majority of the voters must run and reach each other on port 7946; if it is lost, only "
            "cluster-down -e wipe=true and cluster-up help.",
        )
    down = [row["name"] for row in managers if not row["reachable"]]
    if down and picture.cluster.get("leader"):
        yield Finding(
            "leader",
            f"{_names(down)} {_is_are(down)} not reached at the API port.",
            f"{len(answering)} of {len(managers)} managers answer; Warren counts dead ones as voters for ever.",
            "Playbook cluster-up has them join again.",
        )
    restless = [(name, sign) for name, sign in picture.signs("leader_changes", "manager") if sign["count"] > FEW]
    for name, sign in restless:
        yield Finding(
            "leader",
            f"{name} changed between leading and following {sign['count']} times.",
            f"Its log: {sign['last']}",
            "A stall of 250 ms of CPU, disk or network is enough: give managers idle CPUs and a quick disk. Workers do "
            "not follow a leader; cluster-up takes hollow ones there.",
        )


def managers_keep_up(picture: Picture) -> t.Iterator[Finding]:
    """The guide's "hangs during service creation": CPU, memory and disk."""
    for _host, row in picture.rows("manager"):
        if (row.get("cpu_share") or 0) >= BUSY:
            yield Finding(
                "load",
                f"{row['name']} uses {row['cpu_share']:.0f} % of a core.",
                "Measured just now.",
                "Heartbeats and the scheduler's scans grow with services times containers: fewer of them, or a faster "
                "CPU.",
            )
    for host, seen in picture.hosts.items():
        if seen.get("disk_free") is not None and seen["disk_free"] < DISK_LEFT:
            yield Finding(
                "disk",
                f"The disk of {host} has {seen['disk_free'] / (1 << 20):.0f} MB left.",
                f"{seen.get('disk_used', 0):g} % of it are used.",
                "Raft stops without room: remove what is not needed; cluster-down -e wipe=true frees Warren's own.",
            )
    for name, sign in picture.signs("disk"):
        yield Finding("disk", f"The disk of {name} was full.", f"Its log: {sign['last']}", "Make room there.")


def memory_in_limits(picture: Picture) -> t.Iterator[Finding]:
    """The guide's "High memory usage during test"."""
    for _host, row in picture.rows():
        limit = MEMORY.get(row["kind"])
        if limit and (row.get("rss") or 0) > limit:
            yield Finding(
                "memory",
                f"{row['name']} has {row['rss'] / (1 << 20):.0f} MB of memory.",
                f"The guide's limit for a {row['kind']} is {limit >> 20} MB.",
                "Leaked container records are the usual reason: playbook cleanup removes them.",
            )


def tasks_scheduled(picture: Picture) -> t.Iterator[Finding]:
    """The guide's "Services created but tasks not scheduled", and what keeps containers from running."""
    cluster = picture.cluster
    if "node_list" not in cluster:
        return
    ready = cluster.get("workers_ready", [])
    late = [
        each for each in cluster["node_list"] if (each["heartbeat_age"] or 0) > HEARTBEAT or each["status"] == "down"
    ]
    if late:
        ages = [each["heartbeat_age"] for each in late if each["heartbeat_age"] is not None]
        yield Finding(
            "nodes",
            f"{_names(each['name'] for each in late)} sent no heartbeat for too long.",
            f"The oldest is {max(ages, default=0):.0f} s old; Warren takes a node for down after {HEARTBEAT:.0f} s.",
            "Workers know one manager and must reach the leader; a heartbeat of too many containers passes its "
            "deadline of 5 s. Start them anew (cluster-down, cluster-up), or ask for fewer containers.",
        )
    ahead = [each["name"] for each in cluster["node_list"] if (each["heartbeat_age"] or 0) < -SKEW]
    if ahead:
        yield Finding(
            "clock",
            f"Heartbeats of {_names(ahead)} come from the future.",
            "The managers' clocks are ahead of this machine's.",
            "Set the clocks by NTP: the rule of 30 s goes by the leader's.",
        )
    if cluster.get("services") and not ready:
        yield Finding(
            "scheduler",
            f"There are {cluster['services']} services and no ready worker, so no container is placed.",
            "The scheduler makes no records without a ready node.",
            "See the workers above.",
        )
    counts = [sum(each["containers"].values()) for each in cluster["node_list"]]
    if sum(counts) > 2 * len(counts) > 2 and max(counts) == sum(counts):
        yield Finding(
            "placement",
            f"All {sum(counts)} containers are on one node.",
            "Warren places all replicas of a tick on the smallest node id.",
            "This is Warren's, not yours: create services slowly, or expect one node to carry all.",
        )
    if cluster.get("orphans"):
        yield Finding(
            "orphans",
            f"{cluster['orphans']} container records belong to services that are deleted.",
            "DeleteService leaves them.",
            "Playbook cleanup drives them out.",
        )
    failed = cluster.get("containers", {}).get("failed", 0)
    for sign, what, remedy in (
        (
            "pull",
            "cannot pull its image",
            "Name it in full (docker.io/library/nginx:alpine), and see that the host gets there",
        ),
        ("start", "cannot start containers", "See that containerd and runc work there: ctr run"),
    ):
        seen = picture.signs(sign)
        if seen:
            yield Finding(
                "containers",
                f"{_names(name for name, _sign in seen)} {what}; {failed} container records are failed.",
                f"{seen[0][0]}: {seen[0][1]['last']}",
                f"{remedy}; every failure is replaced within 10 s, for ever.",
            )
    beats = picture.signs("heartbeat")
    if beats:
        yield Finding(
            "workers",
            f"Heartbeats of {_names(name for name, _sign in beats)} failed.",
            f"{beats[0][0]}, {beats[0][1]['count']} times: {beats[0][1]['last']}",
            "If the leader has changed, start the workers anew (cluster-down, cluster-up); else the leader is slow.",
        )


def pages_there(picture: Picture) -> t.Iterator[Finding]:
    """The guide's "Failed to capture profiles", and Warren's fixed ports."""
    for _host, row in picture.rows():
        if row["pid"] and row.get("page"):
            port = "9090" if row["kind"] == "manager" else "6060"
            yield Finding(
                "profiles",
                f"{row['name']} gives no profiles and no metrics on port {port}.",
                f"Asked on its host: {row['page']}",
                "Another program may have the port, which Warren does not tell; workers need --enable-pprof, with "
                "which cluster-up starts them.",
            )
    for host, seen in picture.hosts.items():
        if seen.get("ports", {}).get("9090") == "other" and any(h == host for h, _row in picture.rows("manager")):
            yield Finding(
                "ports",
                f"Port 9090 of {host} belongs to another program.",
                "It listens on 127.0.0.1, and is not the manager.",
                "Stop it (Prometheus has that port, too), then cluster-down and cluster-up.",
            )
    if picture.real_workers:
        bare = [host for host in picture.workers if picture.hosts.get(host, {}).get("containerd") is False]
        if bare:
            yield Finding(
                "containerd",
                f"{_names(bare)} {_is_are(bare)} without containerd.",
                "There is no /run/containerd/containerd.sock.",
                "Install and start containerd and runc, or take hollow workers (warren_load_worker_kind=hollow).",
            )


CHECKS: dict[str, Check] = {
    "Hosts can be reached": hosts_answer,
    "Managers run": managers_run,
    "Workers run and are registered": workers_run,
    "There is a leader": leader_there,
    "Managers keep up, and disks have room": managers_keep_up,
    "Memory is within the guide's limits": memory_in_limits,
    "Containers are placed and run": tasks_scheduled,
    "Metrics and profiles can be had": pages_there,
}


def diagnose(picture: Picture) -> dict[str, list[Finding]]:
    """The findings of each check, by its name."""
    return {name: list(check(picture)) for name, check in CHECKS.items()}


def text(found: dict[str, list[Finding]]) -> str:
    """What a person reads."""
    lines = []
    for name, findings in found.items():
        lines.append(f"{'✗' if findings else '✓'} {name}")
        for one in findings:
            lines += [f"    {one.what}", f"      How it is known: {one.how}", f"      What to do: {one.remedy}"]
    return "\n".join(lines)
