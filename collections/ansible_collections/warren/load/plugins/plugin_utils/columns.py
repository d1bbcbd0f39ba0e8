# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text in columns of a terminal, where a character may take no column, one or two."""

from __future__ import annotations

import re
import unicodedata

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def width(text: str) -> int:
    """The columns that a text takes."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def clean(text: object) -> str:
    """One line without colours and control characters: what others wrote must not move the cursor."""
    bare = str(text)
    if bare.isprintable():
        return bare
    bare = _ESCAPES.sub("", bare)
    return "".join(" " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character for character in bare)


def clip(text: str, columns: int) -> str:
    """A text that takes at most so many columns; a cut is shown."""
    if width(text) <= columns:
        return text
    head, _rest = _split(text, columns - 1)
    return (head if width(head) < columns else "") + "…"


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """A text that takes exactly so many columns, cut or filled with blanks; ``right`` aligns it there."""
    text = clip(text, columns)
    blank = " " * (columns - width(text))
    return blank + text if right else text + blank


def wrap(text: str, columns: int, lead: str = "", below: str | None = None) -> list[str]:
    """A text as lines of at most so many columns: the first behind ``lead``, others behind ``below`` (or blanks)."""
    below = " " * width(lead) if below is None else below
    lines: list[str] = []
    line, used = lead, width(lead)
    filled = False
    for word in clean(text).split():
        size = width(word)
        if filled and used + 1 + size > columns:
            lines.append(line)
            line, used, filled = below, width(below), False
        rest, size = (f" {word}", size + 1) if filled else (word, size)
        while used + size > columns:
            head, rest = _split(rest, columns - used)
            lines.append(line + head)
            line, used, size = below, width(below), width(rest)
        line, used, filled = line + rest, used + size, True
    return [*lines, line] if filled or not lines else lines


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _split(text: str, columns: int) -> tuple[str, str]:
    """The longest beginning that fits (one character at least), and the rest."""
    used = 0
    for position, character in enumerate(text):
        used += _columns(character)
        if used > columns:
            position = max(position, 1)
            return text[:position], text[position:]
    return text, ""
