# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The schema against facts/warren.md 3.4: counts, numbers and the bytes on the wire."""

from __future__ import annotations

import pytest

from ansible_collections.warren.load.plugins.module_utils.api import schema
from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect


def test_it_has_every_message_and_rpc_of_v1_6_0() -> None:
    assert len(schema.file_descriptor().message_type) == 102
    assert len(schema.METHODS) == 39
    for method in schema.METHODS.values():
        schema.message(method.request)
        schema.message(method.response)


def test_a_request_has_the_bytes_that_protoc_gives() -> None:
    request = schema.message("CreateServiceRequest")(name="x", replicas=3, env={"a": "b"}, health_check={"type": 1})
    assert request.SerializeToString(deterministic=True).hex() == "0a01781803" + "3a020801" + "62060a0161120162"


def test_timestamps_are_those_of_protobuf() -> None:
    node = schema.message("Node").FromString(bytes.fromhex("3a060880e2cfaa06"))  # last_heartbeat, field 7
    assert node.last_heartbeat.seconds == 1_700_000_000


def test_a_name_the_schema_lacks_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        schema.message("Task")


def test_dialects_differ_in_four_names_and_fourteen_missing_rpcs() -> None:
    renamed = {name for name in schema.METHODS if Dialect.TASKS.wire_name(name) != name}
    assert renamed == {"ListContainers", "GetContainer", "UpdateContainerStatus", "WatchContainers"}
    assert len(Dialect.TASKS.methods()) == 25
    assert len(Dialect.CONTAINERS.methods()) == 39
    assert Dialect.TASKS.path("ListContainers") == "/warren.v1.WarrenAPI/ListTasks"
    assert Dialect.CONTAINERS.path("ListContainers") == "/warren.v1.WarrenAPI/ListContainers"
    assert not Dialect.TASKS.supports("RequestCertificate")
    assert not Dialect.CONTAINERS.supports("ListTasks")
