# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: processes
short_description: The processes whose command line names a text
description: Lets a scenario assert what runs and that nothing is left. Only for this repository.
options:
  _terms: {description: The texts to look for., required: true}
"""

RETURN = r"""
_raw: {description: "One dictionary a process, with C(pid) and C(command).", type: list, elements: dict}
"""

import subprocess
from pathlib import Path
from typing import Any

from ansible.plugins.lookup import LookupBase


def command_lines() -> dict[int, str]:
    """Every process and its command line; from /proc where there is one, since ps is not on every Linux."""
    if not Path("/proc/self/cmdline").exists():
        listing = subprocess.run(["ps", "-axww", "-o", "pid=,args="], check=True, capture_output=True, text=True).stdout
        return {int(pid): command for pid, command in (line.split(None, 1) for line in listing.splitlines())}
    commands: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            commands[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it has ended meanwhile
    return commands


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: Any = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Processes whose command line holds a term, but for ansible-playbook, which may have it as a variable."""
        return [
            {"pid": pid, "command": command.strip()}
            for pid, command in sorted(command_lines().items())
            if any(term in command for term in terms) and "ansible-playbook" not in command
        ]
