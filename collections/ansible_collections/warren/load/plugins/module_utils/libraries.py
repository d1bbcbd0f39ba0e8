# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to say where a generator lacks a library."""

from __future__ import annotations

import platform
import sys


def lacking(library: str) -> str:
    """One sentence, with the remedy, for a library (by its name on PyPI) that this Python cannot import."""
    return (
        f"The generator {platform.node()} lacks the library {library} (its Python is {sys.executable}): a playbook of "
        f"warren.load installs it (role warren.load.generator), and so does {sys.executable} -m pip install {library}."
    )
