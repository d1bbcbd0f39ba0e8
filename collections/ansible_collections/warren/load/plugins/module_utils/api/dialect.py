# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two dialects of Warren's wire: which RPCs a server has, and under which names."""

from __future__ import annotations

import enum

from .schema import METHODS, SERVICE

# Canonical names are those of dialect `containers`; servers before v1.1 say task.
_TASK_NAMES = {
    "ListContainers": "ListTasks",
    "GetContainer": "GetTask",
    "UpdateContainerStatus": "UpdateTaskStatus",
    "WatchContainers": "WatchTasks",
}
_SINCE_V1_1 = """
UpdateServiceImage RollbackService ReportContainerHealth RequestCertificate StreamEvents
CreateIngress UpdateIngress DeleteIngress GetIngress ListIngresses
CreateTLSCertificate DeleteTLSCertificate GetTLSCertificate ListTLSCertificates
"""
_NOT_IN_TASKS = frozenset(_SINCE_V1_1.split())


class Dialect(enum.StrEnum):
    """``tasks``: plaintext servers before v1.1; ``containers``: v1.1 and later, TLS on the API port."""

    TASKS = "tasks"
    CONTAINERS = "containers"

    def wire_name(self, method: str) -> str:
        """The name a server of this dialect gives to ``method`` (canonical): ListContainers is ListTasks in `tasks`."""
        return _TASK_NAMES.get(method, method) if self is Dialect.TASKS else method

    def path(self, method: str) -> str:
        """The HTTP/2 path of ``method``, such as ``/warren.v1.WarrenAPI/ListTasks``."""
        return f"/{SERVICE}/{self.wire_name(method)}"

    def supports(self, method: str) -> bool:
        """Whether servers of this dialect have ``method``; others answer UNIMPLEMENTED."""
        return method in METHODS and not (self is Dialect.TASKS and method in _NOT_IN_TASKS)

    def methods(self) -> tuple[str, ...]:
        """Every RPC that servers of this dialect have, by canonical name."""
        return tuple(name for name in METHODS if self.supports(name))
