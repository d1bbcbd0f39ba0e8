#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: program
short_description: A Warren program is on a host, and is what it should be
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - Puts the program for the host's architecture there unless the very same is there already, and asks it what it can
    do.
  - A program that was built for another architecture, or has another checksum, is refused before it runs.
extends_documentation_fragment:
  - warren.load.attributes
options:
  files:
    description:
      - The programs on the controller by architecture (C(amd64), C(arm64), or C(any)), each with C(path) and C(sha256),
        as M(warren.load.program_source) returns them.
    type: dict
    required: true
  dest:
    description: The folder on the host that the program goes to, under a name with its checksum.
    type: path
    required: true
  in_place:
    description: Whether the host sees the controller's files, so that the program is used where it lies.
    type: bool
    default: false
  arrived:
    description: Used by the action plugin.
    type: path
attributes:
  check_mode:
    description: In check mode nothing is copied, and a program that is not there is not asked.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  action:
    description: Has an action plugin that copies the program.
    support: full
"""

EXAMPLES = r"""
- name: Find the program
  warren.load.program_source:
    source: /builds/warren-{arch}
  register: source

- name: It is on the host
  warren.load.program:
    files: "{{ source.files }}"
    dest: /var/tmp/warren-load/programs
  register: program

- name: What it can do
  ansible.builtin.debug:
    var: program.dialect
"""

RETURN = r"""
path:
  description: Where the program is on the host.
  returned: success
  type: str
  sample: /var/tmp/warren-load/programs/warren-9f86d081884c
sha256:
  description: Its checksum.
  returned: success
  type: str
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
architecture:
  description: The host's architecture.
  returned: always
  type: str
  sample: amd64
dialect:
  description: The names that its servers give to their RPCs. V(containers) comes with TLS.
  returned: when it is there
  type: str
  sample: containers
flags:
  description: Those of C(--manager-only) and C(--external-containerd) that it knows.
  returned: when it is there
  type: list
  elements: str
  sample: [--manager-only, --external-containerd]
version:
  description: What it says of itself. Release programs say C(dev).
  returned: when it is there
  type: str
  sample: warren version v1.6.0
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.warren.load.plugins.module_utils.node import programs

ARGUMENTS: dict[str, t.Any] = {
    "files": {"type": "dict", "required": True},
    "dest": {"type": "path", "required": True},
    "in_place": {"type": "bool", "default": False},
    "arrived": {"type": "path"},
}


def settle(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Use what is there, or take what has arrived; without either, tell which file is missing."""
    files, own = params["files"], programs.own_architecture()
    wanted = files.get(own) or files.get(programs.ANY)
    if wanted is None:
        raise programs.ProgramError(
            f"warren_load_binary has no program for {own}, which this host is, only for {', '.join(sorted(files))}: "
            "put {arch} into it where the architecture's name stands, or give hosts of one architecture."
        )
    path, digest = wanted["path"], wanted["sha256"]
    result: dict[str, t.Any] = {"changed": False, "architecture": own, "sha256": digest, "path": path}
    if not params["in_place"]:
        path = result["path"] = os.path.join(params["dest"], f"warren-{digest[:12]}")
        if not (os.path.isfile(path) and programs.sha256(path) == digest):
            if not params["arrived"] or check_mode:
                return {**result, "changed": True, "missing": wanted["path"]}
            if programs.sha256(params["arrived"]) != digest:
                raise programs.ProgramError("The program changed on its way to this host: see that its disk is sound.")
            take(params["arrived"], path)
            result["changed"] = True
    return {**result, **programs.features(path)}


def take(arrived: str, path: str) -> None:
    """Put the file in its place, whole or not at all."""
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    part = f"{path}.{os.getpid()}"
    with open(arrived, "rb") as source, open(part, "wb") as target:
        target.writelines(iter(lambda: source.read(1 << 20), b""))
    os.chmod(part, 0o755)
    os.replace(part, path)


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        result = settle(module.params, module.check_mode)
    except programs.ProgramError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        place = error.filename or module.params["dest"]
        module.fail_json(msg=f"The program cannot be put to {place}: {error.strerror}.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
