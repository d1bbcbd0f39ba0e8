# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts in clouds, from hosts-up to hosts-down, against clouds on loopback."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.warren.load.tests.support.clouds import REGION, Cloud, aws_environment, moto, needs, quota
from ansible_collections.warren.load.tests.support.google_api import google, google_environment
from ansible_collections.warren.load.tests.support.hetzner_api import TOKEN, Hetzner, hetzner

if TYPE_CHECKING:
    from collections.abc import Iterator

aws = needs("amazon.aws", "boto3", "moto", "flask")
on_hetzner = needs("hetzner.hcloud", "requests", "dateutil")
on_google = needs("google.cloud", "requests", "google.auth")


@pytest.fixture(scope="module")
def moto_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with moto(tmp_path_factory.mktemp("moto")) as address:
        yield address


class Account:
    """What is in the account, asked for past the playbooks."""

    def __init__(self, address: str) -> None:
        import boto3

        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        self.ec2 = boto3.client("ec2", region_name=REGION, endpoint_url=address, **keys)

    def instances(self) -> list[dict[str, Any]]:
        pages = self.ec2.get_paginator("describe_instances").paginate()
        found = [each for page in pages for some in page["Reservations"] for each in some["Instances"]]
        return [each for each in found if each["State"]["Name"] not in ("shutting-down", "terminated")]

    def everything(self) -> Counter[str]:
        return Counter(
            instances=len(self.instances()),
            networks=len(self.ec2.describe_vpcs()["Vpcs"]),
            subnets=len(self.ec2.describe_subnets()["Subnets"]),
            gateways=len(self.ec2.describe_internet_gateways()["InternetGateways"]),
            routes=len(self.ec2.describe_route_tables()["RouteTables"]),
            groups=len(self.ec2.describe_security_groups()["SecurityGroups"]),
            keys=len(self.ec2.describe_key_pairs()["KeyPairs"]),
            templates=len(self.ec2.describe_launch_templates()["LaunchTemplates"]),
        )


def tags(instance: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in instance["Tags"]}


@aws
def test_aws_from_up_to_down(moto_address: str, tmp_path: Path) -> None:
    account = Account(moto_address)
    account.ec2.run_instances(ImageId="ami-0debian12", MinCount=1, MaxCount=1, InstanceType="t3.small")
    before = account.everything()
    cloud = Cloud(tmp_path, "aws", aws_environment(moto_address))
    size = {"managers": 1, "workers": 2}

    unconfirmed = cloud.play("hosts-up", **size)
    assert unconfirmed.returncode == 2
    assert (
        "4 hosts on AWS cost money until they are removed. Nothing was made: nobody confirmed it." in unconfirmed.output
    )
    assert account.everything() == before

    up = cloud.play("hosts-up", confirm="yes", **size)
    assert up.returncode == 0
    for line in (
        "1 to make  c6i.large",
        "2 to make  t3.medium",
        "203.0.113.7/32, and from nowhere else",
        "USD an hour",
    ):
        assert line in up.output
    ours = [each for each in account.instances() if "Tags" in each]
    assert Counter(tags(each)["warren-load-role"] for each in ours) == {"manager": 1, "worker": 2, "generator": 1}
    assert {tags(each)["warren-load-run"] for each in ours} == {"cluster-1"}
    assert all(tags(each)["warren-load-expires"] for each in ours)
    (group,) = [
        each
        for each in account.ec2.describe_security_groups()["SecurityGroups"]
        if each["GroupName"].startswith("warren")
    ]
    allowed = {
        (
            rule["FromPort"],
            rule["ToPort"],
            *(each["CidrIp"] for each in rule["IpRanges"]),
            len(rule["UserIdGroupPairs"]),
        )
        for rule in group["IpPermissions"]
    }
    assert allowed == {(22, 22, "203.0.113.7/32", 0), (8080, 8080, 1), (7946, 7946, 1)}

    found = cloud.hosts()
    hosts = found["_meta"]["hostvars"]
    names = {f"{tags(each)['warren-load-role']}-{each['InstanceId']}": each for each in ours}
    assert set(hosts) == set(names)
    assert {name: len(found[name]["hosts"]) for name in ("managers", "workers", "generators")} == {
        "managers": 1,
        "workers": 2,
        "generators": 1,
    }
    for name, instance in names.items():
        assert hosts[name]["ansible_host"] == instance["PublicIpAddress"]
        assert hosts[name]["warren_load_node_address"] == instance["PrivateIpAddress"]
        assert hosts[name]["warren_load_host_id"] == instance["InstanceId"]

    again = cloud.play("hosts-up", **size)
    assert (again.returncode, again.changed) == (0, 0)

    # One has died; only that one is made anew.
    died = next(each for each in ours if tags(each)["warren-load-role"] == "worker")
    account.ec2.terminate_instances(InstanceIds=[died["InstanceId"]])
    healed = cloud.play("hosts-up", confirm="yes", **size)
    assert healed.returncode == 0
    assert "workers     1 to make, 1 there" in healed.output
    assert len(account.instances()) == 5

    another = cloud.play("hosts-up", confirm="yes", warren_load_owner="you.there", **size)
    assert another.returncode == 2
    assert "belong to me.here, and you are you.there: give yours another name" in another.output

    listed = cloud.play("hosts-list")
    assert "4 hosts (eu-central-1" in listed.output

    kept = cloud.play("hosts-down")
    assert kept.returncode == 2
    assert "Nothing was removed: nobody confirmed it." in kept.output
    assert cloud.play("hosts-down", confirm="yes").returncode == 0
    assert account.everything() == before
    assert not cloud.pinned
    twice = cloud.play("hosts-down")
    assert (twice.returncode, twice.changed) == (0, 0)


