# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the settings and the inventory's file say about hosts in a cloud: number, place, owner, time and cost.

Pure: the lookup `warren.load.cloud_hosts` hands everything in. PRIVATE to the collection.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import ipaddress
import itertools
import math
import os
import re
import typing as t
from dataclasses import dataclass

from . import host_facts
from .columns import clean

if t.TYPE_CHECKING:
    from .cluster_facts import Public

ROLES = ("manager", "worker", "generator")
TAG = "warren-load"
ASLEEP = ("stopping", "stopped", "off")
STAMP = "%Y%m%dT%H%M%SZ"  # a Hetzner label takes no colon
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
DISK_GB = 20
EXPIRES_AFTER_H = 8


@dataclass(frozen=True)
class Cloud:
    """What differs between clouds.

    ``file``: how the name of the inventory's file ends. ``needs``: Python packages, as imported and as installed.
    ``secrets``: environment variables of which one must be set, if any. ``prices``: for an hour of a machine in
    ``currency``, as known when this was written; none where the cloud's API tells them.
    """

    title: str
    file: str
    place: str
    collection: str
    needs: t.Mapping[str, str]
    types: t.Mapping[str, str]
    image: str
    currency: str
    secrets: tuple[str, ...] = ()
    prices: t.Mapping[str, float] | None = None


CLOUDS = {
    "aws": Cloud(
        title="AWS",
        file="aws_ec2.yml",
        place="regions",
        collection="amazon.aws",
        needs={"boto3": "boto3"},
        types={"manager": "c6i.large", "worker": "t3.medium", "generator": "c6i.large"},
        image="debian-12",
        currency="USD",
        # On demand, Linux, us-east-1. The API with AWS's own prices takes rights of its own, so these are copied.
        prices={
            "t3.small": 0.0208,
            "t3.medium": 0.0416,
            "t3.large": 0.0832,
            "t3.xlarge": 0.1664,
            "c5.large": 0.085,
            "c6i.large": 0.085,
            "c6i.xlarge": 0.17,
            "c6i.2xlarge": 0.34,
            "m5.large": 0.096,
            "m6i.large": 0.096,
            "m6i.xlarge": 0.192,
        },
    ),
    "hetzner": Cloud(
        title="Hetzner",
        file="hcloud.yml",
        place="locations",
        collection="hetzner.hcloud",
        needs={"requests": "requests", "dateutil": "python-dateutil"},
        types=dict.fromkeys(ROLES, "cx23"),
        image="debian-12",
        currency="EUR",
        secrets=("HCLOUD_TOKEN",),
    ),
}
# On AWS, beside each machine: its public address, and its disk (gp3) by GB.
AWS_ADDRESS_HOUR = 0.005
AWS_DISK_GB_HOUR = 0.08 / 730


def installed(name: str) -> bool:
    """Whether Python can import it; also where a parent of it cannot be."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


@dataclass(frozen=True)
class Around:
    """What besides the public variables decides."""

    sources: t.Sequence[str]
    environment: t.Mapping[str, str]
    owner: str
    now: dt.datetime
    read: t.Callable[[str], t.Mapping[str, t.Any]]
    is_file: t.Callable[[str], bool] = os.path.isfile
    installed: t.Callable[[str], bool] = installed


def derive(public: Public, around: Around) -> dict[str, t.Any]:
    """Everything that the roles of clouds ask; `errors` holds a sentence for each wrong setting."""
    hosts = host_facts.derive(public, around.sources)
    cloud = CLOUDS.get(hosts["provider"], CLOUDS["aws"])
    errors = public.errors
    name, place = _from_inventory(public, cloud, around)
    types = _types(public, cloud)
    counts = {role: len(hosts[f"{role}s"]) for role in ("manager", "worker")}
    counts["generator"] = public.whole("warren_load_generator_hosts", 1, smallest=0)
    hours = public.whole("warren_load_expires_after", EXPIRES_AFTER_H)
    owner = label(public.text("warren_load_owner", around.owner))
    spot = public.flag("warren_load_spot")
    if spot and cloud.title != "AWS":
        errors.append(f"warren_load_spot is set, but {cloud.title} has no spot instances: leave it out.")
    key = os.path.expanduser(public.text("warren_load_ssh_public_key") or _own_key(around))
    if not key or not around.is_file(key):
        what = (
            f"warren_load_ssh_public_key is {key!r}, which is no file here" if key else "There is no SSH key in ~/.ssh"
        )
        errors.append(
            f"{what}: give the public half of the key that you log in with, such as "
            "-e warren_load_ssh_public_key=~/.ssh/id_ed25519.pub (ssh-keygen -t ed25519 makes one)."
        )
    expires = around.now + dt.timedelta(hours=hours)
    return {
        **{field: hosts[field] for field in ("provider", "confirm")},
        "title": cloud.title,
        "name": name,
        "place": place,
        "zone": public.text("warren_load_zone"),
        "owner": owner,
        "counts": counts,
        "types": types,
        "image": public.text("warren_load_machine_image") or cloud.image,
        "disk_gb": public.whole("warren_load_machine_disk", DISK_GB, smallest=8),
        "spot": spot,
        "everywhere": public.flag("warren_load_all_regions"),
        "ssh_from": _networks(public),
        "ssh_public_key": key,
        "hours": hours,
        "expires": expires.strftime(STAMP),
        "tags": {f"{TAG}-run": name, f"{TAG}-owner": owner, f"{TAG}-expires": expires.strftime(STAMP)},
        "resource": f"{TAG}-{name}",
        "prices": {**(cloud.prices or {}), **_prices(public)},
        "errors": [*_missing(cloud, around), *dict.fromkeys(errors)],
    }


def label(text: str) -> str:
    """A text that every cloud takes as a tag's value."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-_.")[:60] or "unknown"


