# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.plugin_utils import cloud_hosts
from ansible_collections.warren.load.plugins.plugin_utils.cluster_facts import Public

ROOT = Path(__file__).resolve().parents[8]
NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
KEY = "/home/me/.ssh/id_ed25519.pub"
LACKING: frozenset[str] = frozenset()


def facts(
    provider: str = "aws",
    lacking: frozenset[str] = LACKING,
    environment: dict[str, str] | None = None,
    content: dict[str, Any] | None = None,
    **values: Any,
) -> dict[str, Any]:
    """For an inventory as it is shipped, unless its content is given."""
    folder = ROOT / "inventories" / provider
    around = cloud_hosts.Around(
        sources=[str(folder)],
        environment={"HOME": "/home/me", "HCLOUD_TOKEN": "x"} if environment is None else environment,
        owner="me.laptop",
        now=NOW,
        read=lambda path: yaml.safe_load(Path(path).read_text(encoding="utf-8")) if content is None else content,
        is_file=lambda path: path == KEY or Path(path).is_file(),
        installed=lambda name: name not in lacking,
    )
    return cloud_hosts.derive(Public({"warren_load_provider": provider, **values}), around)


def row(role: str, name: str = "i-1", **more: str) -> dict[str, str]:
    return {
        "run": "cluster-1",
        "role": role,
        "owner": "me.laptop",
        "expires": "20261123T200000Z",
        "id": name,
        "name": name,
        "type": "c6i.large",
        "state": "running",
        "address": "198.51.100.1",
        "place": "eu-central-1a",
        "made": "",
        **more,
    }


@pytest.mark.parametrize(
    ("provider", "place", "types"),
    [("aws", "eu-central-1", {"c6i.large", "t3.medium"}), ("hetzner", "fsn1", {"cx23"})],
)
def test_the_shipped_inventories_say_what_is_made(provider: str, place: str, types: set[str]) -> None:
    found = facts(provider)
    assert found["errors"] == []
    assert (found["name"], found["place"], found["resource"]) == ("cluster-1", place, "warren-load-cluster-1")
    assert found["counts"] == {"manager": 3, "worker": 2, "generator": 1}
    assert set(found["types"].values()) == types
    assert found["tags"] == {
        "warren-load-run": "cluster-1",
        "warren-load-owner": "me.laptop",
        "warren-load-expires": "20261123T200000Z",
    }


@pytest.mark.parametrize(
    ("provider", "values", "sentence"),
    [
        ("aws", {"warren_load_cluster": "Big One"}, "The hosts' name is 'Big One' (warren-load-run in "),
        ("hetzner", {"warren_load_spot": True}, "warren_load_spot is set, but Hetzner has no spot instances"),
        ("aws", {"warren_load_ssh_from": "home"}, "warren_load_ssh_from is 'home': give the address or network"),
        ("aws", {"warren_load_ssh_from": "0.0.0.0/0"}, "warren_load_ssh_from is 0.0.0.0/0, which is everybody"),
        ("aws", {"warren_load_ssh_public_key": "/no.pub"}, "warren_load_ssh_public_key is '/no.pub', which is no file"),
        ("aws", {"warren_load_machine_types": {"boss": "x"}}, "warren_load_machine_types is {'boss': 'x'}: give one"),
        ("aws", {"warren_load_machine_prices": "cheap"}, "warren_load_machine_prices is 'cheap': give what an hour"),
        ("aws", {"warren_load_expires_after": 0}, "warren_load_expires_after is '0': it must be a whole number, 1 or"),
        ("aws", {"generators": "no"}, "warren_load_generator_hosts is 'no': it must be a whole number, 0 or more."),
        ("aws", {"managers": 0}, "warren_load_manager_hosts is 0, and a cluster has a manager"),
        ("aws", {"environment": {}}, "There is no SSH key in ~/.ssh: give the public half"),
        ("hetzner", {"environment": {"HOME": "/home/me"}}, "There are no credentials for Hetzner: set HCLOUD_TOKEN"),
        (
            "aws",
            {"lacking": frozenset({"ansible_collections.amazon.aws"})},
            "The collection amazon.aws is not installed: ansible-galaxy collection install amazon.aws, or pip install",
        ),
        ("aws", {"lacking": frozenset({"boto3"})}, "Ansible's Python lacks boto3: pip install boto3."),
        (
            "hetzner",
            {"lacking": frozenset({"requests", "dateutil"})},
            "Ansible's Python lacks requests and python-dateutil: pip install requests python-dateutil.",
        ),
        (
            "aws",
            {"content": {"regions": ["a", "b"], "filters": {"tag:warren-load-run": "x"}}},
            "regions in ",
        ),
    ],
)
def test_wrong_settings_are_a_sentence_each(provider: str, values: dict[str, Any], sentence: str) -> None:
    (error,) = facts(provider, **values)["errors"]
    assert error.startswith(sentence)


def test_an_inventory_without_its_file_is_a_sentence() -> None:
    around = cloud_hosts.Around(
        ["/nowhere"], {"HOME": "/home/me"}, "me", NOW, lambda path: {}, lambda path: path == KEY
    )
    errors = cloud_hosts.derive(Public({"warren_load_provider": "aws"}), around)["errors"]
    assert errors[-1].startswith("The inventory has no file that ends in aws_ec2.yml")


