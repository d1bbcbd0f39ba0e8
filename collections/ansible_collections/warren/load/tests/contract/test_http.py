# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP listener: metrics, health, profiles (5)."""

from __future__ import annotations

import gzip
import json
import re
import time
import typing as t

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.tests.support.worlds import World

BUCKETS = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"]
EVERYWHERE = {
    "warren_services_total": "gauge",
    "warren_secrets_total": "gauge",
    "warren_volumes_total": "gauge",
    "warren_raft_is_leader": "gauge",
    "warren_raft_peers_total": "gauge",
    "warren_raft_log_index": "gauge",
    "warren_raft_applied_index": "gauge",
    "warren_scheduling_latency_seconds": "histogram",
    "process_resident_memory_bytes": "gauge",
    "process_cpu_seconds_total": "counter",
    "process_open_fds": "gauge",
    "process_start_time_seconds": "gauge",
    "go_goroutines": "gauge",
}
BY_DIALECT = {
    Dialect.TASKS: {"warren_tasks_scheduled_total": "counter", "warren_tasks_failed_total": "counter"},
    Dialect.CONTAINERS: {
        "warren_containers_scheduled_total": "counter",
        "warren_containers_failed_total": "counter",
        "warren_service_create_duration_seconds": "histogram",
        "warren_service_update_duration_seconds": "histogram",
        "warren_service_delete_duration_seconds": "histogram",
        "warren_container_create_duration_seconds": "histogram",
        "warren_container_start_duration_seconds": "histogram",
        "warren_container_stop_duration_seconds": "histogram",
        "warren_raft_apply_duration_seconds": "histogram",
        "warren_raft_commit_duration_seconds": "histogram",
        "warren_reconciliation_duration_seconds": "histogram",
        "warren_reconciliation_cycles_total": "counter",
        "warren_ingress_create_duration_seconds": "histogram",
        "warren_ingress_update_duration_seconds": "histogram",
    },
}
NEVER_FED_VECTORS = (
    "warren_api_requests_total",
    "warren_api_request_duration_seconds",
    "warren_ingress_requests_total",
    "warren_ingress_request_duration_seconds",
    "warren_raft_leader",
    "warren_raft_peers",
)


class Metrics(t.NamedTuple):
    """``types`` by family; ``samples`` by name and labels as written: ``warren_tasks_total{state="running"}``."""

    types: dict[str, str]
    samples: dict[str, float]


def scrape(world: World, manager: str = "manager-1") -> Metrics:
    reply = world.nodes[manager].http("/metrics")
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/plain")
    types, samples = {}, {}
    for line in reply.body.decode().splitlines():
        if line.startswith("# TYPE "):
            _hash, _type, name, kind = line.split(" ")
            types[name] = kind
        elif not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            samples[name] = float(value)
    return Metrics(types, samples)


def containers_metric(world: World, state: str) -> str:
    thing = "tasks" if world.dialect is Dialect.TASKS else "containers"
    return f'warren_{thing}_total{{state="{state}"}}'


def test_names_types_and_buckets(world: World) -> None:
    metrics = scrape(world)
    for name, kind in {**EVERYWHERE, **BY_DIALECT[world.dialect]}.items():
        assert metrics.types.get(name) == kind, name
        if kind == "histogram":
            buckets = [key for key in metrics.samples if key.startswith(f"{name}_bucket")]
            assert [each for key in buckets for each in re.findall(r'le="([^"]+)"', key)] == BUCKETS
            assert {f"{name}_sum", f"{name}_count"} <= metrics.samples.keys()
        else:
            assert name in metrics.samples, name
    for name in NEVER_FED_VECTORS:
        assert name not in metrics.types, name
    other = Dialect.CONTAINERS if world.dialect is Dialect.TASKS else Dialect.TASKS
    assert not BY_DIALECT[other].keys() & metrics.types.keys()
    assert metrics.samples["process_resident_memory_bytes"] > 5 << 20


def test_gauges_follow_every_15_s_and_vanished_states_keep_their_value(world: World) -> None:
    observer = world.http_names[0]  # every manager counts, from its own store

    def sample(name: str) -> float | None:
        return scrape(world, observer).samples.get(name)

    pending, running = containers_metric(world, "pending"), containers_metric(world, "running")
    with world.workers("m-1") as (worker,), world.service(3) as service:
        world.eventually(lambda: len(world.containers(service.id)) == 3, 5, "records")
        services = len(world.api.read("ListServices").services)
        world.eventually(lambda: sample("warren_services_total") == services, 15, "the service is counted")
        world.eventually(lambda: sample(pending) == 3, 15, "pending ones are counted")
        nodes = 'warren_nodes_total{role="worker",status="ready"}'

        def ready() -> int:
            return sum(node.status == "ready" for node in world.api.read("ListNodes").nodes)

        # One of an earlier test may just go down, which is counted 15 s later.
        world.eventually(lambda: sample(nodes) == ready(), 16, "ready nodes are counted")
        worker.report({record.id: "running" for record in world.containers(service.id)})
        world.eventually(lambda: sample(running) == 3, 15, "running ones are counted")
        assert sample(pending) == 3  # stale: nobody resets what vanished


