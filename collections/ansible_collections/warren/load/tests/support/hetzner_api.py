# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small Hetzner Cloud on loopback: what docs.hetzner.cloud says of servers, networks, firewalls, keys and prices.

It keeps what is made in memory. A server takes a moment to be made, as an action that is asked for. More than ``limit``
servers are refused as Hetzner refuses them. Nothing stands behind the addresses.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import threading
import typing as t
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

if t.TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "t" * 64
LOCATION = {
    "id": 1,
    "name": "fsn1",
    "description": "Falkenstein DC Park 1",
    "country": "DE",
    "city": "Falkenstein",
    "latitude": 50.47612,
    "longitude": 12.370071,
    "network_zone": "eu-central",
}
DATACENTER = {
    "id": 4,
    "name": "fsn1-dc14",
    "description": "Falkenstein 1 DC14",
    "location": LOCATION,
    "server_types": {"supported": [114], "available": [114], "available_for_migration": [114]},
}
TYPE = {
    "id": 114,
    "name": "cx23",
    "description": "CX23",
    "category": "Shared vCPU",
    "cores": 2,
    "memory": 4.0,
    "disk": 40,
    "deprecated": False,
    "deprecation": None,
    "prices": [{"location": "fsn1", "price_hourly": {"net": "0.0048", "gross": "0.0057"}}],
    "storage_type": "local",
    "cpu_type": "shared",
    "architecture": "x86",
    "locations": [{"id": 1, "name": "fsn1", "deprecation": None}],
}
IMAGE = {
    "id": 114690387,
    "type": "system",
    "status": "available",
    "name": "debian-12",
    "description": "Debian 12",
    "image_size": None,
    "disk_size": 5,
    "created": "2023-06-13T06:00:03+00:00",
    "created_from": None,
    "bound_to": None,
    "os_flavor": "debian",
    "os_version": "12",
    "rapid_deploy": True,
    "protection": {"delete": False},
    "deprecated": None,
    "labels": {},
    "deleted": None,
    "architecture": "x86",
}
PRICING = {
    "currency": "EUR",
    "vat_rate": "19.00",
    "primary_ips": [
        {"type": "ipv4", "prices": [{"location": "fsn1", "price_hourly": {"net": "0.0008", "gross": "0.0010"}}]}
    ],
    "server_types": [{"id": 114, "name": "cx23", "prices": TYPE["prices"]}],
}
Record = dict[str, t.Any]
KINDS = ("servers", "networks", "firewalls", "ssh_keys")


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Hetzner:
    """What there is; ``lock`` guards it."""

    def __init__(self, limit: int = 1000) -> None:
        self.limit = limit
        self.lock = threading.Lock()
        self.requests: list[str] = []
        self._ids = itertools.count(1001)
        self._looks: dict[int, int] = {}  # by action, how often it was asked for
        self.there: dict[str, dict[int, Record]] = {kind: {} for kind in KINDS}

    # ------------------------------------------------------------------------------------------------- reading

    def listed(self, kind: str, query: dict[str, list[str]]) -> Record:
        fixed: dict[str, list[Record]] = {
            "locations": [LOCATION],
            "server_types": [TYPE],
            "images": [IMAGE],
            "datacenters": [DATACENTER],
        }
        found = fixed[kind] if kind in fixed else list(self.there[kind].values())
        if "name" in query:
            found = [each for each in found if each["name"] in query["name"]]
        if "status" in query:
            found = [each for each in found if each["status"] in query["status"]]
        for word in ",".join(query.get("label_selector", [])).split(","):
            key, equals, value = word.partition("=")
            if equals:
                found = [each for each in found if each["labels"].get(key) == value.lstrip("=")]
            elif key:
                found = [each for each in found if key in each["labels"]]
        page, size = int(query.get("page", ["1"])[0]), int(query.get("per_page", ["25"])[0])
        last = max(1, -(-len(found) // size))
        pagination = {
            "page": page,
            "per_page": size,
            "previous_page": page - 1 if page > 1 else None,
            "next_page": page + 1 if page < last else None,
            "last_page": last,
            "total_entries": len(found),
        }
        return {kind: found[(page - 1) * size : page * size], "meta": {"pagination": pagination}}

    def one(self, kind: str, number: int) -> Record:
        if kind in self.there and number not in self.there[kind]:
            raise Refused(404, "not_found", f"{kind} with ID '{number}' not found")
        if kind in self.there:
            return self.there[kind][number]
        return next(each for each in self.listed(kind, {})[kind] if each["id"] == number)

    # ------------------------------------------------------------------------------------------------ changing

    def action(self, command: str, **resource: int) -> Record:
        """One that is still running; it succeeds when it is asked for the second time."""
        number = next(self._ids)
        self._looks[number] = 0
        return self._action(number, command, "running", [{"type": k, "id": v} for k, v in resource.items()])

    @staticmethod
    def _action(number: int, command: str, status: str, resources: list[Record]) -> Record:
        return {
            "id": number,
            "command": command,
            "status": status,
            "progress": 100 if status == "success" else 0,
            "started": "2026-01-30T23:50:00+00:00",
            "finished": "2026-01-30T23:55:00+00:00" if status == "success" else None,
            "resources": resources,
            "error": None,
        }

    def looked(self, number: int) -> Record:
        self._looks[number] += 1
        return self._action(number, "any", "success" if self._looks[number] > 1 else "running", [])

    def _new(self, kind: str, asked: Record, **more: t.Any) -> Record:
        if any(each["name"] == asked["name"] for each in self.there[kind].values()):
            raise Refused(409, "uniqueness_error", f"{kind[:-1]} name is already used")
        number = next(self._ids)
        made = {
            "id": number,
            "name": asked["name"],
            "labels": asked.get("labels") or {},
            "created": datetime.now(UTC).isoformat(),
            **more,
        }
        self.there[kind][number] = made
        return made

    def make_servers(self, asked: Record) -> Record:
        if len(self.there["servers"]) >= self.limit:
            raise Refused(403, "resource_limit_exceeded", "server limit reached")
        number = len(self.there["servers"]) + 2
        made = self._new(
            "servers",
            asked,
            status="running" if asked.get("start_after_create", True) else "off",
            public_net={
                "ipv4": {"id": number, "ip": f"198.51.100.{number % 250}", "blocked": False, "dns_ptr": "x.example"},
                "ipv6": None,
                "floating_ips": [],
                "firewalls": [{"id": each["firewall"], "status": "applied"} for each in asked.get("firewalls") or []],
            },
            private_net=[
                {"network": each, "ip": f"10.77.0.{number}", "alias_ips": [], "mac_address": "86:00:ff:2a:7d:e1"}
                for each in asked.get("networks") or []
            ],
            server_type=TYPE,
            datacenter=DATACENTER,
            location=LOCATION,
            image=IMAGE,
            iso=None,
            rescue_enabled=False,
            locked=False,
            backup_window=None,
            outgoing_traffic=0,
            ingoing_traffic=0,
            included_traffic=0,
            protection={"delete": False, "rebuild": False},
            volumes=[],
            load_balancers=[],
            primary_disk_size=40,
            placement_group=None,
            user_data=asked.get("user_data"),
        )
        started = self.action("create_server", server=made["id"])
        return {"server": made, "action": started, "next_actions": [], "root_password": None}

    def make_networks(self, asked: Record) -> Record:
        made = self._new(
            "networks",
            asked,
            ip_range=asked["ip_range"],
            subnets=asked.get("subnets") or [],
            routes=[],
            servers=[],
            load_balancers=[],
            protection={"delete": False},
            expose_routes_to_vswitch=False,
        )
        return {"network": made}

    def make_firewalls(self, asked: Record) -> Record:
        made = self._new("firewalls", asked, rules=self._rules(asked.get("rules")), applied_to=[])
        return {"firewall": made, "actions": []}

    @staticmethod
    def _rules(asked: list[Record] | None) -> list[Record]:
        return [
            {"source_ips": [], "destination_ips": [], "port": None, "description": None, **rule} for rule in asked or []
        ]

    def make_ssh_keys(self, asked: Record) -> Record:
        if any(each["public_key"] == asked["public_key"] for each in self.there["ssh_keys"].values()):
            raise Refused(409, "uniqueness_error", "SSH key with the same fingerprint already exists")
        return {"ssh_key": self._new("ssh_keys", asked, public_key=asked["public_key"], fingerprint="b7:2f:30")}

    def act(self, kind: str, number: int, command: str, asked: Record) -> Record:
        it = self.one(kind, number)
        if command == "add_subnet":
            it["subnets"].append({"gateway": "10.77.0.1", "vswitch_id": None, **asked})
        elif command == "set_rules":
            it["rules"] = self._rules(asked["rules"])
        elif command == "poweron":
            it["status"] = "running"
        else:
            raise Refused(404, "not_found", f"this fake has no {kind} {command}")
        done = self.action(command, **{kind[:-1]: number})
        return {"actions": [done]} if kind == "firewalls" else {"action": done}

    def remove(self, kind: str, number: int) -> Record | None:
        self.one(kind, number)
        in_use = any(
            number in [each["id"] for each in server["public_net"]["firewalls"]]
            for server in self.there["servers"].values()
        )
        if kind == "firewalls" and in_use:
            raise Refused(409, "resource_in_use", "firewall is in use")
        del self.there[kind][number]
        return {"action": self.action("delete_server", server=number)} if kind == "servers" else None


def _answer(cloud: Hetzner, method: str, path: str, asked: Record) -> tuple[int, Record | None]:
    split = urlsplit(path)
    kind, *rest = split.path.removeprefix("/v1/").split("/")
    if kind == "pricing":
        return 200, {"pricing": PRICING}
    if kind == "actions":
        return 200, {"action": cloud.looked(int(rest[0]))}
    if method == "GET" and not rest:
        return 200, cloud.listed(kind, parse_qs(split.query))
    if method == "GET":
        return 200, {kind[:-1]: cloud.one(kind, int(rest[0]))}
    if method == "POST" and not rest:
        return 201, getattr(cloud, f"make_{kind}")(asked)
    if method == "POST":
        return 201, cloud.act(kind, int(rest[0]), rest[2], asked)
    if method == "PUT":
        it = cloud.one(kind, int(rest[0]))
        it |= asked
        return 200, {kind[:-1]: it}
    gone = cloud.remove(kind, int(rest[0]))
    return (200, gone) if gone else (204, None)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cloud: Hetzner

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        asked = json.loads(self.rfile.read(length) or b"{}")
        with self.cloud.lock:
            self.cloud.requests.append(f"{self.command} {re.sub('[?].*', '', self.path)}")
            try:
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    raise Refused(401, "unauthorized", "the token you provided is invalid")
                status, answer = _answer(self.cloud, self.command, self.path, asked)
            except Refused as refused:
                status = refused.status
                answer = {"error": {"code": refused.code, "message": str(refused), "details": None}}
            body = json.dumps(answer).encode() if answer is not None else b""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815, http.server asks for these names

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def hetzner(limit: int = 1000) -> Iterator[tuple[str, Hetzner]]:
    """The address of its API, and what there is."""
    cloud = Hetzner(limit)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"cloud": cloud}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", cloud
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


if __name__ == "__main__":  # pragma: no cover
    with hetzner() as (address, _):
        print(f"export HCLOUD_ENDPOINT={address} HCLOUD_TOKEN={TOKEN}", flush=True)
        threading.Event().wait()
