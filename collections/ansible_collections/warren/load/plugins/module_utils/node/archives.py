# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program of this folder as one file, for what must outlive the module that starts it, and its temporary folder.

PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on cluster nodes.
"""

from __future__ import annotations

import io
import pkgutil
import types
import zipfile
from collections.abc import Sequence

UTILS = "ansible_collections.warren.load.plugins.module_utils"


def program(parts: Sequence[types.ModuleType], begin: types.ModuleType) -> bytes:
    """An archive that a Python runs: the modules ``parts`` of node/, of which ``begin`` has main(arguments)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        packages = f"{UTILS}.node".split(".")
        for depth in range(1, len(packages) + 1):
            archive.writestr("/".join((*packages[:depth], "__init__.py")), b"")
        for part in parts:
            name = part.__name__.rpartition(".")[2]
            source = pkgutil.get_data(f"{UTILS}.node", f"{name}.py")
            archive.writestr("/".join((*packages, f"{name}.py")), source or b"")
        name = begin.__name__.rpartition(".")[2]
        archive.writestr(
            "__main__.py", f"import sys\nfrom {UTILS}.node.{name} import main\nsys.exit(main(sys.argv[1:]))\n"
        )
    return out.getvalue()
