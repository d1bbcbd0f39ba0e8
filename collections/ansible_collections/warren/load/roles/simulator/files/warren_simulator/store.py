# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The replicated state: Warren's tables, and the commands that change them.

Records are protobuf messages of the wire. Every table keeps their encoded form too: a list reply is a join of bytes,
because field 1 of every list reply is its records.
"""

from __future__ import annotations

import bisect
import typing as t

from ansible_collections.warren.load.plugins.module_utils.api.schema import message

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MESSAGES = {
    "nodes": "Node",
    "services": "Service",
    "containers": "Container",
    "secrets": "Secret",
    "volumes": "Volume",
    "ingresses": "Ingress",
    "certificates": "TLSCertificate",
}
LISTS = {
    "nodes": "ListNodesResponse",
    "services": "ListServicesResponse",
    "containers": "ListContainersResponse",
    "secrets": "ListSecretsResponse",
    "volumes": "ListVolumesResponse",
    "ingresses": "ListIngressesResponse",
    "certificates": "ListTLSCertificatesResponse",
}
SECOND = 1_000_000_000  # ns

Command = tuple[t.Any, ...]


def field_one(encoded: bytes) -> bytes:
    """``encoded`` as field 1 of a message: a reply with one record, or a piece of one with many."""
    size = len(encoded)
    head = bytearray(b"\x0a")
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head) + encoded


def set_time(stamp: t.Any, nanoseconds: int) -> None:
    """Set the Timestamp ``stamp`` to ``nanoseconds`` since 1970."""
    stamp.seconds, stamp.nanos = divmod(nanoseconds, SECOND)


def time_of(stamp: t.Any) -> int:
    """The Timestamp ``stamp`` in ns since 1970."""
    return int(stamp.seconds) * SECOND + int(stamp.nanos)


class Table:
    """Records of one kind by id; lists come in byte order of the ids, as from BoltDB."""

    def __init__(self, kind: str) -> None:
        self.message = message(MESSAGES[kind])
        self.records: dict[str, t.Any] = {}
        self._ids: list[str] = []
        self._encoded: dict[str, bytes] = {}
        self._all: bytes | None = None
        self._by_name: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[t.Any]:
        return (self.records[record_id] for record_id in self._ids)

    def get(self, record_id: str) -> t.Any | None:
        """The record of that id."""
        return self.records.get(record_id)

    def named(self, name: str) -> t.Any | None:
        """The record of that name; of several the last in id order, as Warren finds it."""
        ids = self._by_name.get(name)
        return self.records[max(ids)] if ids else None

    def put(self, record: t.Any) -> None:
        """Insert the record, or replace the one with its id."""
        self.delete(record.id)
        bisect.insort(self._ids, record.id)
        self.records[record.id] = record
        if name := getattr(record, "name", ""):
            self._by_name.setdefault(name, set()).add(record.id)
        self.changed(record)

    def delete(self, record_id: str) -> None:
        """Remove the record; nothing happens if there is none."""
        record = self.records.pop(record_id, None)
        if record is None:
            return
        del self._ids[bisect.bisect_left(self._ids, record_id)]
        if name := getattr(record, "name", ""):
            self._by_name[name].discard(record_id)
            if not self._by_name[name]:
                del self._by_name[name]
        self.changed(record)

    def changed(self, record: t.Any) -> None:
        """Forget the encoded forms that ``record`` is in."""
        self._encoded.pop(record.id, None)
        self._all = None

    def encoded(self, record: t.Any) -> bytes:
        """The record as field 1 of a reply."""
        known = self._encoded.get(record.id)
        if known is None:
            known = self._encoded[record.id] = field_one(record.SerializeToString())
        return known

    def list(self) -> bytes:
        """All records as an encoded list reply."""
        if self._all is None:
            self._all = self.join(self)
        return self._all

    def join(self, records: Iterable[t.Any]) -> bytes:
        """``records`` as an encoded list reply."""
        return b"".join(map(self.encoded, records))


class Containers(Table):
    """Container records, indexed by node and by service: a worker's poll must not scan everything."""

    def __init__(self) -> None:
        super().__init__("containers")
        self._of_node: dict[str, set[str]] = {}
        self._of_service: dict[str, set[str]] = {}
        self._node_lists: dict[str, bytes] = {}

    def put(self, record: t.Any) -> None:
        super().put(record)
        self._of_node.setdefault(record.node_id, set()).add(record.id)
        self._of_service.setdefault(record.service_id, set()).add(record.id)

    def delete(self, record_id: str) -> None:
        record = self.records.get(record_id)
        if record is not None:
            for index, key in ((self._of_node, record.node_id), (self._of_service, record.service_id)):
                index[key].discard(record_id)
                if not index[key]:
                    del index[key]
        super().delete(record_id)

    def changed(self, record: t.Any) -> None:
        super().changed(record)
        self._node_lists.pop(record.node_id, None)

    def of_service(self, service_id: str) -> list[t.Any]:
        """Records of a service in id order."""
        return [self.records[record_id] for record_id in sorted(self._of_service.get(service_id, ()))]

    def of_node(self, node_id: str) -> list[t.Any]:
        """Records of a node in id order."""
        return [self.records[record_id] for record_id in sorted(self._of_node.get(node_id, ()))]

    def list_of_node(self, node_id: str) -> bytes:
        """A node's records as an encoded list reply."""
        known = self._node_lists.get(node_id)
        if known is None:
            known = self.join(self.of_node(node_id))
            if known:
                self._node_lists[node_id] = known
        return known


