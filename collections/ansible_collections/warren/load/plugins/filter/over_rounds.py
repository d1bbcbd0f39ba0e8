# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter `warren.load.over_rounds`. Documented in over_rounds.yml beside it."""

from __future__ import annotations

import typing as t

from ansible_collections.warren.load.plugins.plugin_utils.rounds import over_rounds


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Filters by name."""
        return {"over_rounds": over_rounds}