def _missing(cloud: Cloud, around: Around) -> t.Iterator[str]:
    """A sentence for what must be installed or set before a module of the cloud can run."""
    lacks = [pip for module, pip in cloud.needs.items() if not around.installed(module)]
    if not around.installed(f"ansible_collections.{cloud.collection}"):
        yield (
            f"The collection {cloud.collection} is not installed: ansible-galaxy collection install "
            f"{cloud.collection}, or pip install ansible, which brings it."
        )
    if lacks:
        yield f"Ansible's Python lacks {' and '.join(lacks)}: pip install {' '.join(lacks)}."
    if cloud.secrets and not any(around.environment.get(name) for name in cloud.secrets):
        yield (
            f"There are no credentials for {cloud.title}: set {' or '.join(cloud.secrets)} in the environment to an "
            "API token that may read and write."
        )


def _from_inventory(public: Public, cloud: Cloud, around: Around) -> tuple[str, str]:
    """The hosts' name and place, from the one file that the inventory finds them by."""
    path = next((each for source in around.sources for each in _files(source, cloud.file, around)), "")
    if not path:
        public.errors.append(
            f"The inventory has no file that ends in {cloud.file}, which says where hosts are made and what they are "
            f"called: use -i inventories/{public.text('warren_load_provider')}, or a copy of it."
        )
        return "", ""
    content = around.read(path)
    if cloud.title == "AWS":
        found = (content.get("filters") or {}).get(f"tag:{TAG}-run", "")
        named = str(found[0] if isinstance(found, list) and found else found or "")
    else:
        selected = re.search(rf"{TAG}-run *==? *([^,\s]+)", str(content.get("label_selector", "")))
        named = selected[1] if selected else ""
    name = public.text("warren_load_cluster") or named
    if not NAME.fullmatch(name):
        public.errors.append(
            f"The hosts' name is {name!r} ({TAG}-run in {path}, or warren_load_cluster): it takes up to 40 small "
            "letters, digits and inner hyphens."
        )
    places = content.get(cloud.place) or []
    if not isinstance(places, list) or len(places) != 1:
        public.errors.append(f"{cloud.place} in {path} must name exactly one, in which the hosts are made.")
        return name, ""
    return name, str(places[0])


def _files(source: str, ending: str, around: Around) -> t.Iterator[str]:
    if source.endswith(ending):
        yield source
    elif around.is_file(os.path.join(source, ending)):
        yield os.path.join(source, ending)


def _types(public: Public, cloud: Cloud) -> dict[str, str]:
    given = public.given("warren_load_machine_types")
    if given is None:
        return dict(cloud.types)
    if isinstance(given, str) and given.strip():
        return dict.fromkeys(ROLES, given.strip())
    if isinstance(given, t.Mapping) and set(given) <= {f"{role}s" for role in ROLES}:
        return {role: str(given.get(f"{role}s") or cloud.types[role]) for role in ROLES}
    public.errors.append(
        f"warren_load_machine_types is {given!r}: give one type for all, or types for managers, workers and generators."
    )
    return dict(cloud.types)


