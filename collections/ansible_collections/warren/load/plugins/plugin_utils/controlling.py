# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What action plugins have in common that do their module's work on the controller."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from .results import ResultsError


class ControllerAction(ActionBase):
    """Base of action plugins that need no module; a subclass has its argument spec, and acts."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    spec: t.ClassVar[dict[str, dict[str, t.Any]]] = {}
    sentences: t.ClassVar[tuple[type[Exception], ...]] = (ResultsError,)
    """The exceptions that are a failed task with their one sentence."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Check the arguments, and act."""
        super().run(tmp, task_vars)
        options: dict[str, t.Any] = self.validate_argument_spec(argument_spec=self.spec)[1]
        try:
            return self.act(options, task_vars or {})
        except self.sentences as error:
            return {"failed": True, "msg": str(error)}

    def act(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """The task's result; ``options`` are its arguments, whole and of their types."""
        raise NotImplementedError
