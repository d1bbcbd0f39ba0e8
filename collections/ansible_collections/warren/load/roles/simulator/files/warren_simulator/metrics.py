# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warren's Prometheus metrics: names, types, labels and buckets of facts/warren.md 5.3."""

from __future__ import annotations

import bisect
import os
import resource
import sys
import threading
import time
import typing as t
from pathlib import Path

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
DEPLOYMENT_BUCKETS = (1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)

Labels = tuple[tuple[str, str], ...]


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _series(name: str, labels: Labels, value: float) -> str:
    inner = ",".join(f'{key}="{text}"' for key, text in labels)
    return f"{name}{{{inner}}} {_number(value)}" if inner else f"{name} {_number(value)}"


class Histogram:
    """A Prometheus histogram without labels (but ``labels`` when rendered)."""

    def __init__(self, buckets: tuple[float, ...] = BUCKETS) -> None:
        self.buckets = buckets
        self.counts = [0] * (len(buckets) + 1)
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one observation."""
        self.counts[bisect.bisect_left(self.buckets, seconds)] += 1
        self.sum += seconds

    def render(self, name: str, labels: Labels = ()) -> list[str]:
        """The lines of the text format."""
        lines = []
        seen = 0
        for limit, count in zip((*map(_number, self.buckets), "+Inf"), self.counts, strict=True):
            seen += count
            lines.append(_series(f"{name}_bucket", (*labels, ("le", limit)), seen))
        return [*lines, _series(f"{name}_sum", labels, self.sum), _series(f"{name}_count", labels, seen)]


_GAUGES = """
warren_raft_is_leader warren_raft_peers_total warren_raft_log_index warren_raft_applied_index
warren_services_total warren_secrets_total warren_volumes_total
"""
_HISTOGRAMS_SINCE_V1_1 = """
warren_raft_commit_duration_seconds warren_raft_apply_duration_seconds
warren_service_create_duration_seconds warren_service_update_duration_seconds warren_service_delete_duration_seconds
warren_container_create_duration_seconds warren_container_start_duration_seconds
warren_container_stop_duration_seconds warren_ingress_create_duration_seconds
warren_ingress_update_duration_seconds warren_reconciliation_duration_seconds
"""


class Metrics:
    """All metrics of one manager. Gauges keep what they were last set to: a state that vanished keeps its number."""

    def __init__(self, dialect: Dialect) -> None:
        self.noun = "tasks" if dialect is Dialect.TASKS else "containers"
        self.gauges: dict[tuple[str, Labels], float] = {(name, ()): 0 for name in _GAUGES.split()}
        self.counters: dict[tuple[str, Labels], float] = {
            (f"warren_{self.noun}_scheduled_total", ()): 0,
            (f"warren_{self.noun}_failed_total", ()): 0,
        }
        self.histograms: dict[tuple[str, Labels], Histogram] = {("warren_scheduling_latency_seconds", ()): Histogram()}
        self.fed = dialect is not Dialect.TASKS  # older servers have fewer metrics, and feed fewer of these
        if self.fed:
            self.counters["warren_reconciliation_cycles_total", ()] = 0
            self.histograms.update({(name, ()): Histogram() for name in _HISTOGRAMS_SINCE_V1_1.split()})
        self.scrapes = 0
        self._started = time.time()

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        self.gauges[name, tuple(sorted(labels.items()))] = value

    def count(self, name: str, **labels: str) -> None:
        """Add one to a counter."""
        key = name, tuple(sorted(labels.items()))
        self.counters[key] = self.counters.get(key, 0) + 1

    def observe(self, name: str, seconds: float) -> None:
        """Observe in a histogram; nothing happens where this dialect's servers do not have or feed it."""
        histogram = self.histograms.get((name, ()))
        if histogram is not None and self.fed:
            histogram.observe(seconds)

    def observe_deployment(self, strategy: str, status: str, seconds: float) -> None:
        """Count an image update."""
        self.count("warren_deployments_total", strategy=strategy, status=status)
        key = "warren_deployment_duration_seconds", (("strategy", strategy),)
        self.histograms.setdefault(key, Histogram(DEPLOYMENT_BUCKETS)).observe(seconds)

    def render(self) -> str:
        """The text format, sorted by name; called from another thread than the one that feeds."""
        self.scrapes += 1
        families: dict[str, tuple[str, list[str]]] = {}
        for kind, values in (("gauge", dict(self.gauges)), ("counter", dict(self.counters))):
            for (name, labels), value in values.items():
                families.setdefault(name, (kind, []))[1].append(_series(name, labels, value))
        for (name, labels), histogram in dict(self.histograms).items():
            families.setdefault(name, ("histogram", []))[1].extend(histogram.render(name, labels))
        for name, (kind, value) in self._process().items():
            families[name] = (kind, [_series(name, (), value)])
        handler = "promhttp_metric_handler_requests_total"
        families[handler] = ("counter", [_series(handler, (("code", "200"),), self.scrapes - 1)])
        lines = []
        for name, (kind, series) in sorted(families.items()):
            lines += [f"# HELP {name} {_help(name)}", f"# TYPE {name} {kind}", *series]
        return "\n".join(lines) + "\n"

    def _process(self) -> dict[str, tuple[str, float]]:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        values: dict[str, tuple[str, float]] = {
            "warren_simulator_info": ("gauge", 1),
            "go_goroutines": ("gauge", threading.active_count()),
            "process_cpu_seconds_total": ("counter", round(usage.ru_utime + usage.ru_stime, 2)),
            "process_resident_memory_bytes": ("gauge", resident_bytes()),
            "process_start_time_seconds": ("gauge", self._started),
            "process_max_fds": ("gauge", resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
            "promhttp_metric_handler_requests_in_flight": ("gauge", 1),
        }
        if os.path.isdir("/proc/self/fd"):
            values["process_open_fds"] = ("gauge", len(os.listdir("/proc/self/fd")))
        return values


_HELPS = {
    "warren_simulator_info": "This is the warren.load simulator, not Warren",
    "go_goroutines": "Threads of the simulator (it has no goroutines)",
    "warren_services_total": "Total number of services",
    "warren_nodes_total": "Total number of nodes by role and status",
    "warren_raft_is_leader": "Whether this node is the Raft leader (1 = leader, 0 = follower)",
    "process_resident_memory_bytes": "Resident memory size in bytes.",
}


def _help(name: str) -> str:
    return _HELPS.get(name, name.replace("_", " "))


def resident_bytes() -> int:
    """This process's resident memory; where there is no /proc, its highest so far."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    except (OSError, ValueError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def collect(metrics: Metrics, manager: t.Any) -> None:
    """Refresh the gauges from a manager (manager.Manager), as Warren does every 15 s."""
    store = manager.store
    nodes: dict[tuple[str, str], int] = {}
    for node in store.nodes:
        nodes[node.role, node.status] = nodes.get((node.role, node.status), 0) + 1
    for (role, status), number in nodes.items():
        metrics.set("warren_nodes_total", number, role=role, status=status)
    states: dict[str, int] = {}
    for service in store.services:  # containers of services that are gone are not counted
        for container in store.containers.of_service(service.id):
            states[container.actual_state] = states.get(container.actual_state, 0) + 1
    for state, number in states.items():
        metrics.set(f"warren_{metrics.noun}_total", number, state=state)
    for kind in ("services", "secrets", "volumes"):
        metrics.set(f"warren_{kind}_total", len(store.table(kind)))
    metrics.set("warren_raft_is_leader", float(manager.replica.is_leader))
    metrics.set("warren_raft_peers_total", len(store.servers) if metrics.fed else 1)
    metrics.set("warren_raft_log_index", manager.replica.log_index)
    metrics.set("warren_raft_applied_index", manager.replica.applied_index)
