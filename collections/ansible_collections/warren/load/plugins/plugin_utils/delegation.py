# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which host a result is about, for callbacks."""

from __future__ import annotations

import typing as t


def host_of(result: t.Any) -> str:
    """The result's host; of a delegated task whose it was and where it ran, such as ``localhost -> manager-1``.

    Ansible's own label of a loop as a whole shows the template of its delegate_to: it ran in many places, and which
    they are is known of its items alone.
    """
    host = str(result.host.get_name())
    there = str(getattr(result.task, "delegate_to", None) or host)
    return host if there == host or "{{" in there else f"{host} -> {there}"
