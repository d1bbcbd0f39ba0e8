# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The replicated state: tables in id order, indexes, encoded lists, snapshots."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from warren_simulator.store import MESSAGES, Store, field_one, set_time, time_of

IDS = st.text("abcXYZ09-", min_size=1, max_size=3)
STATES = st.sampled_from(("pending", "running", "failed", "complete"))


def container(record_id: str, node: str = "worker-1", service: str = "s", **fields: str) -> tuple[str, str, bytes]:
    record = message("Container")(id=record_id, node_id=node, service_id=service, **fields)
    return "put", "containers", record.SerializeToString()


COMMANDS = st.one_of(
    st.builds(container, IDS, IDS, IDS),
    st.builds(lambda each: ("put", "services", message("Service")(id=each, name=each[0]).SerializeToString()), IDS),
    st.builds(lambda each: ("put", "nodes", message("Node")(id=each, status="down").SerializeToString()), IDS),
    st.builds(lambda kind, each: ("delete", kind, each), st.sampled_from(sorted(MESSAGES)), IDS),
    st.builds(lambda each, now: ("beat", each, now, None), IDS, st.integers(0, 2**62)),
    st.builds(lambda each, state: ("states", [(each, state, "r")]), IDS, STATES),
    st.builds(lambda each: ("steer", each, "shutdown", "", ""), IDS),
    st.builds(lambda each, well: ("health", each, well, "x"), IDS, st.booleans()),
    st.builds(lambda each: ("server", each, f"127.0.0.1:{len(each)}"), IDS),
)


@settings(max_examples=60)
@given(st.lists(COMMANDS, max_size=30))
def test_lists_and_snapshots_are_what_the_records_are(commands):
    store = Store()
    for command in commands:
        store.apply(command)
        store.containers.list()  # fill the caches on the way: they must not go stale
        store.containers.list_of_node("a")
    copy = Store()
    copy.load(store.dump())
    for kind in MESSAGES:
        table = store.table(kind)
        ids = [record.id for record in table]
        assert ids == sorted(ids)
        assert table.list() == b"".join(field_one(record.SerializeToString()) for record in table)
        assert copy.table(kind).list() == table.list()
    assert copy.servers == store.servers
    assert copy.unhealthy == store.unhealthy
    reply = message("ListContainersResponse").FromString(store.containers.list())
    for node_id in {each.node_id for each in reply.containers} | {"a"}:
        of_node = message("ListContainersResponse").FromString(store.containers.list_of_node(node_id))
        assert [each.id for each in of_node.containers] == [
            each.id for each in reply.containers if each.node_id == node_id
        ]


def test_of_several_names_the_last_id_counts():
    store = Store()
    for record_id in ("b", "c", "a"):
        store.apply(("put", "services", message("Service")(id=record_id, name="web").SerializeToString()))
    assert store.services.named("web").id == "c"
    store.apply(("delete", "services", "c"))
    assert store.services.named("web").id == "b"
    assert store.services.named("other") is None


def test_renaming_a_record_forgets_its_old_name():
    store = Store()
    store.apply(("put", "services", message("Service")(id="a", name="old").SerializeToString()))
    store.apply(("put", "services", message("Service")(id="a", name="new").SerializeToString()))
    assert store.services.named("old") is None
    assert store.services.named("new").id == "a"


def test_a_heartbeat_makes_a_down_node_ready_and_an_unknown_one_does_nothing():
    store = Store()
    store.apply(("put", "nodes", message("Node")(id="w", status="down").SerializeToString()))
    resources = message("NodeResources")(cpu_cores=7).SerializeToString()
    store.apply(("batch", [("beat", "w", 1_500_000_000, resources), ("beat", "x", 1, None)]))
    node = store.nodes.get("w")
    assert (node.status, node.resources.cpu_cores, time_of(node.last_heartbeat)) == ("ready", 7, 1_500_000_000)
    assert len(store.nodes) == 1


@given(st.integers(0, 2**62))
def test_times_survive_their_message(nanoseconds):
    stamp = message("Node")().last_heartbeat
    set_time(stamp, nanoseconds)
    assert time_of(stamp) == nanoseconds


@given(st.binary(max_size=300))
def test_field_one_is_a_field(content):
    assert message("RequestCertificateResponse").FromString(field_one(content)).certificate == content
