# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring a file from a task's host to the controller."""

from __future__ import annotations

import base64
import typing as t

from ansible.errors import AnsibleError

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible.plugins.action import ActionBase


def fetch(action: ActionBase, source: str, dest: Path, task_vars: dict[str, t.Any] | None) -> None:
    """One file; where tasks run as somebody else, the login may not read it, but slurp may. Raises AnsibleError."""
    if not action._connection.become:
        action._connection.fetch_file(source, str(dest))
        return
    answer = action._execute_module(
        module_name="ansible.legacy.slurp", module_args={"src": source}, task_vars=task_vars
    )
    if "content" not in answer:
        raise AnsibleError(str(answer.get("msg", f"{source} cannot be read")))
    dest.write_bytes(base64.b64decode(answer["content"]))
