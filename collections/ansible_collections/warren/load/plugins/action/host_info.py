# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module of the same name, and how far the host's clock is from this one. Documented in plugins/modules."""

from __future__ import annotations

import time
import typing as t

from ansible.plugins.action import ActionBase


def offset(asked: float, answered: float, clock: t.Sequence[float]) -> dict[str, t.Any]:
    """By how much the host's clock is ahead, in s: it began after it was asked and ended before the answer was here."""
    low, high = clock[1] - answered, clock[0] - asked
    return {
        "value": round((low + high) / 2, 3),
        "unit": "s",
        "low": round(low, 3),
        "high": round(high, 3),
        "n": 1,
    }


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module between two looks at the controller's clock."""
        super().run(tmp, task_vars)
        asked = time.time()
        result: dict[str, t.Any] = self._execute_module(task_vars=task_vars)
        if "clock" in result and "host" in result:
            # A local connection has the controller's own clock.
            local = self._connection.transport == "local"
            clock = (asked, asked) if local else result["clock"]
            result["host"]["clock_offset"] = offset(asked, asked if local else time.time(), clock)
        return result