def _prices(public: Public) -> dict[str, float]:
    given = public.given("warren_load_machine_prices") or {}
    try:
        return {str(kind): float(price) for kind, price in given.items()}
    except (AttributeError, TypeError, ValueError):
        public.errors.append(
            f"warren_load_machine_prices is {given!r}: give what an hour of each type costs, such as "
            "{c6i.large: 0.1}."
        )
        return {}


def _networks(public: Public) -> list[str]:
    found = []
    for word in public.words("warren_load_ssh_from"):
        try:
            network = ipaddress.ip_network(word.strip(), strict=False)
        except ValueError:
            public.errors.append(
                f"warren_load_ssh_from is {word!r}: give the address or network that you log in from, such as "
                "203.0.113.7 or 203.0.113.0/24."
            )
            continue
        if network.prefixlen == 0:
            public.errors.append(
                f"warren_load_ssh_from is {word}, which is everybody: Warren's hosts are for you alone, so give the "
                "address or network that you log in from."
            )
        found.append(str(network))
    return found


def _own_key(around: Around) -> str:
    home = around.environment.get("HOME", "")
    names = ("id_ed25519", "id_ecdsa", "id_rsa")
    return next((path for name in names if around.is_file(path := f"{home}/.ssh/{name}.pub")), "")


# ----------------------------------------------------------------------------------------- hosts that are there


def rows(provider: str, machines: t.Iterable[t.Mapping[str, t.Any]]) -> list[dict[str, str]]:
    """Machines as the cloud's info module gives them, each as one row of strings, in the order of name and id."""
    found = [(_aws_row if provider == "aws" else _hetzner_row)(machine) for machine in machines]
    return sorted(
        found, key=lambda row: (row["run"], ROLES.index(row["role"]) if row["role"] in ROLES else 9, row["id"])
    )


def _aws_row(machine: t.Mapping[str, t.Any]) -> dict[str, str]:
    placed = machine.get("placement") or {}
    return {
        **_tagged(machine.get("tags") or {}),
        "id": str(machine.get("instance_id", "")),
        "name": str(machine.get("instance_id", "")),
        "type": str(machine.get("instance_type", "")),
        "state": str((machine.get("state") or {}).get("name", "")),
        "address": str(machine.get("public_ip_address") or ""),
        "place": str(placed.get("availability_zone") or ""),
        "made": str(machine.get("launch_time") or ""),
    }


def _hetzner_row(machine: t.Mapping[str, t.Any]) -> dict[str, str]:
    return {
        **_tagged(machine.get("labels") or {}),
        "id": str(machine.get("id", "")),
        "name": str((machine.get("labels") or {}).get(f"{TAG}-host") or machine.get("name", "")),
        "type": str(machine.get("server_type", "")),
        "state": str(machine.get("status", "")),
        "address": str(machine.get("ipv4_address") or ""),
        "place": str(machine.get("location") or ""),
        "made": str(machine.get("created") or ""),
    }


def _tagged(tags: t.Mapping[str, t.Any]) -> dict[str, str]:
    return {key: str(tags.get(f"{TAG}-{key}", "")) for key in ("run", "role", "owner", "expires")}


def expired(row: t.Mapping[str, str], now: dt.datetime) -> bool:
    """Whether its time is over; a row without a readable expiry counts as over."""
    moment = _moment(row["expires"])
    return moment is None or moment <= now


