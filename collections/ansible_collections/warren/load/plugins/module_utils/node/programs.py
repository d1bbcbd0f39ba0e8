# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program file is: for which machine it was built, what it contains, and what it says it can do.

PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on cluster nodes.
"""

from __future__ import annotations

import hashlib
import platform
import re
from typing import Any

from ansible_collections.warren.load.plugins.module_utils.node import commands

ANY = "any"  # a script, or a format that does not tell
MACHINES = {3: "386", 40: "arm", 62: "amd64", 183: "arm64", 243: "riscv64"}  # of ELF headers, as Go calls them
NAMES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "riscv64": "riscv64"}
PATIENCE = 20.0  # seconds for the program to say what it can do
FLAGS = ("--manager-only", "--external-containerd")


class ProgramError(Exception):
    """A program that cannot be used; str() is one sentence."""


def architecture(path: str) -> str:
    """The architecture that the file was built for, such as amd64; `any` where its format does not tell."""
    with open(path, "rb") as stream:
        head = stream.read(20)
    if len(head) < 20 or head[:4] != b"\x7fELF":
        return ANY
    order = "little" if head[5] == 1 else "big"
    number = int.from_bytes(head[18:20], order)  # type: ignore[arg-type]  # Python 3.9's stubs want a literal
    return MACHINES.get(number, f"machine {number}")


def own_architecture() -> str:
    """This host's, as Go calls it."""
    machine = platform.machine().lower()
    return NAMES.get(machine, machine)


def sha256(path: str) -> str:
    """The checksum of the file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for chunk in iter(lambda: stream.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def features(path: str) -> dict[str, Any]:
    """What the program can do, by asking it: release binaries of every version say "dev" (facts/warren.md 2.1).

    Returns ``{dialect, flags, version}``. Raises ProgramError for what is no Warren program that runs here.
    """
    built, own = architecture(path), own_architecture()
    if built not in (ANY, own):
        raise ProgramError(f"{path} was built for {built}, and this host is {own}: give a program for {own}.")
    root = commands.output([path, "--help"], PATIENCE)
    init = commands.output([path, "cluster", "init", "--help"], PATIENCE)
    if "cluster" not in root or "--data-dir" not in init:
        raise ProgramError(f"{path} is no Warren program that runs on this host: see what {path} --help says there.")
    said = commands.output([path, "--version"], PATIENCE).split("\n")[0].strip()
    return {
        # The command came with TLS and the names of v1.1.
        "dialect": "containers" if re.search(r"^  init ", root, re.MULTILINE) else "tasks",
        "flags": [flag for flag in FLAGS if flag in root or flag in init],
        "version": said,
    }
