# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs on the controller: found, loaded, checked, refused."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.warren.load.plugins.plugin_utils.program_sources import SourceError, find

CONTENT = b"#!/bin/sh\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
URL = "https://example.org/warren"


def nothing(url: str) -> Any:
    raise AssertionError(f"{url} was loaded")


def serve(content: bytes) -> Any:
    return lambda url: io.BytesIO(content)


def elf(path: Path, machine: int) -> Path:
    path.write_bytes(b"\x7fELF\x02\x01" + bytes(12) + machine.to_bytes(2, "little") + bytes(44))
    return path


def test_a_local_file(tmp_path: Path) -> None:
    (tmp_path / "warren").write_bytes(CONTENT)
    found = find(str(tmp_path / "warren"), None, tmp_path / "kept", nothing)
    assert found == {"any": {"path": str(tmp_path / "warren"), "sha256": DIGEST}}
    assert not (tmp_path / "kept").exists()


def test_a_file_for_each_architecture(tmp_path: Path) -> None:
    elf(tmp_path / "warren-amd64", 62)
    elf(tmp_path / "warren-arm64", 183)
    assert set(find(str(tmp_path / "warren-{arch}"), None, tmp_path, nothing)) == {"amd64", "arm64"}
    elf(tmp_path / "warren-arm64", 62)
    with pytest.raises(SourceError, match="warren-arm64 was built for amd64, not for arm64"):
        find(str(tmp_path / "warren-{arch}"), None, tmp_path, nothing)


def test_a_checksum_that_differs(tmp_path: Path) -> None:
    (tmp_path / "warren").write_bytes(CONTENT)
    with pytest.raises(SourceError, match=f"has the SHA-256 {DIGEST}, not {'0' * 64}"):
        find(str(tmp_path / "warren"), "0" * 64, tmp_path, nothing)
    with pytest.raises(SourceError, match=f"{URL} has the SHA-256 {DIGEST}, not {'0' * 64}"):
        find(URL, "0" * 64, tmp_path / "kept", serve(CONTENT))
    assert [path for path in (tmp_path / "kept").rglob("*") if path.name == "warren"] == []


def test_a_url_is_loaded_once(tmp_path: Path) -> None:
    found = find(URL, DIGEST.upper(), tmp_path, serve(CONTENT))
    assert Path(found["any"]["path"]).read_bytes() == CONTENT
    assert Path(found["any"]["path"]).stat().st_mode & 0o111
    assert find(URL, DIGEST, tmp_path, nothing) == found


def test_an_archive(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, mode in (("x/README.md", 0o644), ("x/warren-linux-amd64", 0o755)):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(CONTENT), mode
            archive.addfile(entry, io.BytesIO(CONTENT))
    found = find(URL, hashlib.sha256(packed.getvalue()).hexdigest(), tmp_path, serve(packed.getvalue()))
    assert found["any"]["sha256"] == DIGEST


@pytest.mark.parametrize(
    ("source", "digests", "sentence"),
    [
        (URL, None, "set warren_load_binary_sha256 to its SHA-256"),
        (URL, "12", "a SHA-256 has 64 hexadecimal digits"),
        (URL + "-{arch}", DIGEST, "has to have one SHA-256 for each"),
        (URL + "-{arch}", {"x86": DIGEST}, "'x86', which is no architecture: say amd64 or arm64"),
        ("/no/warren", None, "'/no/warren', which is no file here"),
    ],
)
def test_refused(tmp_path: Path, source: str, digests: Any, sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        find(source, digests, tmp_path, nothing)


def test_a_server_that_refuses(tmp_path: Path) -> None:
    def refuse(url: str) -> Any:
        raise OSError("HTTP Error 404: Not Found")

    with pytest.raises(SourceError, match=r"cannot be loaded \(HTTP Error 404: Not Found\): see that the URL"):
        find(URL, DIGEST, tmp_path, refuse)
