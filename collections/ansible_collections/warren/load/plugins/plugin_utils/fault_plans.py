# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a fault run is asked to do, from the public variables; and what can be refused before anything is touched. Pure.

PRIVATE to the collection.
"""

from __future__ import annotations

import posixpath
import typing as t

from ansible_collections.warren.load.plugins.module_utils.api.timers import (
    HEARTBEAT,
    NODE_DOWN_WITHIN,
    RECONCILER_TICK,
    SCHEDULER_TICK,
    WORKER_POLL,
)
from ansible_collections.warren.load.plugins.module_utils.node.fault_kinds import FATAL, SILENCING
from ansible_collections.warren.load.plugins.module_utils.node.faults import LONGEST

AFTER = {"leader": 30.0, "follower": 30.0, "worker": 60.0}  # seconds from the first create, as the guide has them
MARGIN = 20.0  # seconds for which creates go on after the fault
SILENT = 90.0  # seconds for which a worker is paused or cut off, so that what Warren does about it is seen
KNOWN = NODE_DOWN_WITHIN + SCHEDULER_TICK  # Warren's seconds until a loss is known
LATER = (
    RECONCILER_TICK + 2 * SCHEDULER_TICK + WORKER_POLL + HEARTBEAT
)  # and from then until all run again, or never will
OF_THE_HOST = ("cut", "packet_loss", "clock_step", "memory_pressure")  # faults of all that runs there
ANYWAY = "set warren_load_fault_anyway to true to do it all the same"


class Settings(t.Protocol):
    """The part of cluster_facts.Public that is used here."""

    errors: list[str]

    def text(self, name: str, default: str = "") -> str: ...
    def flag(self, name: str, default: bool = False) -> bool: ...
    def whole(self, name: str, default: int, smallest: int = 1) -> int: ...
    def number(self, name: str) -> float: ...


def fault_plan(
    public: Settings, role: str, there: int, services: int, create_rate: float, endpoint: str
) -> dict[str, t.Any]:
    """``{role, kind, after, seconds, count, noticed, together, anyway, ask, last, span, create_rate, probe_rate}``.

    ``role``: whose turn it is; ``there``: how many managers, or for role worker how many workers, the cluster has;
    ``create_rate`` as asked for, 0 for what fits. ``noticed``: whether a worker is silent for long enough to be taken
    for down; ``ask``: the options of M(fault) that only some kinds have; ``last``: when the last fault is over, and
    ``span`` when the creates are, in s after the first one. Wrong settings become sentences in ``public.errors``.
    """
    kind = public.text("warren_load_fault", "kill")
    seconds, count = public.number("warren_load_fault_seconds"), public.whole("warren_load_fault_count", 1)
    factor = public.number("warren_load_clock_factor")
    if role == "worker" and kind in SILENCING and kind not in FATAL and not public.text("warren_load_fault_seconds"):
        seconds = SILENT / factor
    after = public.number("warren_load_fault_after") or AFTER[role]
    anyway = public.flag("warren_load_fault_anyway")
    # A killed process is gone at once; the next one's turn comes as if it had been paused.
    last = after + (count - 1 if kind in FATAL else count) * seconds
    span = services / create_rate if create_rate else last + MARGIN
    if endpoint:
        public.errors.append(
            "A fault needs the hosts that it is done to, and warren_load_endpoint is an address alone: give an "
            "inventory with the managers and workers."
        )
    elif kind in SILENCING and not anyway:
        public.errors.extend(_refusals(role, kind, there, count))
    if seconds > LONGEST:
        public.errors.append(
            f"warren_load_fault_seconds is {seconds:g}, and a fault lasts {LONGEST:g} s at most: ask for less."
        )
    if role == "leader" and count > 1:
        public.errors.append(
            f"warren_load_fault_count is {count}, and a cluster has one leader: ask for 1, or set "
            "warren_load_fault_target to follower or worker."
        )
    if span <= last:
        public.errors.append(
            f"warren_load_create_rate of {create_rate:g} creates {services} services within {span:.0f} s, and the "
            f"fault is over only after {last:.0f} s, so no write would follow it: ask for less than "
            f"{services / last:.2g}, or leave it out."
        )
    return {
        "role": role,
        "kind": kind,
        "after": after,
        "seconds": seconds,
        "count": count,
        "noticed": kind in FATAL or seconds * factor >= NODE_DOWN_WITHIN,
        "together": public.flag("warren_load_fault_together"),
        "anyway": anyway,
        "ask": {
            "interface": public.text("warren_load_fault_interface"),
            "loss": public.number("warren_load_fault_loss"),
            "offset": public.number("warren_load_fault_offset"),
            "memory": public.whole("warren_load_fault_memory", 0, smallest=0),
            "bytes_per_second": public.whole("warren_load_fault_disk_rate", 0, smallest=0),
            "iops": public.whole("warren_load_fault_disk_iops", 0, smallest=0),
        },
        "last": last,
        "span": span,
        "create_rate": services / span,
        "probe_rate": public.number("warren_load_probe_rate"),
    }


def recovering(fault: dict[str, t.Any], factor: float, scheduling: float) -> tuple[float, float]:
    """Seconds from the end of the creates until all is well again, or is known not to be; shortest and longest."""
    silent = fault["kind"] in SILENCING
    hit = fault["after"] + (fault["count"] - 1) * fault["seconds"]  # the last of them
    known = hit + (KNOWN / factor if silent else 0.0) - fault["span"]
    return max(0.0, known), max(0.0, known) + LATER / factor + scheduling


def what(fault: dict[str, t.Any]) -> str:
    """The fault in words, for the plan: whom, what, when and for how long."""
    whom = {"leader": "who leads by then", "follower": "a follower", "worker": "the worker that holds most containers"}
    one = whom[fault["role"]]
    if fault["count"] > 1:
        one = f"{fault['count']} {fault['role']}s, one after another"
    lasts = "for good" if fault["kind"] in FATAL else f"for {fault['seconds']:g} s"
    return f"{fault['kind']} of {one}, {fault['after']:g} s after the first create, {lasts}"


def meaning(fault: dict[str, t.Any]) -> list[str]:
    """What that means for the cluster, as sentences."""
    found = []
    if fault["role"] == "leader" and fault["kind"] in SILENCING:
        found.append(
            "Without its leader the cluster refuses writes until another manager leads, in 1 to 3 s. Workers stay with "
            "the manager that they know: 30 to 40 s later all are taken for down, their containers fail, and nothing "
            "replaces them."
        )
    elif fault["role"] == "worker" and fault["kind"] in SILENCING and not fault["noticed"]:
        found.append(
            "Warren takes a worker for down 30 to 40 s after its last heartbeat, so it will not notice so short a "
            "fault: give a longer one with warren_load_fault_seconds to see what it does."
        )
    elif fault["role"] == "worker" and fault["kind"] in SILENCING:
        found.append(
            "Warren takes a worker for down 30 to 40 s after its last heartbeat, and places containers on it until "
            "then; its replicas run elsewhere after 30 to 53 s."
        )
    if fault["kind"] in FATAL:
        found.append(
            "Who is killed comes back at the end of the run if the cluster is ours and stays: a manager joins again "
            "with a clean directory, and workers start again."
        )
    else:
        found.append(
            "The fault is undone in any case, by a watchdog on the host: after its time, on Ctrl-C, and within 30 s "
            "once this controller is gone."
        )
    return found


def candidates(
    fault: dict[str, t.Any],
    samplers: list[dict[str, t.Any]],
    nodes: list[str],
    managers: list[dict[str, t.Any]],
    shares_kernel: t.Callable[[str], bool],
) -> list[dict[str, t.Any]]:
    """Those that the fault may hit: ``{name, host, dir, ask}``.

    ``dir`` is the folder of the host's faults, ``ask`` what M(fault) is told; ``nodes``: the names of the managers or
    workers that are meant.
    """
    names, api, raft = ([row[key] for row in managers] for key in ("name", "api_address", "raft_address"))
    found = []
    for sampler in samplers:
        base = posixpath.dirname(posixpath.dirname(sampler["dir"]))
        for process in sampler["processes"]:
            if process["name"] not in nodes or "pid_file" not in process:
                continue
            ask = {
                **fault["ask"],
                "kind": fault["kind"],
                "target": process["name"],
                "pid_file": process["pid_file"],
                # A manager calls the others, whose ports may be other ones; a worker calls the managers' API alone.
                "addresses": api + raft if process["name"] in names else api,
                "path": posixpath.dirname(process["pid_file"]),
                "shares_kernel": shares_kernel(sampler["host"]),
                "anyway": fault["anyway"],
                "together": fault["together"],
            }
            found.append({"name": process["name"], "host": sampler["host"], "dir": f"{base}/faults", "ask": ask})
    return found


def unfair(fault: dict[str, t.Any], generator: str) -> t.Iterator[str]:
    """A sentence if the load would be hit with whom the fault is for: it would be the generator that is measured."""
    names = [one["name"] for one in fault["candidates"] if one["host"] == generator]
    if names and fault["kind"] in OF_THE_HOST and not fault["anyway"]:
        yield (
            f"The load is sent from the host of {' and '.join(names)}, which fault {fault['kind']} would hit as well: "
            f"put another host into the group generators, or {ANYWAY}."
        )


def _refusals(role: str, kind: str, there: int, count: int) -> t.Iterator[str]:
    if role == "worker":
        if there <= count:
            yield (
                f"Not enough workers are left: fault {kind} of {count} leaves {there - count} of {there}, so their "
                f"containers can go nowhere; start more workers (workers), or {ANYWAY}."
            )
    elif there == 1:
        yield (
            f"The cluster has one manager, and fault {kind} of it leaves nobody to take over: start 3 managers "
            f"(managers, in the sandbox warren_load_managers), or {ANYWAY}."
        )
    elif kind in FATAL and there - count < there // 2 + 1:
        yield (
            f"Fault {kind} of {count} leaves {there - count} of {there} managers, and {there // 2 + 1} are the least "
            "that can elect a leader: the cluster could never be written again, as killed managers stay voters for "
            f"ever; start more managers, or {ANYWAY}."
        )