@aws
def test_aws_refuses_half_way(moto_address: str, tmp_path: Path) -> None:
    account = Account(moto_address)
    before = account.everything()
    with quota(moto_address, machines=1) as limited:
        cloud = Cloud(tmp_path, "aws", aws_environment(limited))
        refused = cloud.play("hosts-up", managers=1, workers=2, warren_load_spot=True, confirm="yes")
        assert refused.returncode == 2
        assert "since a quota is reached (VcpuLimitExceeded)" in refused.output
        assert "of 4 are there, tagged and paid for" in refused.output
        assert "Traceback" not in refused.output
        made = [each for each in account.instances() if "Tags" in each]
        assert made
        assert all(tags(each)["warren-load-run"] == "cluster-1" for each in made)
        assert cloud.play("hosts-down", confirm="yes").returncode == 0
    assert account.everything() == before


@aws
def test_aws_without_credentials(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, "aws", {"AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    refused = cloud.play("hosts-up", confirm="yes")
    assert refused.returncode == 2
    assert "since there are no credentials: set AWS_PROFILE" in refused.output
    assert "Traceback" not in refused.output


@pytest.fixture
def hetzner_cloud(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Cloud, Hetzner]]:
    with hetzner(limit=getattr(request, "param", 1000)) as (address, api):
        yield Cloud(tmp_path, "hetzner", {"HCLOUD_ENDPOINT": address, "HCLOUD_TOKEN": TOKEN}), api


def counts(api: Hetzner) -> dict[str, int]:
    return {kind: len(records) for kind, records in api.there.items() if records}


@on_hetzner
def test_hetzner_from_up_to_down(hetzner_cloud: tuple[Cloud, Hetzner]) -> None:
    cloud, api = hetzner_cloud
    api.make_servers({"name": "somebody-elses"})
    size = {"managers": 1, "workers": 1}

    unconfirmed = cloud.play("hosts-up", **size)
    assert unconfirmed.returncode == 2
    assert "3 hosts on Hetzner cost money until they are removed. Nothing was made" in unconfirmed.output
    assert counts(api) == {"servers": 1}

    up = cloud.play("hosts-up", confirm="yes", **size)
    assert up.returncode == 0
    assert "about 0.02 EUR an hour" in up.output
    assert TOKEN not in up.output
    ours = [each for each in api.there["servers"].values() if each["labels"]]
    assert {each["name"] for each in ours} == {"cluster-1-manager-1", "cluster-1-worker-1", "cluster-1-generator-1"}
    (firewall,) = api.there["firewalls"].values()
    (rule,) = firewall["rules"]
    assert (rule["direction"], rule["port"], rule["source_ips"]) == ("in", "22", ["203.0.113.7/32"])
    assert all(each["public_net"]["firewalls"][0]["id"] == firewall["id"] for each in ours)

    hosts = cloud.hosts()["_meta"]["hostvars"]
    assert set(hosts) == {"manager-1", "worker-1", "generator-1"}
    for each in ours:
        known = hosts[each["labels"]["warren-load-host"]]
        assert known["ansible_host"] == each["public_net"]["ipv4"]["ip"]
        assert known["warren_load_node_address"] == each["private_net"][0]["ip"]
        assert known["warren_load_host_id"] == each["id"]

    # One is off, one has died: one is started, one made.
    api.there["servers"][ours[0]["id"]]["status"] = "off"
    del api.there["servers"][ours[1]["id"]]
    assert cloud.play("hosts-up", confirm="yes", **size).returncode == 0
    assert [each["status"] for each in api.there["servers"].values()] == ["running"] * 4
    again = cloud.play("hosts-up", **size)
    assert (again.returncode, again.changed) == (0, 0)

    for each in api.there["servers"].values():
        if each["labels"]:
            each["labels"]["warren-load-expires"] = "20200101T000000Z"
    listed = cloud.play("hosts-list")
    assert listed.output.count("EXPIRED 2020-01-01 00:00 UTC") == 3
    assert "playbook hosts-down -e warren_load_cluster=cluster-1 removes those" in listed.output

    assert cloud.play("hosts-down", confirm="yes").returncode == 0
    assert counts(api) == {"servers": 1}
    assert not cloud.pinned
    twice = cloud.play("hosts-down")
    assert (twice.returncode, twice.changed) == (0, 0)


@on_hetzner
@pytest.mark.parametrize("hetzner_cloud", [2], indirect=True)
def test_hetzner_refuses_half_way(hetzner_cloud: tuple[Cloud, Hetzner]) -> None:
    cloud, api = hetzner_cloud
    refused = cloud.play("hosts-up", managers=1, workers=2, confirm="yes")
    assert refused.returncode == 2
    assert "since a quota is reached (resource_limit_exceeded): 2 of 4 are there, tagged and paid for" in refused.output
    assert all(each["labels"]["warren-load-run"] == "cluster-1" for each in api.there["servers"].values())
    assert cloud.play("hosts-down", confirm="yes").returncode == 0
    assert counts(api) == {}


@on_hetzner
@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ("", "There are no credentials for Hetzner: set HCLOUD_TOKEN"),
        ("wrong", "since it does not take the credentials"),
    ],
)
def test_hetzner_without_credentials(hetzner_cloud: tuple[Cloud, Hetzner], token: str, sentence: str) -> None:
    cloud, _api = hetzner_cloud
    cloud.environment["HCLOUD_TOKEN"] = token
    refused = cloud.play("hosts-up", confirm="yes")
    assert refused.returncode == 2
    assert sentence in refused.output
    assert "Traceback" not in refused.output


@on_google
def test_google_inventory(tmp_path: Path) -> None:
    with google(tmp_path) as api:
        cloud = Cloud(tmp_path, "gcp", google_environment(api))
        # The shipped file names no real project, and the fake takes a ready token instead of a log-in.
        cloud.original = cloud.inventory
        config = cloud.inventory / "gcp_compute.yml"
        text = config.read_text(encoding="utf-8").replace("auth_kind: application", "auth_kind: accesstoken")
        config.write_text(text, encoding="utf-8")
        found = cloud.hosts()
        assert found["managers"]["hosts"] == ["wl-manager"]
        assert found["workers"]["hosts"] == ["wl-worker"]
        assert "generators" not in found
        manager = found["_meta"]["hostvars"]["wl-manager"]
        assert manager["ansible_host"] == "198.51.100.10"
        assert manager["warren_load_node_address"] == "10.132.0.10"
        assert api.filters == ["labels.warren-load-run = cluster-1 AND status = RUNNING"]

        up = cloud.play("hosts-up", confirm="yes")
        assert up.returncode == 2
        assert "warren_load_provider is 'google', so there is no telling how to make its hosts" in up.output
