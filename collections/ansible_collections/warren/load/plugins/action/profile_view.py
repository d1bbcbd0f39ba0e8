# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show what a profile says. Documented in plugins/modules/profile_view.py."""

from __future__ import annotations

import typing as t

from ansible_collections.warren.load.plugins.module_utils.pprof.profile import ProfileError
from ansible_collections.warren.load.plugins.plugin_utils.controlling import ControllerAction
from ansible_collections.warren.load.plugins.plugin_utils.profile_views import VIEWS, Question, answer
from ansible_collections.warren.load.plugins.plugin_utils.screen import show

SPEC: dict[str, dict[str, t.Any]] = {
    "file": {"type": "path", "default": ""},
    "view": {"type": "str", "choices": list(VIEWS), "default": "top"},
    "function": {"type": "str", "default": ""},
    "base": {"type": "path", "default": ""},
    "diff_base": {"type": "path", "default": ""},
    "sample_type": {"type": "str", "default": ""},
    "rows": {"type": "int", "default": 20},
}


class ActionModule(ControllerAction):
    spec = SPEC
    sentences: t.ClassVar[tuple[type[Exception], ...]] = (ProfileError,)

    def act(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Read, and print; nothing is changed, so check mode is no different."""
        lines, rows = answer(Question(**options))
        show(lines)
        return {"changed": False, "rows": rows}
