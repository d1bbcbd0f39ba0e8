# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that carry their run: every object a run creates is found again by its name alone."""

from __future__ import annotations

import datetime
import re
import secrets

PREFIX = "wl-"
_RUN_ID = r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}"
_SERVICE = re.compile(rf"{PREFIX}({_RUN_ID})-([0-9]{{4,}})")


def new_run_id(now: datetime.datetime | None = None) -> str:
    """A new run id such as ``20261123-120102-4f1a``: UTC start time, and four hex digits against collisions."""
    now = now or datetime.datetime.now(datetime.UTC)
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def is_run_id(text: str) -> bool:
    """Whether ``text`` has the form of a run id."""
    return re.fullmatch(_RUN_ID, text) is not None


def service_name(run_id: str, index: int) -> str:
    """The name of a run's service number ``index`` (from 1): ``wl-20261123-120102-4f1a-0001``."""
    return f"{PREFIX}{run_id}-{index:04d}"


def run_id_of(name: str) -> str | None:
    """The run that a service name belongs to; None for a name that no run of ours gave."""
    match = _SERVICE.fullmatch(name)
    return match.group(1) if match else None


def index_of(name: str) -> int:
    """The number of a run's service, the inverse of service_name(); 0 for a name that no run of ours gave."""
    match = _SERVICE.fullmatch(name)
    return int(match.group(2)) if match else 0
