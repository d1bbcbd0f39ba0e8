# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator as one file that a Python runs, with the api layer inside: the same bytes of the same sources."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

COLLECTION = Path(__file__).resolve().parents[2]
PACKAGE = "warren_simulator"
API = "ansible_collections/warren/load/plugins/module_utils/api"
START = f"import sys\n\nfrom {PACKAGE}.cli import main\n\nsys.exit(main(sys.argv[1:]))\n"
DATE = (2026, 1, 1, 0, 0, 0)


def files(collection: Path = COLLECTION) -> dict[str, bytes]:
    """``{name in the archive: content}``; the packages above the api layer come as empty ones."""
    found = {"__main__.py": START.encode()}
    parts = API.split("/")
    for depth in range(1, len(parts)):
        found["/".join((*parts[:depth], "__init__.py"))] = b""
    sources = {
        PACKAGE: collection / "roles" / "simulator" / "files" / PACKAGE,
        API: collection / "plugins" / "module_utils" / "api",
    }
    for name, folder in sources.items():
        for path in sorted(folder.rglob("*.py")):
            found[f"{name}/{path.relative_to(folder).as_posix()}"] = path.read_bytes()
    return found


def build(collection: Path = COLLECTION) -> bytes:
    """The archive. Nothing in it depends on when, where or by which zlib it is made."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files(collection).items()):
            entry = zipfile.ZipInfo(name, DATE)
            entry.create_system = 3  # Unix, wherever this runs
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return out.getvalue()
