# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is and has to spare, and which program runs there. Linux reads /proc, macOS asks sysctl and vm_stat.

PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on cluster nodes.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import re
import resource
import shutil
from typing import Any

from ansible_collections.warren.load.plugins.module_utils.node import commands, process_table

MEGABYTE = 1 << 20


def look(path: str, name: str) -> tuple[dict[str, Any], list[str]]:
    """The host as ``environment.hosts[]`` of the results has it, memory and disk in MB, and a sentence for each gap.

    ``path``: the disk is the one that holds it, or will; ``name`` is the host's, for the sentences.
    """
    system = platform.uname()
    facts: dict[str, Any] = {
        "os": _os_name(system.system),
        "kernel": system.release,
        "arch": system.machine,
        "cpu_model": _cpu_model(),
        "cores": os.cpu_count(),
        **dict(zip(("memory", "memory_available"), memory(), strict=False)),
        "disk_free": disk_free(path),
        "disk_path": path,
        "open_files_limit": _limit(resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
        "machine": _machine(),
    }
    names = {
        "cpu_model": "The CPU's model",
        "memory": "How much memory there is",
        "memory_available": "How much memory is free",
        "disk_free": f"How much room the disk of {path} has",
    }
    return facts, [f"{what} is not known of {name}." for key, what in names.items() if facts[key] is None]


def open_files_limit(pid: int) -> int | None:
    """How many files a process may have open (soft limit); None where the system does not say, or there is no limit."""
    try:
        with open(os.path.join(process_table.PROC, str(pid), "limits"), encoding="utf-8") as stream:
            found = re.search(r"^Max open files\s+(\d+)", stream.read(), re.MULTILINE)
    except OSError:
        return None
    return int(found.group(1)) if found else None


def data_dir(pid: int) -> str | None:
    """The folder that a process was given as --data-dir, None where it was given none or hides it."""
    words = process_table.command_line(pid)
    for word, following in zip(words, [*words[1:], ""], strict=False):
        name, equals, value = word.partition("=")
        if name == "--data-dir":
            try:
                base = os.readlink(os.path.join(process_table.PROC, str(pid), "cwd"))
            except OSError:
                base = ""
            path = os.path.join(base, value if equals else following)
            return path if os.path.isabs(path) else None
    return None


def program(pid: int) -> tuple[dict[str, Any] | None, str]:
    """({path, sha256, version} of what a process runs, ""), or (None, why it is not known, as a clause).

    A Python that runs a file counts as that file: it is the program, and says no version. Others are asked for theirs.
    """
    words = process_table.command_line(pid)
    exe = os.path.join(process_table.PROC, str(pid), "exe")
    path: str | None
    try:
        path = readable = os.readlink(exe)
        # The file behind a running program can be read even after it was replaced or removed.
        readable = exe
    except OSError:
        path = readable = shutil.which(words[0]) or "" if words else ""
    script = next((word for word in words[1:] if not word.startswith("-")), "")
    scripted = os.path.basename(path).lower().startswith("python") and os.path.isfile(script)
    if scripted:
        path = readable = script
    if not path:
        return None, "the process belongs to another user, or has ended"
    try:
        status = os.stat(readable)
        digest = _sha256(readable, status.st_dev, status.st_ino, status.st_mtime)
    except OSError as error:
        return None, f"{path} cannot be read ({error.strerror}): log in as root, or as the user who runs it"
    return {"path": path, "sha256": digest, "version": "" if scripted else _version(path)}, ""


@functools.cache
def _sha256(path: str, *_which_file: Any) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while chunk := stream.read(MEGABYTE):
            digest.update(chunk)
    return digest.hexdigest()


@functools.cache
def _version(path: str) -> str:
    """The first line that ``--version`` prints, without the words before the version itself; "" where there is none."""
    lines = commands.output([path, "--version"]).strip().splitlines()
    return re.sub(r"^.*\bversion:?\s+", "", lines[0], flags=re.IGNORECASE)[:80] if lines else ""


def _limit(value: int) -> int | None:
    return None if value == resource.RLIM_INFINITY else value


def _os_name(system: str) -> str:
    if system == "Darwin":
        return f"macOS {platform.mac_ver()[0]}".strip()
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        found = re.search(r'^PRETTY_NAME="?([^"\n]+)', process_table.read_text(path), re.MULTILINE)
        if found:
            return found.group(1)
    return system


def _cpu_model() -> str | None:
    text = process_table.read_text(os.path.join(process_table.PROC, "cpuinfo"))
    # ARM tells a number in place of a name.
    found = re.search(r"^(?:model name|Model|Hardware|cpu model)\s*:\s*(\S.*)$", text, re.MULTILINE)
    if found:
        return found.group(1).strip()
    return commands.output(["sysctl", "-n", "machdep.cpu.brand_string"]).strip() or platform.processor() or None


def memory() -> tuple[int | None, int | None]:
    """MB in all, and MB that programs could still have."""
    text = process_table.read_text(os.path.join(process_table.PROC, "meminfo"))
    found = dict(re.findall(r"^(MemTotal|MemAvailable):\s+(\d+) kB", text, re.MULTILINE))
    if found:
        total, free = found.get("MemTotal"), found.get("MemAvailable")
        return (int(total) // 1024 if total else None, int(free) // 1024 if free else None)
    total = commands.output(["sysctl", "-n", "hw.memsize"]).strip()
    return (int(total) // MEGABYTE if total.isdigit() else None, _vm_stat(commands.output(["vm_stat"])))


def _vm_stat(text: str) -> int | None:
    """MB that macOS could give to a program, from what ``vm_stat`` prints; None if it prints something else."""
    size = re.search(r"page size of (\d+) bytes", text)
    pages = [int(count) for count in re.findall(r"^Pages (?:free|inactive|speculative):\s+(\d+)", text, re.MULTILINE)]
    return int(size.group(1)) * sum(pages) // MEGABYTE if size and pages else None


def disk_free(path: str) -> int | None:
    """MB that the caller may still write on the disk of the nearest folder that exists."""
    while path and not os.path.isdir(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    try:
        disk = os.statvfs(path)
    except OSError:
        return None
    return disk.f_bavail * disk.f_frsize // MEGABYTE


def _machine() -> str:
    """What two names of one machine have in common: its boot."""
    boot = process_table.read_text(os.path.join(process_table.PROC, "sys/kernel/random/boot_id")).strip()
    boot = boot or commands.output(["sysctl", "-n", "kern.bootsessionuuid"]).strip() or platform.node()
    return hashlib.sha256(boot.encode()).hexdigest()[:12]
