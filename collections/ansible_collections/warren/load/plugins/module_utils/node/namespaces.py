# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of Linux namespaces, held by one sleeping process: it is their pid 1, and all of them end with it.

Nothing is bind-mounted to keep them, so nothing is left behind by whoever dies. Needs root.
PRIVATE to the collection. Standard library only, Python 3.9 and newer.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import signal
import socket
import time
from collections.abc import Iterable

from ansible_collections.warren.load.plugins.module_utils.node import process_table

# From linux/sched.h: mount, uts, ipc, pid and network namespaces.
NEW_NAMESPACES = 0x00020000 | 0x04000000 | 0x08000000 | 0x20000000 | 0x40000000
# From linux/mount.h.
NOSUID, NODEV, NOEXEC, BIND, RECURSIVE, SLAVE = 2, 4, 8, 4096, 16384, 1 << 19
DETACH = 2  # for umount2()

MARK = "WARREN_LOAD_NETNS"  # in the environment of a holder: whose namespaces they are
FOREVER = "2147483647"  # seconds; not every sleep knows "infinity"


class NamespaceError(Exception):
    """Why the kernel made no namespaces, as the end of a sentence."""


def hold(hostname: str, binds: Iterable[tuple[str, str]], mark: str) -> int:
    """Make namespaces and a process that holds them; its pid, as seen from here.

    ``binds`` are (source, target) of what is mounted over the machine's own files and folders in there. When this
    returns, all is mounted, and `lo` and the network are still to be set up. Until then a holder has no mark.
    """
    answer, question = os.pipe()
    child = os.fork()
    if child == 0:
        _be_parent(hostname, list(binds), mark, question)
    os.close(question)
    os.waitpid(child, 0)
    with os.fdopen(answer, "rb") as stream:
        pid, _newline, trouble = stream.read().decode(errors="replace").partition("\n")
    if trouble or not pid.isdigit():
        raise NamespaceError(trouble or pid or "no reason given")
    return int(pid)


def holders(prefix: str) -> dict[str, int]:
    """{mark: pid} of every holder whose mark starts with ``prefix``."""
    found = {}
    wanted = f"{MARK}={prefix}".encode()
    for pid in process_table.pids():
        try:
            with open(f"/proc/{pid}/environ", "rb") as stream:
                words = stream.read().split(b"\0")
        except OSError:
            continue  # it has ended meanwhile
        for word in words:
            if word.startswith(wanted) and process_table.start_time(pid) is not None:
                found[word.decode().partition("=")[2]] = pid
    return found


def end(pids: Iterable[int], timeout: float = 60.0) -> list[int]:
    """Kill holders, and with each all that runs in its namespaces; those that are still there after the time-out."""
    left = {}
    for pid in pids:
        start = process_table.start_time(pid)
        if start is not None:
            left[pid] = start
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + timeout
    while left and time.monotonic() < deadline:
        left = {pid: start for pid, start in left.items() if process_table.start_time(pid) == start}
        time.sleep(0.01 if left else 0)
    return list(left)


def _be_parent(hostname: str, binds: list[tuple[str, str]], mark: str, question: int) -> None:
    """In a child of its own: only what is born after unshare() is in the new pid namespace."""
    try:
        _call("unshare", NEW_NAMESPACES)
        holder = os.fork()
        if holder:
            os.write(question, f"{holder}\n".encode())
            os._exit(0)
        _furnish(hostname, binds)
        # PID 1 must not collect zombies: the kernel does it for a process that does not want to know.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        for fd in os.listdir("/proc/self/fd"):
            if int(fd) > 2:
                try:
                    os.set_inheritable(int(fd), False)
                except OSError:
                    pass  # the one that listed the folder
        os.execvpe("sleep", ["sleep", FOREVER], {MARK: mark, "PATH": os.environ.get("PATH", os.defpath)})
    except BaseException as error:  # this is a copy of the caller, and must not go on as one
        os.write(question, _told(error).encode())
    finally:
        os._exit(1)


def _told(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return repr(error)


def _furnish(hostname: str, binds: list[tuple[str, str]]) -> None:
    """What a host has for itself. Mounts of the machine appear and go here too, ours never appear there (slave)."""
    os.setsid()
    silence = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(silence, fd)
    _mount("none", "/", "", RECURSIVE | SLAVE)
    socket.sethostname(hostname)
    _mount("proc", "/proc", "proc", NOSUID | NODEV | NOEXEC)
    cgroups = os.open("/sys/fs/cgroup", os.O_PATH) if os.path.isdir("/sys/fs/cgroup") else None
    _mount("sysfs", "/sys", "sysfs", NOSUID | NODEV | NOEXEC)
    if cgroups is not None:
        _mount(f"/proc/self/fd/{cgroups}", "/sys/fs/cgroup", "", BIND | RECURSIVE)
    for source, target in binds:
        _unmount_below(target)
        _mount(source, target, "", BIND)
    # A hundred ports on one bridge: without IPv6 nothing is said to all of them at each start.
    quiet = "/proc/sys/net/ipv6/conf/default/disable_ipv6"
    if os.path.exists(quiet):
        with open(quiet, "w", encoding="ascii") as stream:
            stream.write("1")
    os.chdir("/")


def _unmount_below(folder: str) -> None:
    """What is mounted in a folder that is about to be covered, such as /run/netns/NAME: it would be kept from going."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as stream:
        places = mounted_below(folder, stream)
    for place in places:
        _call("umount2", os.fsencode(place), DETACH, name=place)


def mounted_below(folder: str, mountinfo: Iterable[str]) -> list[str]:
    """What is mounted in the folder, the innermost first; OSError if to unmount it would unmount it elsewhere, too."""
    found = []
    for line in mountinfo:
        fields = line.partition(" - ")[0].split()
        # The kernel writes blanks and their like as octal numbers.
        place = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[4])
        if place.startswith(folder + "/"):
            if any(each.startswith("shared:") for each in fields[6:]):
                raise OSError(errno.EBUSY, "the mount is shared with the machine", place)
            found.append(place)
    return found[::-1]


def _mount(source: str, target: str, kind: str, flags: int) -> None:
    words = (os.fsencode(each) for each in (source, target, kind))
    _call("mount", *words, ctypes.c_ulong(flags), None, name=target)


def _call(function: str, *arguments: object, name: str = "") -> None:
    """A function of the C library that answers 0, or sets errno."""
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, function)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), f"{function} {name}".strip())