class Store:
    """All tables, and ``servers``: node id to Raft address, in the order of joining.

    ``apply`` is the only way in. It is deterministic: ids and times come with the command.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Empty everything."""
        self.nodes = Table("nodes")
        self.services = Table("services")
        self.containers = Containers()
        self.secrets = Table("secrets")
        self.volumes = Table("volumes")
        self.ingresses = Table("ingresses")
        self.certificates = Table("certificates")
        self.servers: dict[str, str] = {}
        self.unhealthy: dict[str, str] = {}  # container id: the message of the check that failed

    def table(self, kind: str) -> Table:
        """The table of that kind, one of MESSAGES."""
        return t.cast(Table, getattr(self, kind))

    def apply(self, command: Command) -> None:
        """Execute one command: its operation and arguments, of which there is a method each below."""
        getattr(self, f"_{command[0]}")(*command[1:])

    def _batch(self, commands: list[Command]) -> None:
        for command in commands:
            self.apply(command)

    def _noop(self) -> None:
        pass

    def _put(self, kind: str, encoded: bytes) -> None:
        table = self.table(kind)
        table.put(table.message.FromString(encoded))

    def _delete(self, kind: str, record_id: str) -> None:
        self.table(kind).delete(record_id)
        if kind == "containers":
            self.unhealthy.pop(record_id, None)

    def _server(self, node_id: str, address: str) -> None:
        self.servers[node_id] = address

    def _beat(self, node_id: str, now: int, resources: bytes | None) -> None:
        node = self.nodes.get(node_id)
        if node is None:
            return
        set_time(node.last_heartbeat, now)
        node.status = "ready"
        if resources is not None:
            node.resources.ParseFromString(resources)
        self.nodes.changed(node)

    def _node_status(self, node_id: str, status: str) -> None:
        node = self.nodes.get(node_id)
        if node is not None:
            node.status = status
            self.nodes.changed(node)

    def _states(self, states: list[tuple[str, str, str]]) -> None:
        """(container id, actual state, runtime id): as a worker reports them."""
        for container_id, actual, runtime_id in states:
            container = self.containers.get(container_id)
            if container is not None:
                container.actual_state = actual
                container.runtime_container_id = runtime_id
                self.containers.changed(container)

    def _steer(self, container_id: str, desired: str, actual: str, error: str) -> None:
        """Set what a control loop wants; "" leaves a field as it is."""
        container = self.containers.get(container_id)
        if container is None:
            return
        container.desired_state = desired or container.desired_state
        container.actual_state = actual or container.actual_state
        container.error = error or container.error
        self.containers.changed(container)

    def _health(self, container_id: str, healthy: bool, text: str) -> None:
        if healthy:
            self.unhealthy.pop(container_id, None)
        elif self.containers.get(container_id) is not None:
            self.unhealthy[container_id] = text

    def dump(self) -> dict[str, t.Any]:
        """Everything, for a snapshot."""
        tables = {kind: self.table(kind).list() for kind in MESSAGES}
        return {"tables": tables, "servers": self.servers, "unhealthy": self.unhealthy}

    def load(self, dump: dict[str, t.Any]) -> None:
        """Replace everything by what ``dump`` gave."""
        self.clear()
        for kind, encoded in dump["tables"].items():
            table = self.table(kind)
            for record in getattr(message(LISTS[kind]).FromString(encoded), kind):
                table.put(table.message.FromString(record.SerializeToString()))  # its own: not a part of the list
        self.servers.update(dump["servers"])
        self.unhealthy.update(dump["unhealthy"])
