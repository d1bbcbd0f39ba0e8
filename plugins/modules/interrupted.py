# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: interrupted
short_description: Start a command and kill it in the middle
description:
  - Starts a command, waits until its output matches O(pattern), and sends O(signal) to it alone, not to its children.
  - It is an error if the command ends by itself, or if nothing matches in time. Only for this repository.
options:
  argv: {type: list, elements: str, required: true, description: The command.}
  chdir: {type: path, required: true, description: Where it runs.}
  pattern: {type: str, required: true, description: Regular expression that a line of its output must match.}
  signal: {type: str, default: KILL, choices: [INT, TERM, KILL], description: What is sent then.}
  timeout: {type: int, default: 120, description: Seconds for the pattern to appear and for the command to end.}
"""

EXAMPLES = r"""
- name: Kill a run while it creates services
  interrupted:
    argv: [ansible-playbook, playbooks/load-small.yml]
    chdir: "{{ playbook_dir }}/../.."
    pattern: services created
"""

RETURN = r"""
output: {type: str, returned: always, description: What the command printed.}
returncode: {type: int, returned: always, description: Its exit code; negative when the signal ended it.}
"""

import re
import signal
import subprocess
import threading
import time

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "argv": {"type": "list", "elements": "str", "required": True},
            "chdir": {"type": "path", "required": True},
            "pattern": {"type": "str", "required": True},
            "signal": {"type": "str", "default": "KILL", "choices": ["INT", "TERM", "KILL"]},
            "timeout": {"type": "int", "default": 120},
        }
    )
    wanted = module.params
    process = subprocess.Popen(
        wanted["argv"],
        cwd=wanted["chdir"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    lines: list[str] = []
    matched = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if re.search(wanted["pattern"], line):
                matched.set()

    # A daemon, since children that outlive the command keep its output open.
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    deadline = time.monotonic() + wanted["timeout"]
    while not matched.wait(0.1):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            reader.join(2)
            module.fail_json(
                msg=f"The command ended or took too long before {wanted['pattern']!r} appeared.", output="".join(lines)
            )
    process.send_signal(getattr(signal, f"SIG{wanted['signal']}"))
    rc = process.wait(30)
    reader.join(2)
    module.exit_json(changed=True, returncode=rc, output="".join(lines))


if __name__ == "__main__":
    main()