def test_only_what_is_missing_is_planned_and_paid_for() -> None:
    settings = facts(workers=3, warren_load_ssh_from="203.0.113.7")
    there = [row("manager", f"i-{number}") for number in range(3)] + [row("worker", "i-9"), row("worker", run="other")]
    plan = cloud_hosts.plan(settings, there, NOW)
    assert plan["missing"] == {"manager": 0, "worker": 2, "generator": 1}
    assert plan["total"] == 3
    assert plan["foreign"] == []
    # 2 x 0.0416 + 0.085, and 3 x (0.005 + 20 GB x 0.08 / 730)
    assert "about 0.19 USD an hour, 1.52 USD until then" in plan["text"]
    assert "workers     2 to make, 1 there  t3.medium" in plan["text"]
    assert "until       2026-11-23 20:00 UTC, in 8 h" in plan["text"]


def test_names_are_made_up_to_the_number_beside_those_that_are_taken() -> None:
    plan = cloud_hosts.plan(facts("hetzner", workers=3), [row("worker", "worker-2")], NOW)
    assert plan["names"]["worker"] == ["worker-1", "worker-3"]
    assert plan["extra"] == {"manager": 0, "worker": 0, "generator": 0}


def test_what_is_another_owners_too_much_or_asleep_is_told() -> None:
    there = [row("manager", "i-1", owner="you"), row("manager", "i-2", state="stopped")]
    plan = cloud_hosts.plan(facts(managers=1), there, NOW)
    assert (plan["foreign"], plan["extra"]["manager"], plan["asleep"]) == (["you"], 1, ["i-2"])


def test_an_unknown_price_is_no_number() -> None:
    plan = cloud_hosts.plan(facts(warren_load_machine_types="x9.huge"), [], NOW)
    assert "cost        unknown for x9.huge: warren_load_machine_prices says" in plan["text"]
    settings = facts(
        warren_load_machine_types="x9.huge", warren_load_machine_prices={"x9.huge": 10}, managers=1, workers=0
    )
    assert "about 20.01 USD an hour" in cloud_hosts.plan(settings, [], NOW)["text"]


def test_the_table_marks_what_has_expired() -> None:
    there = [
        row("manager", "i-1"),
        row("worker", "i-2", expires="20261123T110000Z", run="old"),
        row("worker", expires="?"),
    ]
    text = cloud_hosts.table(there, NOW, "eu-central-1")
    assert "EXPIRED 2026-11-23 11:00 UTC" in text
    assert "EXPIRED (no readable date)" in text
    assert text.count("EXPIRED") == 2
    assert text.splitlines()[-1].startswith("3 hosts (eu-central-1), 2 of them expired: playbook hosts-down -e")
    assert cloud_hosts.table([], NOW, "x") == "No hosts of warren.load are there (x)."


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (
            "Failed to create new EC2 instance: An error occurred (VcpuLimitExceeded) when calling the RunInstances",
            "a quota is reached (VcpuLimitExceeded): 1 of 6 are there, tagged and paid for; hosts-down removes",
        ),
        ("An error occurred (InsufficientInstanceCapacity) when", "it has no machine of that type free there"),
        ("An error occurred (AuthFailure) when calling", "it does not take the credentials: 1 of 6"),
        ("An error occurred (UnauthorizedOperation) when", "the credentials may not do that: 1 of 6"),
        ("Unable to locate credentials", "there are no credentials: 1 of 6"),
        ('Could not connect to the endpoint URL: "http', "it cannot be reached: 1 of 6"),
        ("server limit reached (resource_limit_exceeded, x)", "a quota is reached (resource_limit_exceeded): 1 of 6"),
        ("Task failed: Module failed: odd\n  thing.", "it says 'odd thing': 1 of 6"),
    ],
)
def test_a_refusal_is_one_sentence_with_a_remedy(words: str, part: str) -> None:
    sentence = cloud_hosts.refusal(facts(), words, [row("manager")])
    assert part in sentence
    assert sentence.endswith("and run hosts-up again, which makes only what is missing.")
    assert "\n" not in sentence
    assert "is there; hosts-down" in cloud_hosts.refusal(facts(), words, [])
    assert cloud_hosts.refusal(facts(), words, None).startswith("AWS does not tell which hosts are there, since ")


def test_rows_come_from_what_the_modules_return() -> None:
    aws = {
        "instance_id": "i-1",
        "instance_type": "t3.small",
        "state": {"code": 16, "name": "running"},
        "public_ip_address": None,
        "placement": {"availability_zone": "eu-central-1a"},
        "tags": {"warren-load-run": "a", "warren-load-role": "worker"},
    }
    (one,) = cloud_hosts.rows("aws", [aws])
    assert (one["run"], one["role"], one["name"], one["address"], one["place"]) == (
        "a",
        "worker",
        "i-1",
        "",
        "eu-central-1a",
    )
    hetzner = {"id": 5, "name": "a-worker-1", "status": "off", "labels": {"warren-load-host": "worker-1"}}
    (one,) = cloud_hosts.rows("hetzner", [hetzner])
    assert (one["id"], one["name"], one["state"], one["run"]) == ("5", "worker-1", "off", "")


def test_prices_of_hetzner_are_those_of_the_place_with_an_address() -> None:
    here = {"location": "fsn1", "price_hourly": {"net": "1", "gross": "1.19"}}
    address = {"location": "fsn1", "price_hourly": {"net": "0.1", "gross": "0.12"}}
    pricing = {
        "server_types": [{"name": "cx23", "prices": [here]}, {"name": "far", "prices": [here | {"location": "ash"}]}],
        "primary_ips": [{"type": "ipv6", "prices": []}, {"type": "ipv4", "prices": [address]}],
    }
    assert cloud_hosts.hetzner_prices(pricing, "fsn1") == {"cx23": pytest.approx(1.31)}
    assert cloud_hosts.hetzner_prices({}, "fsn1") == {}


@given(st.text())
def test_a_label_is_taken_by_every_cloud(text: str) -> None:
    made = cloud_hosts.label(text)
    assert 1 <= len(made) <= 60
    assert made.isascii()
    assert made[0].isalnum()