def _moment(stamp: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(stamp, STAMP).replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def hetzner_prices(pricing: t.Mapping[str, t.Any], location: str) -> dict[str, float]:
    """What an hour of each type with its address costs there, in EUR with tax, from Hetzner's page of prices."""

    def here(entry: t.Mapping[str, t.Any]) -> float | None:
        price = next((each for each in entry.get("prices") or [] if each.get("location") == location), None)
        return float(price["price_hourly"]["gross"]) if price else None

    addresses = [here(entry) for entry in pricing.get("primary_ips") or [] if entry.get("type") == "ipv4"]
    address = next((price for price in addresses if price is not None), 0.0)
    found = {str(entry["name"]): here(entry) for entry in pricing.get("server_types") or []}
    return {kind: price + address for kind, price in found.items() if price is not None}


# ------------------------------------------------------------------------------------------------ what is refused

# What the clouds' own words mean: pattern, meaning, remedy.
REFUSALS = (
    (
        r"Unable to locate credentials|Partial credentials|ProfileNotFound|config profile .* could not be found",
        "there are no credentials",
        "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, in the environment",
    ),
    (
        r"AuthFailure|InvalidClientTokenId|SignatureDoesNotMatch|ExpiredToken|RequestExpired|unauthorized",
        "it does not take the credentials",
        "check AWS_PROFILE, the keys or HCLOUD_TOKEN in the environment, and whether they have expired",
    ),
    (
        r"UnauthorizedOperation|AccessDenied|forbidden|token_readonly",
        "the credentials may not do that",
        "use some that may make and remove instances and networks",
    ),
    (
        r"LimitExceeded|MaxSpotInstanceCountExceeded|resource_limit_exceeded|limit_reached|server limit",
        "a quota is reached",
        "ask for fewer hosts or smaller types, or have the quota raised",
    ),
    (
        r"InsufficientInstanceCapacity|InsufficientFreeAddresses|Unsupported\b|resource_unavailable|placement_error",
        "it has no machine of that type free there",
        "give another warren_load_machine_types, warren_load_zone, or place in the inventory",
    ),
    (
        r"Could not connect|EndpointConnectionError|Connection refused|Max retries|Name or service not known|timed out",
        "it cannot be reached",
        "check the network, and the region's name in the inventory",
    ),
)


def refusal(facts: t.Mapping[str, t.Any], words: str, there: t.Sequence[t.Mapping[str, str]] | None) -> str:
    """One sentence about what a cloud refused: ``words`` are its own, ``there`` the hosts that it made all the same."""
    said = " ".join(clean(words).split()).removeprefix("Task failed: ").removeprefix("Module failed: ")
    code = re.search(r"An error occurred \((\w+)\)", said) or re.search(r"\b([a-z]+_[a-z_]+)\b", said)
    known = next(((why, remedy) for pattern, why, remedy in REFUSALS if re.search(pattern, said)), None)
    if known:
        named = f" ({code[1]})" if code and re.search(r"LimitExceeded|Insufficient|_", code[1]) else ""
        why, remedy = f"{known[0]}{named}", known[1]
    else:
        why, remedy = f"it says {said[:300].rstrip('.')!r}", "put that right"
    if there is None:
        return f"{facts['title']} does not tell which hosts are there, since {why}: {remedy}."
    mine = [row for row in there if row["run"] == facts["name"]]
    wanted = sum(facts["counts"].values())
    made = f"{len(mine)} of {wanted} are there, tagged and paid for" if mine else f"none of the {wanted} is there"
    return (
        f"{facts['title']} did not make all hosts of {facts['name']}, since {why}: {made}; hosts-down removes what was "
        f"made, or {remedy}, and run hosts-up again, which makes only what is missing."
    )


# --------------------------------------------------------------------------------------------------- the plan


def plan(facts: t.Mapping[str, t.Any], there: t.Sequence[t.Mapping[str, str]], now: dt.datetime) -> dict[str, t.Any]:
    """What hosts_up would make beside what is there: `missing` by role, `names`, `foreign`, and `text` to be shown.

    ``facts``: what derive() gave, with `prices`, `ssh_from` and `image` as the role found them out.
    """
    mine = [row for row in there if row["run"] == facts["name"]]
    asleep = [row for row in mine if row["state"] in ASLEEP]
    have = {role: [row for row in mine if row["role"] == role] for role in ROLES}
    missing = {role: max(0, facts["counts"][role] - len(have[role])) for role in ROLES}
    names = {role: _free_names(role, facts["counts"][role], have[role]) for role in ROLES}
    foreign = sorted({row["owner"] for row in mine} - {facts["owner"]})
    return {
        "missing": missing,
        "total": sum(missing.values()),
        "names": names,
        "extra": {role: max(0, len(have[role]) - facts["counts"][role]) for role in ROLES},
        "asleep": [row["id"] for row in asleep],
        "foreign": foreign,
        "text": "\n".join(_plan_lines(facts, have, missing, names, now)),
    }


def _free_names(role: str, count: int, have: t.Sequence[t.Mapping[str, str]]) -> list[str]:
    """manager-1, manager-2 ... as far as they are not taken, to make up the number."""
    taken = {row["name"] for row in have}
    free = (name for number in range(1, count + len(have) + 1) if (name := f"{role}-{number}") not in taken)
    return list(itertools.islice(free, max(0, count - len(have))))


def _plan_lines(
    facts: t.Mapping[str, t.Any],
    have: t.Mapping[str, t.Sequence[t.Mapping[str, str]]],
    missing: t.Mapping[str, int],
    names: t.Mapping[str, list[str]],
    now: dt.datetime,
) -> t.Iterator[str]:
    yield f"Hosts of {facts['name']} on {facts['title']}, {facts['place']}, owner {facts['owner']}"
    for role in ROLES:
        there = f", {len(have[role])} there" if have[role] else ""
        make = f"{missing[role]} to make" if missing[role] else "none to make"
        kind = f"  {facts['types'][role]}" if missing[role] else ""
        listed = f"  {_span(names[role])}" if missing[role] and facts["provider"] != "aws" else ""
        yield f"  {role + 's':<11} {make}{there}{kind}{listed}"
    yield f"  {'image':<11} {clean(facts['image'])}"
    yield f"  {'SSH from':<11} {', '.join(facts['ssh_from'])}, and from nowhere else"
    yield f"  {'cost':<11} {cost(facts, missing)}"
    end = _moment(facts["expires"])
    word = (
        "they switch themselves off and are gone"
        if facts["provider"] == "aws"
        else "hosts-list then calls them expired"
    )
    if end is not None:
        yield f"  {'until':<11} {end:%Y-%m-%d %H:%M} UTC, in {round((end - now).total_seconds() / 3600)} h: {word}"


def _span(names: t.Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{names[0]} … {names[-1]}"


def cost(facts: t.Mapping[str, t.Any], missing: t.Mapping[str, int]) -> str:
    """What the missing hosts cost, in words."""
    unknown = sorted(
        {facts["types"][role] for role in ROLES if missing[role] and facts["types"][role] not in facts["prices"]}
    )
    currency = CLOUDS[facts["provider"]].currency
    if unknown:
        return (
            f"unknown for {', '.join(unknown)}: warren_load_machine_prices says what an hour costs, such as "
            f'-e \'{{"warren_load_machine_prices": {{"{unknown[0]}": 0.1}}}}\''
        )
    hour = math.fsum(missing[role] * facts["prices"][facts["types"][role]] for role in ROLES if missing[role])
    if facts["provider"] == "aws":
        hour += sum(missing.values()) * (AWS_ADDRESS_HOUR + facts["disk_gb"] * AWS_DISK_GB_HOUR)
        note = "on demand in us-east-1, other places up to twice as much; without traffic and tax"
        note += "; spot costs less" if facts["spot"] else ""
    else:
        note = "by the hour, with tax; without traffic"
    return f"about {hour:.2f} {currency} an hour, {hour * facts['hours']:.2f} {currency} until then ({note})"


def table(there: t.Sequence[t.Mapping[str, str]], now: dt.datetime, where: str) -> str:
    """The hosts of all names as a table, forgotten ones marked and counted."""
    if not there:
        return f"No hosts of warren.load are there ({where})."
    over = [row for row in there if expired(row, now)]
    head = ("name", "role", "host", "type", "state", "address", "place", "owner", "expires")
    lines = [head, *(_cells(row, now) for row in there)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = ["  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    counted = f"{len(there)} host{'s' if len(there) != 1 else ''} ({where})"
    if over:
        runs = sorted({row["run"] for row in over})
        counted += (
            f", {len(over)} of them expired: playbook hosts-down -e warren_load_cluster={runs[0]} removes those of "
            f"{runs[0]}" + (f", and so on for {', '.join(runs[1:])}" if runs[1:] else "")
        )
    return "\n".join([*text, f"{counted}."])


def _cells(row: t.Mapping[str, str], now: dt.datetime) -> tuple[str, ...]:
    moment = _moment(row["expires"])
    if moment is None:
        end = "EXPIRED (no readable date)"
    else:
        end = f"{moment:%Y-%m-%d %H:%M} UTC"
        if moment <= now:
            end = f"EXPIRED {end}"
    cells = (row[key] for key in ("run", "role", "name", "type", "state", "address", "place", "owner"))
    return (*(clean(cell) or "-" for cell in cells), end)
