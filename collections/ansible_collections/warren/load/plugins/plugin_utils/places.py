# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where this collection is, which version it has, and where its results go."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

COLLECTION = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def results_home() -> str:
    """results/ beside the playbooks of the checkout that the collection is in, or else in the current directory."""
    checkout = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(COLLECTION))))
    if os.path.isdir(os.path.join(checkout, "playbooks")) and os.path.isdir(os.path.join(checkout, "inventories")):
        return os.path.join(checkout, "results")
    return os.path.join(os.getcwd(), "results")


def collection_version() -> str:
    """The version of the collection, as it was installed or as its source says; empty where neither is there."""
    try:
        manifest = json.loads((Path(COLLECTION) / "MANIFEST.json").read_bytes())
        return str(manifest["collection_info"]["version"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    try:
        found = re.search(r"^version: *(\S+)", (Path(COLLECTION) / "galaxy.yml").read_text("utf-8"), re.MULTILINE)
    except OSError:
        return ""
    return found[1] if found else ""