def test_raft_gauges(world: World) -> None:
    leader = world.api.leader()
    world.eventually(
        lambda: (
            [scrape(world, name).samples["warren_raft_is_leader"] for name in world.http_names]
            == [float(name == leader) for name in world.http_names]
        ),
        15,
        "one leader in the metrics",
    )
    samples = scrape(world).samples
    if world.dialect is Dialect.CONTAINERS:
        assert samples["warren_raft_peers_total"] == len(world.nodes)
    else:
        assert samples["warren_raft_peers_total"] == 1  # constant there
    assert samples["warren_raft_log_index"] >= samples["warren_raft_applied_index"] > 0


@pytest.mark.containers
def test_histograms_of_service_calls_and_commits_grow(world: World) -> None:
    names = [f"warren_service_{verb}_duration_seconds_count" for verb in ("create", "update", "delete")]
    names += ["warren_raft_commit_duration_seconds_count", "warren_raft_apply_duration_seconds_count"]
    before = scrape(world).samples
    with world.service() as service:
        world.api.write("UpdateService", id=service.id, replicas=2)
    after = scrape(world).samples
    for name in names:
        assert after[name] > before[name], name


@pytest.mark.containers
def test_health(world: World) -> None:
    health, ready, live = (world.first.http(path) for path in ("/health", "/ready", "/live"))
    for reply in (health, ready, live):
        assert reply.status == 200
        assert reply.headers["content-type"].startswith("application/json")
    body = json.loads(health.body)
    assert body["status"] == "healthy"
    assert body["components"] == {"api": "healthy", "containerd": "healthy", "raft": "healthy"}
    assert body["version"] == "1.1.0"
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", body["timestamp"])
    assert re.fullmatch(r"(\d+h)?(\d+m)?[\d.]+(ns|µs|ms|s)", body["uptime"])
    body = json.loads(ready.body)
    assert body["status"] == "ready"
    assert body["components"] == dict.fromkeys(("api", "containerd", "raft"), "ready")
    body = json.loads(live.body)
    assert body["status"] == "alive"
    assert body["uptime"]


@pytest.mark.tasks
def test_there_is_no_health(world: World) -> None:
    assert [world.first.http(path).status for path in ("/health", "/ready", "/live")] == [404] * 3


def test_any_method_and_unknown_paths(world: World) -> None:
    assert world.first.http("/metrics", "POST").status == 200
    assert world.first.http("/no-such-path").status == 404


def fields(data: bytes) -> t.Iterator[tuple[int, int | bytes]]:
    """The fields of an encoded protobuf message: (number, integer or bytes)."""
    position = 0

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    while position < len(data):
        key = varint()
        number, wire = key >> 3, key & 7
        if wire == 0:
            yield number, varint()
        elif wire == 2:
            length = varint()
            assert position + length <= len(data)
            yield number, data[position : position + length]
            position += length
        else:
            width = {1: 8, 5: 4}[wire]
            yield number, data[position : position + width]
            position += width


def test_the_heap_profile_is_a_pprof_file(world: World) -> None:
    """profile.proto: 1 sample_type {1 type, 2 unit}, 2 sample {1 ids, 2 values}, 4 location, 5 function, 6 string."""
    assert world.first.http("/debug/pprof/").status == 200
    reply = world.first.http("/debug/pprof/heap")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.body[:2] == b"\x1f\x8b"
    parts: dict[int, list[t.Any]] = {}
    for number, value in fields(gzip.decompress(reply.body)):
        parts.setdefault(number, []).append(value)
    strings = [text.decode() for text in parts[6]]
    assert strings[0] == ""

    def integers(value: int | bytes) -> list[int]:
        if isinstance(value, int):
            return [value]
        found, shift, current = [], 0, 0
        for byte in value:
            current |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                found.append(current)
                shift = current = 0
        return found

    kinds = [{number: strings[t.cast(int, value)] for number, value in fields(kind)} for kind in parts[1]]
    assert [(kind[1], kind[2]) for kind in kinds] == [
        ("alloc_objects", "count"),
        ("alloc_space", "bytes"),
        ("inuse_objects", "count"),
        ("inuse_space", "bytes"),
    ]
    locations = {dict(fields(location))[1] for location in parts[4]}
    functions = {dict(fields(function))[1] for function in parts[5]}
    assert functions
    for sample in parts[2]:
        ids = [each for number, value in fields(sample) if number == 1 for each in integers(value)]
        values = [each for number, value in fields(sample) if number == 2 for each in integers(value)]
        assert len(values) == 4
        assert set(ids) <= locations
    total = sum(
        integers(value)[3] if isinstance(value, bytes) else 0
        for sample in parts[2]
        for number, value in fields(sample)
        if number == 2
    )
    assert total > 0


def test_the_heap_as_text_says_how_much_is_held(world: World) -> None:
    """Its lines on Go's memory, of which our footprint reads these two."""
    text = world.first.http("/debug/pprof/heap?gc=1&debug=1").body.decode()
    assert text.startswith("heap profile: ")
    for name in ("HeapAlloc", "HeapObjects"):
        assert re.search(rf"^# {name} = [1-9]\d*$", text, re.MULTILINE), name


def test_goroutines_and_a_cpu_profile(world: World) -> None:
    for path in ("/debug/pprof/goroutine?debug=1", "/debug/pprof/allocs"):
        assert world.first.http(path).status == 200, path
    started = time.monotonic()
    reply = world.first.http("/debug/pprof/profile?seconds=1")
    assert reply.status == 200
    assert time.monotonic() - started > 0.9
    assert gzip.decompress(reply.body)
