# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry of the images in one archive, for hosts that reach no other.

    python3 image_registry.py --archive nginx.tar --port 5000

Workers pull what they are told as 127.0.0.1:5000/NAME:TAG: containerd speaks plain HTTP to loopback addresses. The
archive is what `docker save`, `podman save`, `skopeo copy ... oci-archive:` or `ctr images export` write. Only reads
are answered (https://github.com/opencontainers/distribution-spec). Nothing is unpacked: blobs are sent from where
they lie in the file.

Standard library only, Python 3.9 and newer.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import tarfile
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, Any

OCI = "application/vnd.oci.image."
NAME = "org.opencontainers.image.ref.name"
FULL_NAME = "io.containerd.image.name"


class ArchiveError(Exception):
    """Why the archive cannot be served, as a sentence."""


@dataclass(frozen=True)
class Blob:
    """Bytes to send: `size` of them, from `offset` of the archive, or `content`."""

    media_type: str
    size: int
    offset: int = 0
    content: bytes | None = None


class Images:
    """What an archive holds: blobs by their digest, and the digests of images by their names."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.blobs: dict[str, Blob] = {}
        self.names: dict[str, str] = {}
        try:
            with tarfile.open(path, "r:") as archive:
                members = {member.name.lstrip("./"): member for member in archive.getmembers()}
                with open(path, "rb") as stream:
                    if "index.json" in members:
                        self._read_layout(stream, members)
                    elif "manifest.json" in members:
                        self._read_docker(stream, members)
        except OSError as error:
            raise ArchiveError(f"{path} cannot be read: {error.strerror}.") from error
        except (tarfile.TarError, ValueError, KeyError, TypeError) as error:
            raise ArchiveError(f"{path} is no archive of images (a tar file, not compressed): {error}.") from error
        if not self.names:
            raise ArchiveError(f"{path} holds no image: write it with docker save, podman save or ctr images export.")

    def digest(self, repository: str, reference: str) -> str:
        """That of the image which a pull asks for; of an archive with one image that one, whatever it is called."""
        if reference in self.blobs:
            return reference
        ends = [digest for name, digest in self.names.items() if f"/{name}".endswith(f"/{repository}:{reference}")]
        if ends:
            return ends[0]
        alone = set(self.names.values())
        return alone.pop() if len(alone) == 1 and not reference.startswith("sha256:") else ""

    def _read_layout(self, stream: IO[bytes], members: dict[str, tarfile.TarInfo]) -> None:
        """An OCI image layout: the blobs are named by their digests; what they are is said where they are named."""
        for name, member in members.items():
            found = re.fullmatch(r"blobs/(sha256)/([0-9a-f]{64})", name)
            if found and member.isfile():
                self.blobs[f"{found[1]}:{found[2]}"] = Blob("application/octet-stream", member.size, member.offset_data)
        for each in _json(stream, members["index.json"])["manifests"]:
            digest = each["digest"]
            self._name_type(stream, digest, each.get("mediaType"))
            notes = each.get("annotations") or {}
            for said in (notes.get(FULL_NAME), notes.get(NAME), digest):
                if said:
                    self.names.setdefault(said, digest)

    def _name_type(self, stream: IO[bytes], digest: str, media_type: str | None) -> None:
        """Tell of a manifest or index, and of the manifests in it, which type they are."""
        blob = self.blobs.get(digest)
        if blob is None:
            return  # of an architecture that was not exported
        content = json.loads(_bytes(stream, blob.offset, blob.size))
        kind = "index" if "manifests" in content else "manifest"
        said = media_type or content.get("mediaType") or f"{OCI}{kind}.v1+json"
        self.blobs[digest] = Blob(str(said), blob.size, blob.offset)
        for each in content.get("manifests", []):
            self._name_type(stream, each["digest"], each.get("mediaType"))

    def _read_docker(self, stream: IO[bytes], members: dict[str, tarfile.TarInfo]) -> None:
        """What docker before 25 saved: no manifests, so they are made here."""
        for image in _json(stream, members["manifest.json"]):
            config = self._add(stream, members[image["Config"]], f"{OCI}config.v1+json")
            layers = [self._add(stream, _target(members, name), f"{OCI}layer.v1.tar") for name in image["Layers"]]
            manifest = {"schemaVersion": 2, "mediaType": f"{OCI}manifest.v1+json", "config": config, "layers": layers}
            content = json.dumps(manifest).encode()
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            self.blobs[digest] = Blob(f"{OCI}manifest.v1+json", len(content), content=content)
            for name in [*(image.get("RepoTags") or []), digest]:
                self.names[name] = digest

    def _add(self, stream: IO[bytes], member: tarfile.TarInfo, media_type: str) -> dict[str, Any]:
        hashed = hashlib.sha256()
        stream.seek(member.offset_data)
        left = member.size
        while left:
            part = stream.read(min(left, 1 << 20))
            hashed.update(part)
            left -= len(part)
        digest = f"sha256:{hashed.hexdigest()}"
        self.blobs[digest] = Blob(media_type, member.size, member.offset_data)
        return {"mediaType": media_type, "digest": digest, "size": member.size}


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD of the distribution API."""

    protocol_version = "HTTP/1.1"
    images: Images

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        pass

    def _answer(self, with_body: bool) -> None:
        path = self.path.partition("?")[0]
        found = re.fullmatch(r"/v2/(.+)/(manifests|blobs)/([^/]+)", path)
        if path in ("/v2", "/v2/"):
            self._send(Blob("application/json", 2, content=b"{}"), "", with_body)
        elif not found:
            self._refuse("UNSUPPORTED", with_body)
        else:
            digest = self.images.digest(found[1], found[3])
            blob = self.images.blobs.get(digest)
            if blob is None:
                self._refuse("MANIFEST_UNKNOWN" if found[2] == "manifests" else "BLOB_UNKNOWN", with_body)
            else:
                self._send(blob, digest, with_body)

    def _send(self, blob: Blob, digest: str, with_body: bool, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", blob.media_type)
        self.send_header("Content-Length", str(blob.size))
        self.send_header("Docker-Distribution-API-Version", "registry/2.0")
        if digest:
            self.send_header("Docker-Content-Digest", digest)
        self.end_headers()
        if with_body and blob.content is not None:
            self.wfile.write(blob.content)
        elif with_body:
            with open(self.images.path, "rb") as stream:
                stream.seek(blob.offset)
                left = blob.size
                while left:
                    part = stream.read(min(left, 1 << 20))
                    self.wfile.write(part)
                    left -= len(part)

    def _refuse(self, code: str, with_body: bool) -> None:
        content = json.dumps({"errors": [{"code": code, "message": f"{self.path} is not in the archive"}]}).encode()
        self._send(Blob("application/json", len(content), content=content), "", with_body, 404)


def _bytes(stream: IO[bytes], offset: int, size: int) -> bytes:
    stream.seek(offset)
    return stream.read(size)


def _json(stream: IO[bytes], member: tarfile.TarInfo) -> Any:
    return json.loads(_bytes(stream, member.offset_data, member.size))


def _target(members: dict[str, tarfile.TarInfo], name: str) -> tarfile.TarInfo:
    """A member, or what it is a link to: docker wrote a layer that two images share once."""
    member = members[name]
    if member.issym():
        folder = name.rpartition("/")[0].split("/")
        parts = member.linkname.split("/")
        while parts[0] == "..":
            parts, folder = parts[1:], folder[:-1]
        return members["/".join([*folder, *parts])]
    return members[member.linkname] if member.islnk() else member


def main() -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--archive", required=True)
    parser.add_argument("--port", type=int, default=5000)
    arguments = parser.parse_args()
    try:
        Handler.images = Images(arguments.archive)
        server = ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler)
    except ArchiveError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Port {arguments.port} cannot be listened on: {error.strerror}.", file=sys.stderr)
        return 1
    print(f"Serving {', '.join(Handler.images.names)} on port {arguments.port}", flush=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
