# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `limactl list --format json` prints, from Lima 1.0 to 2.2, as records of one form. Pure.

One line is one instance, of which any key may be missing: a folder without a readable lima.yaml has hardly any.
"""

from __future__ import annotations

import fnmatch
import hashlib
import ipaddress
import json
import os
import re
import typing as t

STATUSES = ("Running", "Stopped", "Broken", "Installing", "Uninitialized")
ROLES = {"manager": "managers", "worker": "workers", "generator": "generators"}
"""Warren's roles, and the groups of their hosts."""
ROLE_VARIABLES = ("WARREN_LOAD_ROLE", "WARREN_ROLE")
NOT_KNOWN = "unreadable"
"""Stands for the empty status of an instance whose lima.yaml does not load."""

_FACTS = (
    *("name", "hostname", "status", "dir", "home", "vm_type", "arch", "os", "cpus", "memory", "disk"),
    *("networks", "plain", "protected", "user", "user_home"),
)

# Random ports on loopback are taken by one VM today and another tomorrow, and Lima records no host key to pin.
ON_LOOPBACK = (
    "-F none -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
)
ELSEWHERE = "-F none -o IdentitiesOnly=yes -o StrictHostKeyChecking=accept-new"


class Instance(t.TypedDict):
    """One instance. Sizes in bytes, None and empty where Lima does not say."""

    name: str
    hostname: str
    status: str
    dir: str
    home: str
    vm_type: str
    arch: str
    os: str
    cpus: int | None
    memory: int | None
    disk: int | None
    ssh_address: str
    ssh_port: int | None
    ssh_config_file: str
    identity_file: str
    user: str
    user_home: str
    plain: bool
    protected: bool
    lima_version: str
    networks: list[str]
    env: dict[str, str]
    param: dict[str, str]
    driver_runs: bool
    config: dict[str, t.Any]


def read_lines(text: str) -> tuple[list[dict[str, t.Any]], list[str]]:
    """The objects in what limactl printed (one a line; also one array), and the lines that are none."""
    objects: list[dict[str, t.Any]] = []
    unreadable: list[str] = []
    for line in (each.strip() for each in text.split("\n")):
        if not line:
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            unreadable.append(line)
            continue
        parts = found if isinstance(found, list) else [found]
        good = [part for part in parts if isinstance(part, dict) and text_of(part, "name")]
        objects += good
        if len(good) < len(parts):
            unreadable.append(line)
    return objects, unreadable


def normalise(record: t.Mapping[str, t.Any], lima_home: str) -> Instance:
    """A record in the one form; ``lima_home`` counts where the record does not say."""
    config = mapping_of(record, "config")
    user = mapping_of(config, "user")
    name = text_of(record, "name")
    folder = text_of(record, "dir") or os.path.join(lima_home, name)
    home = text_of(record, "LimaHome") or os.path.dirname(folder)
    networks = record.get("network") or config.get("networks")
    return Instance(
        name=name,
        hostname=text_of(record, "hostname"),
        status=text_of(record, "status") or NOT_KNOWN,
        dir=folder,
        home=home,
        vm_type=text_of(record, "vmType"),
        arch=text_of(record, "arch"),
        os=text_of(config, "os"),
        cpus=number_of(record, "cpus"),
        memory=number_of(record, "memory"),
        disk=number_of(record, "disk"),
        ssh_address=text_of(record, "sshAddress"),
        ssh_port=number_of(record, "sshLocalPort"),
        ssh_config_file=text_of(record, "sshConfigFile"),
        identity_file=text_of(record, "IdentityFile") or os.path.join(home, "_config", "user"),
        user=text_of(user, "name"),
        user_home=text_of(user, "home"),
        plain=config.get("plain") is True,
        protected=record.get("protected") is True,
        lima_version=text_of(record, "limaVersion").removeprefix("v"),
        networks=[text_of(each, "lima") for each in networks if isinstance(each, dict) and text_of(each, "lima")]
        if isinstance(networks, list)
        else [],
        env=texts_of(config, "env"),
        param=texts_of(config, "param") or texts_of(record, "param"),
        driver_runs=number_of(record, "driverPID") is not None,
        config=config,
    )


def text_of(record: t.Mapping[str, t.Any], key: str) -> str:
    """A text, empty where there is none."""
    value = record.get(key)
    return value if isinstance(value, str) else ""


def number_of(record: t.Mapping[str, t.Any], key: str) -> int | None:
    """A whole number above 0, None where there is none."""
    value = record.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def mapping_of(record: t.Mapping[str, t.Any], key: str) -> dict[str, t.Any]:
    """An object, empty where there is none."""
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def texts_of(record: t.Mapping[str, t.Any], key: str) -> dict[str, str]:
    """An object of texts; other values are left out."""
    return {name: value for name, value in mapping_of(record, key).items() if isinstance(value, str)}


