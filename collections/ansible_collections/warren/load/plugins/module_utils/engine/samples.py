# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Raw samples, one row a call, as compressed CSV."""

from __future__ import annotations

import csv
import gzip
import typing as t
from pathlib import Path

if t.TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence


def write(path: str | os.PathLike[str], columns: Sequence[str], rows: Iterable[Sequence[t.Any]]) -> str | None:
    """Write the table to ``path`` (.csv.gz), whole or not at all; a sentence if that failed, None if not.

    Floats are written with µs and nothing below, as seconds. Samples are worth having, but no reason to end a run.
    """
    part = Path(f"{path}.part")
    try:
        with gzip.open(part, "wt", compresslevel=5, encoding="ascii", errors="backslashreplace", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(columns)
            for row in rows:
                table.writerow([f"{cell:.6f}" if isinstance(cell, float) else cell for cell in row])
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        return f"the samples {path} could not be written ({error.strerror})"
    return None
