# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs there are: each scenario is a sequence of phases between plan and cleanup. Pure.

PRIVATE to the collection.
"""

from __future__ import annotations

PHASES: dict[str, tuple[str, ...]] = {
    "load": ("create", "await", "latency"),
    "api-throughput": ("create", "await", "throughput"),
    "scheduler-burst": ("create", "await"),
    "leader-loss": ("create", "probe", "faults", "recovery", "audit_writes"),
    "worker-loss": ("create", "probe", "faults", "recovery", "audit_writes"),
    "soak": ("create", "await", "hold", "latency"),
    "leak-detection": ("create", "await", "settle"),
}
"""By scenario. The tasks of each are in role load, ``tasks/SCENARIO.yml`` with underscores."""
SCENARIOS = tuple(PHASES)
