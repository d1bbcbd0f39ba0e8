# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small parts: defects, costs, tokens, certificates, metrics, health, profiles, the command line."""

from __future__ import annotations

import asyncio
import gc
import gzip
import types
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from warren_simulator import (
    __version__,
    certificates,
    cli,
    costs,
    defects,
    http_server,
    metrics,
    options,
    profiles,
    raft,
    tokens,
)
from warren_simulator.clock import Clock


def test_defects_are_read_with_and_without_a_number():
    found = defects.parse_defects(["crash=7", "slow-list"], ["orphans"])
    assert found.number("crash") == 7
    assert found.number("slow-list") == defects.DEFECTS["slow-list"][0]
    assert "leak" not in found
    assert found.hits("crash", 14)
    assert not found.hits("crash", 13)
    assert not found.hits("leak", 1)


@pytest.mark.parametrize(
    ("texts", "repairs", "sentence"),
    [(["nonsense"], [], "--defect nonsense"), (["crash=x"], [], "'x' is not a number"), ([], ["all"], "--repair all")],
)
def test_wrong_defects_are_named(texts, repairs, sentence):
    with pytest.raises(ValueError, match=sentence):
        defects.parse_defects(texts, repairs)


def test_measured_commits_cost_a_round_for_a_batch_and_an_apply_each(monkeypatch):
    paid = []

    async def main():
        model = costs.MeasuredCosts(costs.Rates(round=1.0, apply=0.5), Clock(1000))

        async def pay(milliseconds):
            paid.append(milliseconds)

        monkeypatch.setattr(model, "_pay", pay)

        async def nothing():
            return None

        await model.commit(nothing)
        await asyncio.gather(*(model.commit(nothing) for _number in range(3)))

    asyncio.run(main())
    assert paid == [1.5, 2.5]


def test_scanning_without_end_makes_everything_slow():
    async def main():
        model = costs.MeasuredCosts(costs.THREE_MANAGERS, Clock(1000))
        before = model.slowness()
        model._scanned = 1000.0
        return before, model.slowness()

    assert asyncio.run(main()) == (1.0, 1 + costs.CONTENTION)


def test_tokens_have_a_role_until_they_expire(monkeypatch):
    known = tokens.Tokens()
    token = known.generate("worker")
    assert len(token.text) == 64
    assert int(token.text, 16) >= 0
    assert known.role(token.text) == "worker"
    with pytest.raises(ValueError, match=r"^invalid token$"):
        tokens.Tokens().role(token.text)
    monkeypatch.setattr("time.time", lambda: token.expires + 1)
    with pytest.raises(ValueError, match=r"^token expired$"):
        known.role(token.text)


