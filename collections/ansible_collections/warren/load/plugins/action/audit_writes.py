# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module of the same name, with live progress."""

from __future__ import annotations

from ansible_collections.warren.load.plugins.plugin_utils.progress import ProgressAction


class ActionModule(ProgressAction):
    phase = "audit"
