# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warren's certificate authority and the files it leaves (facts/warren.md 2.6, 3.2).

One difference on purpose: the root key has 2048 bits, not 4096, because making the larger one takes seconds.
"""

from __future__ import annotations

import dataclasses
import datetime
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ORGANISATION = "Warren Cluster"
ROOT_NAME = "Warren Root CA"
LEAF_LIFETIME = datetime.timedelta(days=90)
ROOT_LIFETIME = datetime.timedelta(days=3650)
FILES = (("node.crt", 0o600), ("node.key", 0o600), ("ca.crt", 0o644))


@dataclasses.dataclass(frozen=True)
class Identity:
    """PEM texts: a certificate, its PKCS#1 key, and the root it is signed by."""

    certificate: bytes
    key: bytes
    root: bytes


def folder(kind: str, node_id: str = "") -> Path:
    """``~/.warren/certs/manager-<id>``, ``worker-<id>`` or ``cli``."""
    return Path(os.environ.get("HOME", ".")) / ".warren" / "certs" / (f"{kind}-{node_id}" if node_id else kind)


def complete(path: Path) -> bool:
    """Whether all three files are there."""
    return all((path / name).exists() for name, _mode in FILES)


def write(path: Path, identity: Identity) -> None:
    """Write the three files with Warren's names and modes."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for (name, mode), content in zip(FILES, (identity.certificate, identity.key, identity.root), strict=True):
        (path / name).write_bytes(content)
        (path / name).chmod(mode)


def read(path: Path) -> Identity:
    """What ``write`` wrote."""
    return Identity(*((path / name).read_bytes() for name, _mode in FILES))


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign,
        key_encipherment=not sign,
        key_cert_sign=sign,
        crl_sign=sign,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


class Authority:
    """A root of its own; its key is in this process's memory only."""

    def __init__(self) -> None:
        self._key = _key()
        now = datetime.datetime.now(datetime.UTC)
        self._root = (
            self._builder(ROOT_NAME, self._key, now, ROOT_LIFETIME)
            .add_extension(_usage(sign=True), critical=True)
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def root(self) -> bytes:
        """The root certificate as PEM."""
        return self._root.public_bytes(serialization.Encoding.PEM)

    @staticmethod
    def _builder(
        name: str, key: rsa.RSAPrivateKey, now: datetime.datetime, lifetime: datetime.timedelta
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(ROOT_NAME))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + lifetime)
        )

    def issue(self, common_name: str, sans: list[x509.GeneralName]) -> Identity:
        """A leaf with a new 2048-bit key; takes some tens of ms."""
        key = _key()
        builder = (
            self._builder(common_name, key, datetime.datetime.now(datetime.UTC), LEAF_LIFETIME)
            .add_extension(_usage(sign=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]),
                critical=False,
            )
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if sans:
            builder = builder.add_extension(x509.SubjectAlternativeName(sans), critical=False)
        leaf = builder.sign(self._key, hashes.SHA256())
        return Identity(
            leaf.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            ),
            self.root,
        )

    def issue_to_manager(self, node_id: str, bind_host: str) -> Identity:
        """A server's leaf: names ``manager-<id>`` and ``localhost``, and the bind address if it is an IP."""
        sans: list[x509.GeneralName] = [x509.DNSName(f"manager-{node_id}"), x509.DNSName("localhost")]
        try:
            sans.append(x509.IPAddress(ipaddress.ip_address(bind_host)))
        except ValueError:
            pass
        return self.issue(f"manager-{node_id}", sans)

    def issue_to_client(self, node_id: str, role: str) -> Identity:
        """What RequestCertificate answers: named after the token's role and the node, with no other names."""
        return self.issue(f"{role}-{node_id}", [])
