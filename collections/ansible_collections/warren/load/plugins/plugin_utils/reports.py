# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All reports of a run, from its results document."""

from __future__ import annotations

import typing as t
from pathlib import Path

from .banner import banner, render
from .junit import MISSING, Case, build, document_cases, foreign_cases, suite_name, suite_properties
from .markdown import markdown

if t.TYPE_CHECKING:
    from .banner import Line


def shown(folder: Path) -> str:
    """A folder as it is best typed: relative to the current directory if it lies below."""
    try:
        return str(folder.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(folder)


def screen_lines(document: dict[str, t.Any], folder: Path) -> list[Line]:
    """The banner of a run whose results lie in ``folder``."""
    return banner(document, shown(folder))


def files(document: dict[str, t.Any], folder: Path) -> dict[str, bytes]:
    """Name -> content of every report; without junit-xml, of all but junit.xml.

    What only the run's playbook knew is kept from a JUnit report in ``folder``.
    """
    texts = {"report.txt": render(screen_lines(document, folder)) + "\n", "report.md": markdown(document)}
    made = {name: text.encode("utf-8", "replace") for name, text in texts.items()}
    if MISSING:
        return made
    kept: list[Case] = []
    try:
        kept = foreign_cases((folder / "junit.xml").read_bytes())
    except OSError:
        pass
    junit = build(
        [*kept, *document_cases(document, str(folder))],
        name=suite_name(document["run"]),
        timestamp=str(document["run"].get("started") or "")[:19],
        hostname=str((document["environment"].get("controller") or {}).get("host") or ""),
        properties=suite_properties(document, str(folder)),
    )
    return made | {"junit.xml": junit}