def test_certificates_have_warrens_profile(tmp_path):
    authority = certificates.Authority()
    issued = authority.issue_to_manager("manager-1", "127.0.0.1")
    certificates.write(tmp_path / "x", issued)
    assert certificates.read(tmp_path / "x") == issued
    assert ((tmp_path / "x" / "node.key").stat().st_mode & 0o777) == 0o600
    root = x509.load_pem_x509_certificate(issued.root)
    leaf = x509.load_pem_x509_certificate(issued.certificate)
    assert leaf.subject.rfc4514_string() == "CN=manager-manager-1,O=Warren Cluster"
    assert leaf.issuer == root.subject
    sans = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert sans.get_values_for_type(x509.DNSName) == ["manager-manager-1", "localhost"]
    assert [str(ip) for ip in sans.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 1
    leaf.verify_directly_issued_by(root)
    assert issued.key.startswith(b"-----BEGIN RSA PRIVATE KEY-----")
    assert load_pem_private_key(issued.key, None).public_key() == leaf.public_key()
    client = x509.load_pem_x509_certificate(authority.issue_to_client("cli", "worker").certificate)
    assert "CN=worker-cli" in client.subject.rfc4514_string()
    with pytest.raises(x509.ExtensionNotFound):
        client.extensions.get_extension_for_class(x509.SubjectAlternativeName)


def test_a_host_name_gives_no_ip_name():
    leaf = x509.load_pem_x509_certificate(certificates.Authority().issue_to_manager("m", "host").certificate)
    sans = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert not sans.get_values_for_type(x509.IPAddress)


def test_metrics_are_those_of_the_dialect():
    older, newer = (metrics.Metrics(dialect) for dialect in (Dialect.TASKS, Dialect.CONTAINERS))
    for each in (older, newer):
        each.observe("warren_scheduling_latency_seconds", 0.5)  # a limit belongs to its bucket
        each.set("warren_nodes_total", 2, role="worker", status="ready")
    assert "warren_tasks_scheduled_total 0" in older.render()
    assert "warren_scheduling_latency_seconds_count 0" in older.render()
    assert "warren_raft_commit_duration_seconds" not in older.render()
    text = newer.render()
    assert 'warren_scheduling_latency_seconds_bucket{le="0.25"} 0' in text
    assert 'warren_scheduling_latency_seconds_bucket{le="0.5"} 1' in text
    assert 'warren_scheduling_latency_seconds_bucket{le="+Inf"} 1' in text
    assert 'warren_nodes_total{role="worker",status="ready"} 2' in text
    assert "not Warren" in text
    assert "warren_api_requests_total" not in text


def test_health_says_who_is_waited_for():
    health = http_server.Health()
    health.register("raft", True, "")
    health.register("api", False, "initializing")
    assert health.health()[0] == 503
    assert health.health()[1]["components"] == {"api": "unhealthy: initializing", "raft": "healthy"}
    status, body = health.ready()
    assert (status, body["status"], body["message"]) == (503, "not_ready", "waiting for containerd initialization")
    for component in http_server.COMPONENTS:
        health.register(component, True, "")
    assert (health.health()[0], health.ready()[0], health.live()[0]) == (200, 200, 200)
    assert "message" not in health.ready()[1]


def fields_of(encoded):
    """[(field number, value)] of a protobuf message, of varints and bytes."""
    found, position = [], 0

    def varint():
        nonlocal position
        value = shift = 0
        while True:
            byte = encoded[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < len(encoded):
        key = varint()
        if key & 7 == 2:
            size = varint()
            found.append((key >> 3, encoded[position : position + size]))
            position += size
        else:
            assert key & 7 == 0
            found.append((key >> 3, varint()))
    return found


def test_a_profile_is_a_protobuf_with_its_strings():
    stack = (("inner", "a.py", 3), ("outer", "a.py", 9))
    fields = fields_of(gzip.decompress(profiles.encode([("space", "bytes")], [(stack, (300,))], period=("s", "b", 1))))
    strings = [value.decode() for number, value in fields if number == 6]
    assert strings[0] == ""
    assert {"inner", "outer", "a.py", "space", "bytes"} <= set(strings)
    (sample,) = [value for number, value in fields if number == 2]
    assert dict(fields_of(sample)) == {1: b"\x01\x02", 2: b"\xac\x02"}
    assert sum(number == 4 for number, _value in fields) == 2


def test_the_heap_profile_finds_what_is_held():
    held = [bytearray(1000) for _number in range(2000)]
    fields = fields_of(gzip.decompress(profiles.heap()))
    strings = [value.decode() for number, value in fields if number == 6]
    functions = {
        dict(fields_of(value))[1]: strings[dict(fields_of(value))[2]] for number, value in fields if number == 5
    }
    locations = {
        dict(fields_of(value))[1]: functions[dict(fields_of(dict(fields_of(value))[4]))[1]]
        for number, value in fields
        if number == 4
    }
    samples = [dict(fields_of(value)) for number, value in fields if number == 2]
    (ours,) = [each for each in samples if locations[each[1][0]] == "builtins.bytearray"]
    count, shift = 0, 0
    for byte in ours[2]:  # the first varint: how many
        count |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    assert count >= len(held)


def test_the_heap_profile_asks_no_module_what_it_holds(monkeypatch):
    """What asyncio's module of Python 3.12.0 to 3.12.5 would name are freed objects: the process dies of them later."""
    asked = set()

    def nothing(thing):
        asked.add(type(thing))
        return []

    monkeypatch.setattr(gc, "get_referents", nothing)
    profiles.heap()
    assert dict in asked
    assert types.ModuleType not in asked


def test_a_cpu_profile_ends_when_it_should_and_is_valid():
    assert fields_of(gzip.decompress(profiles.cpu(0.05)))


@pytest.mark.parametrize(
    ("address", "trusted", "sentence"),
    [
        ("10.0.0.1:7946", False, "trusted-network"),
        ("0.0.0.0:7946", True, "not advertisable"),
        ("x", False, "HOST:PORT"),
    ],
)
def test_raft_binds_to_safe_addresses(address, trusted, sentence):
    with pytest.raises(ValueError, match=sentence):
        raft.check_bind_address(address, trusted)


def test_good_addresses_pass():
    raft.check_bind_address("127.0.0.1:1", False)
    raft.check_bind_address("10.0.0.1:1", True)


@pytest.mark.parametrize(
    ("arguments", "status", "out", "err"),
    [
        (["--version"], 0, "simulator", ""),
        ([], 0, "simulator", ""),
        (["service", "ls"], 0, "service create", ""),
        (["service", "ls", "--x"], 1, "", "unknown flag: --x"),
        (["task", "ls"], 1, "", 'unknown command "task"'),
        (["cluster", "init", "--bind-addr", "10.1.1.1:1"], 1, "", "--trusted-network"),
        (["cluster", "init", "--clock-factor", "0"], 1, "", "--clock-factor"),
        (["cluster", "init", "--api-addr", "x"], 1, "", "--api-addr"),
        (["cluster", "init", "--defect", "x"], 1, "", "--defect x"),
        (["cluster", "join"], 1, "", "--token is required"),
    ],
)
def test_exit_codes(arguments, status, out, err, capsys):
    assert cli.main(arguments) == status
    captured = capsys.readouterr()
    assert out in captured.out
    assert err in captured.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["service", "create", "x"], 'required flag(s) "image" not set'), (["node", "list", "--x"], "unknown flag: --x")],
)
def test_flag_errors_exit_1(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 1
    assert sentence in capsys.readouterr().err


def test_the_version_is_the_collections():
    galaxy = Path(__file__).resolve().parents[4] / "galaxy.yml"
    assert f"version: {__version__}" in galaxy.read_text(encoding="utf-8").splitlines()


def test_every_command_can_be_loaded():
    import importlib

    for command in cli.COMMANDS.values():
        module = importlib.import_module(f"warren_simulator.{command.module}")
        assert callable(getattr(module, command.add_flags))
        assert callable(getattr(module, command.run))


def test_flags_become_options():
    import argparse

    parser = argparse.ArgumentParser()
    options.add_init_flags(parser)
    parser.add_argument("--external-containerd", action="store_true")
    made = options.manager_options(parser.parse_args(["--dialect", "containers", "--clock-factor", "4"]))
    assert (made.node_id, made.bind_addr, made.api_addr) == ("manager-1", "127.0.0.1:7946", "127.0.0.1:8080")
    assert (made.dialect, made.clock_factor, made.leader) == (Dialect.CONTAINERS, 4.0, "")
