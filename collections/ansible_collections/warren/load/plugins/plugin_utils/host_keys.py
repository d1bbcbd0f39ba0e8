# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SSH arguments that accept a host's key on first contact, and no other one later, in a file of the inventory's own.

Pure. PRIVATE to the collection.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex


def known_hosts_file(state_dir: str, mark: str) -> str:
    """Where the keys of an inventory's hosts are kept; ``mark``: its place, or its cluster's name."""
    words = re.sub(r"[^A-Za-z0-9.-]+", "_", os.path.basename(mark.rstrip("/"))) or "hosts"
    return f"{state_dir}/known_hosts/{words}-{hashlib.sha256(mark.encode()).hexdigest()[:8]}"


def ssh_arguments(path: str, host_id: str = "") -> str:
    """For ``ansible_ssh_common_args``. With an id of the host its key hangs on that, not on an address."""
    # ssh splits the value at blanks unless it is quoted, and takes % for a token.
    quoted = '"' + path.replace("%", "%%") + '"'
    words = ["StrictHostKeyChecking=accept-new", f"UserKnownHostsFile={quoted}"]
    if host_id:
        words.append(f"HostKeyAlias=warren-load-{host_id}")
    return " ".join(f"-o {shlex.quote(word)}" for word in words)
