# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A few of these modules as one file that a Python runs: what outlives a task must outlive its temporary folder.

PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on cluster nodes.
"""

from __future__ import annotations

import io
import pkgutil
import zipfile
from collections.abc import Sequence
from types import ModuleType

NODE = __name__.rpartition(".")[0]


def archive(parts: Sequence[ModuleType]) -> bytes:
    """A zip archive of the modules, all of this package, that runs the ``main(arguments)`` of the first."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
        packages = NODE.split(".")
        for depth in range(1, len(packages) + 1):
            packed.writestr("/".join((*packages[:depth], "__init__.py")), b"")
        for part in parts:
            name = part.__name__.rpartition(".")[2]
            packed.writestr("/".join((*packages, f"{name}.py")), pkgutil.get_data(NODE, f"{name}.py") or b"")
        begin = f"import sys\nfrom {parts[0].__name__} import main\nsys.exit(main(sys.argv[1:]))\n"
        packed.writestr("__main__.py", begin)
    return out.getvalue()
