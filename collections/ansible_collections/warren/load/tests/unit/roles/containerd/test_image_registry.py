# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry of role containerd answers as a client of the distribution API expects."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import tarfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).resolve().parents[4] / "roles/containerd/files/image_registry.py"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = b"what a layer holds"


def load() -> Any:
    import sys

    spec = importlib.util.spec_from_file_location("image_registry", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["image_registry"] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


registry = load()


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def described(content: bytes, media_type: str, **more: Any) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(content), "size": len(content), **more}


def write(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def layout(path: Path, *names: str) -> Path:
    """An OCI archive with one image for each name, on an index for two architectures, of which one was exported."""
    blobs: dict[str, bytes] = {}
    tops = []
    for name in names:
        config = json.dumps({"created_for": name}).encode()
        manifest = json.dumps(
            {"schemaVersion": 2, "config": described(config, "c"), "layers": [described(LAYER, "l")]}
        ).encode()
        absent = described(b"not exported", MANIFEST)
        index = json.dumps({"schemaVersion": 2, "manifests": [described(manifest, MANIFEST), absent]}).encode()
        blobs |= {digest(each): each for each in (config, manifest, index, LAYER)}
        tops.append(described(index, INDEX, annotations={"io.containerd.image.name": name}))
    files = {f"blobs/sha256/{name.partition(':')[2]}": content for name, content in blobs.items()}
    return write(path, {"oci-layout": b"{}", "index.json": json.dumps({"manifests": tops}).encode(), **files})


def docker(path: Path) -> Path:
    """What docker before 25 saved, with a layer that is a link to another image's."""
    content = {
        "manifest.json": json.dumps(
            [{"Config": "c.json", "RepoTags": ["ours/web:1"], "Layers": ["a/layer.tar", "b/layer.tar"]}]
        ).encode(),
        "c.json": b"{}",
        "a/layer.tar": LAYER,
    }
    write(path, content)
    with tarfile.open(path, "a") as archive:
        link = tarfile.TarInfo("b/layer.tar")
        link.type, link.linkname = tarfile.SYMTYPE, "../a/layer.tar"
        archive.addfile(link)
    return path


@pytest.fixture
def serve() -> Iterator[Any]:
    servers = []

    def start(path: Path) -> str:
        handler = type("Handler", (registry.Handler,), {"images": registry.Images(str(path))})
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def get(url: str, method: str = "GET") -> tuple[bytes, Any]:
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=5) as answer:
        return answer.read(), answer.headers


def pull(base: str, name: str, tag: str) -> list[bytes]:
    """As containerd does it: the name's digest by HEAD, then everything by digest; the layers."""
    head, headers = get(f"{base}/v2/{name}/manifests/{tag}", "HEAD")
    assert head == b""
    content, again = get(f"{base}/v2/{name}/manifests/{headers['Docker-Content-Digest']}")
    assert digest(content) == headers["Docker-Content-Digest"]
    assert int(headers["Content-Length"]) == len(content)
    if again["Content-Type"] == INDEX:
        content, again = get(f"{base}/v2/{name}/manifests/{json.loads(content)['manifests'][0]['digest']}")
    assert again["Content-Type"] == MANIFEST
    manifest = json.loads(content)
    blobs = [get(f"{base}/v2/{name}/blobs/{each['digest']}")[0] for each in [manifest["config"], *manifest["layers"]]]
    assert [digest(blob) for blob in blobs] == [each["digest"] for each in [manifest["config"], *manifest["layers"]]]
    return blobs


def test_one_image_is_served_under_any_name(serve: Any, tmp_path: Path) -> None:
    base = serve(layout(tmp_path / "one.tar", "docker.io/library/nginx:alpine"))
    assert get(f"{base}/v2/")[0] == b"{}"
    for name, tag in (("nginx", "alpine"), ("library/nginx", "alpine"), ("any/thing", "latest")):
        assert pull(base, name, tag)[1:] == [LAYER]


def test_several_images_are_served_under_the_ends_of_their_names(serve: Any, tmp_path: Path) -> None:
    base = serve(layout(tmp_path / "two.tar", "docker.io/library/nginx:alpine", "docker.io/library/redis:7"))
    assert b"redis" in pull(base, "redis", "7")[0]
    assert b"nginx" in pull(base, "library/nginx", "alpine")[0]
    for name, tag in (("dis", "7"), ("nginx", "latest"), ("redis", "alpine")):
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(f"{base}/v2/{name}/manifests/{tag}")
        assert json.loads(refused.value.read())["errors"][0]["code"] == "MANIFEST_UNKNOWN"


def test_what_older_docker_saved(serve: Any, tmp_path: Path) -> None:
    base = serve(docker(tmp_path / "docker.tar"))
    assert pull(base, "ours/web", "1") == [b"{}", LAYER, LAYER]


def test_what_is_not_there_is_not_found(serve: Any, tmp_path: Path) -> None:
    base = serve(layout(tmp_path / "one.tar", "nginx:alpine"))
    for path in (f"/v2/nginx/blobs/{digest(b'other')}", f"/v2/nginx/manifests/{digest(b'other')}", "/v1", "/"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(base + path)
        assert refused.value.code == 404
        refused.value.close()


@pytest.mark.parametrize(
    ("files", "said"),
    [(None, "cannot be read: No such file"), (b"no tar", "is no archive of images"), ({}, "holds no image")],
)
def test_a_wrong_archive_is_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: Any, said: str
) -> None:
    path = tmp_path / "wrong.tar"
    if isinstance(files, bytes):
        path.write_bytes(files)
    elif files is not None:
        write(path, files)
    monkeypatch.setattr("sys.argv", ["image_registry", "--archive", str(path)])
    assert registry.main() == 1
    assert said in capsys.readouterr().err
