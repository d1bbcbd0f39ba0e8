# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warren's own timers, in seconds, as they are in both worlds."""

from __future__ import annotations

SCHEDULER_TICK = 5.0
RECONCILER_TICK = 10.0
WORKER_POLL = 3.0
HEARTBEAT = 5.0
NODE_DOWN_AFTER = 30.0  # without a heartbeat
METRICS_TICK = 15.0
NODE_DOWN_WITHIN = NODE_DOWN_AFTER + RECONCILER_TICK + HEARTBEAT  # of silence, at the latest
