# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a short-lived command of the node, such as ps or sysctl.

PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on cluster nodes.
"""

from __future__ import annotations

import os
import subprocess

PATIENCE = 5.0  # seconds for a command to say what it knows


def output(argv: list[str], patience: float = PATIENCE) -> str:
    """What a command prints, in no language; "" where it is not there, fails or takes longer than ``patience`` s."""
    try:
        # The sampler runs without Ansible, and AnsibleModule.run_command would wait for ever.
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            argv,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            check=False,
            timeout=patience,
            env=dict(os.environ, LC_ALL="C"),
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
