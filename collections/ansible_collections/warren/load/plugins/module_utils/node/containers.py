# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Warren's containers on a host use, apart from Warren itself.

A container's processes descend from its shim, whose command line names Warren's namespace of containerd. That holds
for every version and layout of control groups. PRIVATE to the collection. Standard library only, Python 3.9 and newer.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from ansible_collections.warren.load.plugins.module_utils.node import process_table

NAME = "containerd-shim"  # as far as the kernel keeps it: containerd-shim-runc-v2
SHIM = re.compile(r"^\S*containerd-shim\S* .*-namespace warren( |$)")


@dataclass(frozen=True)
class Containers:
    """``count`` of those that run, and bytes that their processes and their shims take; shared pages count once."""

    count: int
    memory: int
    shims: int


def look() -> Containers | None:
    """All of this host's; None where there is no /proc."""
    if not process_table.has_proc():
        return None
    processes = process_table.table()
    children = process_table.children(processes)
    # To read everybody's command line would cost several times what the table does.
    named = [pid for pid, (name, _parent) in processes.items() if name == NAME]
    shims = [pid for pid in named if SHIM.match(" ".join(process_table.command_line(pid)))]
    inside = [_family(children.get(shim, []), children) for shim in shims]
    return Containers(
        count=sum(bool(pids) for pids in inside),
        memory=sum(memory(pid) for pids in inside for pid in pids),
        shims=sum(memory(pid) for pid in shims),
    )


def memory(pid: int) -> int:
    """Bytes of a process, each page divided by how many share it; all its resident ones where the kernel hides that."""
    text = process_table.read_text(os.path.join(process_table.PROC, str(pid), "smaps_rollup"))
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    if found:
        return int(found.group(1)) * 1024
    usage = process_table.usage(pid)
    return usage.rss if usage is not None else 0


def _family(pids: list[int], children: dict[int, list[int]]) -> list[int]:
    """The processes and all that descend from them."""
    found: list[int] = []
    waiting = list(pids)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found
