# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One page of Google's Compute API on loopback: the instances of a project, as its reference describes them.

The inventory plugin's address is wired in, so this is a proxy that is asked for www.googleapis.com and answers itself,
with a certificate of an authority that only the test trusts. It checks no filter; it keeps what it was asked.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import ssl
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

if t.TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "www.googleapis.com"
_BASE = f"https://{HOST}/compute/v1/projects/your-project"
ZONE = "europe-west1-b"


def _instance(number: int, role: str) -> dict[str, t.Any]:
    return {
        "kind": "compute#instance",
        "id": str(7000 + number),
        "name": f"wl-{role}",
        "status": "RUNNING",
        "zone": f"{_BASE}/zones/{ZONE}",
        "machineType": f"{_BASE}/zones/{ZONE}/machineTypes/e2-standard-2",
        "selfLink": f"{_BASE}/zones/{ZONE}/instances/wl-{role}",
        "labels": {"warren-load-run": "cluster-1", "warren-load-role": role},
        "metadata": {"kind": "compute#metadata", "fingerprint": "x"},
        "networkInterfaces": [
            {
                "name": "nic0",
                "network": f"{_BASE}/global/networks/default",
                "subnetwork": f"{_BASE}/regions/europe-west1/subnetworks/default",
                "networkIP": f"10.132.0.{number}",
                "accessConfigs": [{"name": "External NAT", "type": "ONE_TO_ONE_NAT", "natIP": f"198.51.100.{number}"}],
            }
        ],
        "disks": [],
    }


class Google:
    """Where the proxy listens, whom to trust, and which filters were asked for."""

    def __init__(self, address: str, authority: Path) -> None:
        self.address, self.authority = address, authority
        self.filters: list[str] = []

    @staticmethod
    def answer(path: str) -> dict[str, t.Any]:
        if not path.endswith("/aggregated/instances"):
            return {"kind": "compute#empty", "items": {}}
        instances = [_instance(10, "manager"), _instance(11, "worker")]
        return {"kind": "compute#instanceAggregatedList", "items": {f"zones/{ZONE}": {"instances": instances}}}


def google_environment(api: Google) -> dict[str, str]:
    """Leads the plugin's library to the proxy, with a token that is none."""
    return {
        "HTTPS_PROXY": api.address,
        "https_proxy": api.address,
        "REQUESTS_CA_BUNDLE": str(api.authority),
        "GCP_ACCESS_TOKEN": "testing",
    }


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A key and a certificate for HOST that is its own authority."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "google.key", folder / "google.crt"
    encoding = serialization.Encoding.PEM
    private = serialization.PrivateFormat.PKCS8
    paths[0].write_bytes(key.private_bytes(encoding, private, serialization.NoEncryption()))
    paths[1].write_bytes(certificate.public_bytes(encoding))
    return paths


@contextlib.contextmanager
def google(folder: Path) -> Iterator[Google]:
    """The proxy, for as long as it is needed."""
    key, certificate = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self) -> None:
            self.send_response(200)
            self.end_headers()
            if self.path != f"{HOST}:443":
                self.close_connection = True
                return
            self.connection = context.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb", 0)
            self.close_connection = False

        def finish(self) -> None:
            super().finish()
            self.connection.close()

        def do_GET(self) -> None:
            split = urlsplit(self.path)
            if split.path.endswith("/aggregated/instances"):
                api.filters += parse_qs(split.query).get("filter", [])
            body = json.dumps(api.answer(split.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api = Google(f"http://127.0.0.1:{server.server_port}", certificate)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
