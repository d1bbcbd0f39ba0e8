# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show lines to the person who runs the playbook."""

from __future__ import annotations

import typing as t

from ansible.utils.color import ANSIBLE_COLOR, stringc
from ansible.utils.display import Display

from .banner import STYLES, render

if t.TYPE_CHECKING:
    from .banner import Line


def show(lines: list[Line]) -> None:
    """Print lines. Coloured only where Ansible colours too: on a terminal, without NO_COLOR; never in the log file."""
    display = Display()
    if ANSIBLE_COLOR:
        display.display(render(lines, paint), screen_only=True)
        display.display(render(lines), log_only=True)
    else:
        display.display(render(lines))


def paint(text: str, style: str) -> str:
    """Text in the colour of a style."""
    color = STYLES.get(style, "")
    return str(stringc(text, color)) if color else text