def role_of(instance: Instance) -> str:
    """The role in Warren's cluster, of env or param, else of a name such as warren-manager-1; empty for none."""
    told = [instance["env"].get(name, "") for name in ROLE_VARIABLES] + [instance["param"].get("role", "")]
    for word in told:
        if word:
            return word if word in ROLES else ""
    found = re.fullmatch(r"(?:.*-)?warren-(manager|worker|generator)(?:-.*)?", instance["name"])
    return found[1] if found else ""


def reachable(instance: Instance) -> bool:
    """Whether something may answer at its SSH port. Broken with a driver: the VM runs, only Lima's agent is gone."""
    runs = instance["status"] == "Running" or (instance["status"] == "Broken" and instance["driver_runs"])
    return runs and instance["ssh_port"] is not None and bool(instance["user"])


def internal_name(instance: Instance) -> str:
    """The name that other VMs on the user-v2 network know it by, empty where it is on none."""
    return f"{instance['hostname']}.internal" if "user-v2" in instance["networks"] and instance["hostname"] else ""


def connection_variables(instance: Instance, connect_with: str = "direct") -> dict[str, t.Any]:
    """What Ansible needs to log in: empty for an instance that is not up.

    ``direct``: all of it explicitly, so that Lima's own SSH master, which carries its port forwards, is never touched.
    ``ssh_config``: by Lima's file, with its master left alone.
    """
    if not reachable(instance):
        return {}
    if connect_with == "ssh_config":
        file = instance["ssh_config_file"].replace('"', '\\"')
        return {
            "ansible_connection": "ssh",
            "ansible_host": instance["hostname"],
            "ansible_ssh_common_args": f'-F "{file}" -o ControlPath=none',
        }
    address = instance["ssh_address"] or "127.0.0.1"
    return {
        "ansible_connection": "ssh",
        "ansible_host": address,
        "ansible_port": instance["ssh_port"],
        "ansible_user": instance["user"],
        "ansible_ssh_private_key_file": instance["identity_file"],
        "ansible_ssh_common_args": ON_LOOPBACK if is_loopback(address) else ELSEWHERE,
    }


def is_loopback(address: str) -> bool:
    """Whether it is this machine's own."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def host_variables(instance: Instance, prefix: str) -> dict[str, t.Any]:
    """The facts about an instance that every host gets. env, param and config may hold secrets: not they."""
    known: dict[str, t.Any] = {name: instance[name] for name in _FACTS}  # type: ignore[literal-required]
    known |= {
        "version": instance["lima_version"],
        "internal_name": internal_name(instance),
        "role": role_of(instance),
    }
    return {f"{prefix}{name}": value for name, value in known.items() if value not in (None, "")}


def expression_variables(instance: Instance, prefix: str) -> dict[str, t.Any]:
    """What expressions of the inventory file may use beside the host variables."""
    return {f"{prefix}{name}": instance[name] for name in ("env", "param", "config")}


def named(instance: Instance, names: t.Sequence[str]) -> bool:
    """Whether one of the shell patterns fits its name, or there is none."""
    return not names or any(fnmatch.fnmatchcase(instance["name"], pattern) for pattern in names)


def mac_address(machine_id: str, folder: str) -> str:
    """That of the first user-v2 interface of the instance in this folder, as Lima makes it (1.0 to 2.2).

    It is not the one in the record's `network`.
    """
    digest = hashlib.sha256((machine_id + folder).encode()).digest()
    return "52:55:55:" + ":".join(f"{byte:02x}" for byte in digest[:3])


def address_of(instance: Instance, machine_id: str, leases: t.Mapping[str, t.Any]) -> str:
    """Its user-v2 address in leases ({ip: mac}), empty if it has none."""
    mac = mac_address(machine_id, instance["dir"])
    return next((ip for ip, owner in leases.items() if str(owner).lower() == mac and _is_address(ip)), "")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def port_in(ssh_config: str) -> int | None:
    """The port that a ssh.config of Lima's names."""
    found = re.search(r"^\s*Port\s+(\d{1,5})\s*$", ssh_config, re.MULTILINE)
    return int(found[1]) if found else None


def version_in(text: str) -> tuple[int, ...] | None:
    """The numbers in `limactl version 1.0.7` (`v2.2.0`, `2.1.0-34-gabc`); None where it says no number."""
    found = re.search(r"\bv?(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in found.groups()) if found else None
