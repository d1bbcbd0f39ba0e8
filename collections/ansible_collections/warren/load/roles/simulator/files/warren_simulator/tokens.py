# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Join tokens: in the memory of the manager that made them, and nowhere else (facts/warren.md 3.2)."""

from __future__ import annotations

import dataclasses
import secrets
import time

LIFETIME = 24 * 3600.0  # seconds


@dataclasses.dataclass(frozen=True)
class Token:
    """``text``: 64 lowercase hex digits; ``expires``: seconds since 1970."""

    text: str
    role: str
    expires: float


class Tokens:
    """The tokens of one manager."""

    def __init__(self) -> None:
        self._known: dict[str, Token] = {}

    def generate(self, role: str) -> Token:
        """A new token; any text will do for a role, as with Warren."""
        token = Token(secrets.token_hex(32), role, time.time() + LIFETIME)
        self._known[token.text] = token
        return token

    def role(self, text: str) -> str:
        """The role of a live token; ValueError with Warren's text otherwise."""
        token = self._known.get(text)
        if token is None:
            raise ValueError("invalid token")
        if time.time() > token.expires:
            raise ValueError("token expired")
        return token.role
