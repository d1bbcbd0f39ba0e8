# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What holds for every module; ``controller`` what holds besides for one whose work an action plugin does there."""

    DOCUMENTATION = r"""
attributes:
  platform:
    description: Where it runs. What macOS lacks, such as C(/proc), is told as not known.
    platforms: posix
    support: full
"""

    CONTROLLER = r"""
attributes:
  action:
    description: Has an action plugin that does all of the work on the controller.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
"""
