# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs on the controller, found there or loaded from where they are released. PRIVATE to the collection."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tarfile
import typing as t
from pathlib import Path

from ansible_collections.warren.load.plugins.module_utils.node.programs import ANY, architecture, sha256

ARCHITECTURES = ("amd64", "arm64")
PLACE = "{arch}"
DIGEST = re.compile(r"[0-9a-f]{64}")

Opener = t.Callable[[str], t.Any]  # a URL: what read() reads


class SourceError(Exception):
    """A program that is not to be had; str() is one sentence."""


def is_url(source: str) -> bool:
    """Whether the source is to be loaded."""
    return re.match(r"https?://", source) is not None


def find(source: str, digests: t.Any, folder: Path, opener: Opener, only_look: bool = False) -> dict[str, t.Any]:
    """``{architecture: {path, sha256}}`` of the programs that ``source`` names; see module `program_source`."""
    known = _digests(source, digests)
    if is_url(source):
        return _loaded(source, known, folder, opener, only_look)
    found = {}
    for name in ARCHITECTURES if PLACE in source else [ANY]:
        path = Path(os.path.abspath(os.path.expanduser(source.replace(PLACE, name))))
        if not path.is_file():
            continue
        built, digest = architecture(str(path)), sha256(str(path))
        if built not in (ANY, name) and name != ANY:
            raise SourceError(
                f"warren_load_binary: {path} was built for {built}, not for {name}, as its name says: see how it was "
                "built."
            )
        _check(str(path), digest, known.get(name) or known.get(ANY))
        found[built if name == ANY else name] = {"path": str(path), "sha256": digest}
    if not found:
        raise SourceError(
            f"warren_load_binary is {source!r}, which is no file here: give the path of a Warren program on this "
            "machine, or a URL with warren_load_binary_sha256."
        )
    return found


def _digests(source: str, given: t.Any) -> dict[str, str]:
    """The checksums by architecture, `any` for one that stands alone."""
    named = given if isinstance(given, dict) else ({ANY: given} if given not in (None, "") else {})
    named = {str(name): str(value).strip().lower().removeprefix("sha256:") for name, value in named.items()}
    for name, value in named.items():
        if not DIGEST.fullmatch(value):
            raise SourceError(f"warren_load_binary_sha256 is {value!r}: a SHA-256 has 64 hexadecimal digits.")
        if name not in (*ARCHITECTURES, ANY):
            raise SourceError(
                f"warren_load_binary_sha256 has {name!r}, which is no architecture: say {' or '.join(ARCHITECTURES)}."
            )
    if is_url(source) and not named:
        raise SourceError(
            "warren_load_binary is a URL, and what it loads must be known before it runs: set "
            "warren_load_binary_sha256 to its SHA-256."
        )
    if is_url(source) and PLACE in source and ANY in named:
        raise SourceError(
            "warren_load_binary names a file for each architecture, so warren_load_binary_sha256 has to have one "
            "SHA-256 for each: say {amd64: …, arm64: …} with those that there are."
        )
    return named


def _check(what: str, digest: str, wanted: str | None) -> None:
    if wanted and digest != wanted:
        raise SourceError(
            f"warren_load_binary: {what} has the SHA-256 {digest}, not {wanted}, as warren_load_binary_sha256 says: "
            "it is not used; see where it comes from."
        )


def _loaded(
    source: str, digests: dict[str, str], folder: Path, opener: Opener, only_look: bool
) -> dict[str, dict[str, str]]:
    found = {}
    for name, wanted in digests.items():
        url = source.replace(PLACE, name)
        path = folder / wanted[:16] / "warren"
        if not path.is_file():
            if only_look:
                continue
            folder.mkdir(parents=True, exist_ok=True)
            with open(folder / f"{wanted[:16]}.lock", "w", encoding="ascii") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # two playbooks may want the same
                if not path.is_file():
                    _load(url, wanted, path, opener)
        built = architecture(str(path))
        if built not in (ANY, name) and name != ANY:
            raise SourceError(f"warren_load_binary: {url} was built for {built}, not for {name}: see what it names.")
        found[built if name == ANY else name] = {"path": str(path), "sha256": sha256(str(path))}
    return found


def _load(url: str, wanted: str, path: Path, opener: Opener) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name("loaded")
    try:
        try:
            with opener(url) as stream, open(part, "wb") as target:
                shutil.copyfileobj(stream, target)
        except OSError as error:  # urllib's errors are
            reason = " ".join(str(getattr(error, "reason", error)).split())
            raise SourceError(
                f"warren_load_binary: {url} cannot be loaded ({reason}): see that the URL is right and that this "
                "machine gets there."
            ) from error
        _check(url, sha256(str(part)), wanted)
        if tarfile.is_tarfile(part):
            _unpack(part, path.with_name("unpacked"), url)
            part.unlink()
            part = path.with_name("unpacked")
        part.chmod(0o755)
        part.replace(path)
    finally:
        for left in (part, path.with_name("unpacked")):
            left.unlink(missing_ok=True)


def _unpack(archive: Path, target: Path, url: str) -> None:
    """Take the one program called warren… out of the archive."""
    with tarfile.open(archive) as stream:
        members = [each for each in stream.getmembers() if each.isfile() and Path(each.name).name.startswith("warren")]
        programs = [
            each for each in members if each.mode & 0o100 and not each.name.endswith((".md", ".txt", ".sha256"))
        ]
        if len(programs) != 1:
            names = ", ".join(each.name for each in programs) or "none"
            raise SourceError(f"warren_load_binary: {url} must hold one program called warren, and holds {names}.")
        content = stream.extractfile(programs[0])
        if content is not None:
            with content, open(target, "wb") as out:
                shutil.copyfileobj(content, out)
