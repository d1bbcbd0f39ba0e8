# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take out what must not be written down: join tokens, keys and passwords."""

from __future__ import annotations

import re
import typing as t

REMOVED = "(removed)"

_WORDS = r"passw(?:or)?d|passphrase|passcode|secret|token|api_?key|private_?key|credential"
_NAMES = rf"(?:{_WORDS})s?"
_NAMED = re.compile(rf"{_WORDS}|_pass$", re.IGNORECASE)
# Warren's calls that have such a word in their names: what follows in `DeleteSecret: not the leader` is no secret.
_CALLS = ("CreateSecret", "DeleteSecret", "ListSecrets", "GetSecretByName", "GenerateJoinToken")
_NO_CALL = "(?-i:" + "".join(rf"(?<!\b{start})" for start in ("Create", "Delete", "List", "GenerateJoin")) + ")"
# The text of a call's error, as api/errors.py has it. As a key it is counted, and names nothing.
_ERROR = re.compile(r" \([A-Za-z_]+\)$")
# A variable of that name says where a secret is, or how many there are.
_ABOUT = re.compile(r"_(file|path|dir|prompt|method|length|count|expiry|name)$", re.IGNORECASE)
_SHORTEST = 6  # characters of a value that is looked for everywhere; a shorter one is part of too many words

_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), REMOVED),
    # --token abc, token=abc, "password": "abc"
    (re.compile(rf"(?i)(--[\w-]{{0,40}}{_NAMES}[= ]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;]+)"), rf"\1{REMOVED}"),
    (re.compile(rf"(?i){_NO_CALL}({_NAMES}[\"']?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;]+)"), rf"\1{REMOVED}"),
    (re.compile(r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}"), rf"\1{REMOVED}"),
    (re.compile(r"(://)[^/\s:@]+:[^/\s@]+@"), rf"\1{REMOVED}@"),
    # Warren's join tokens: 64 hexadecimal digits. A digest says what it is.
    (re.compile(r"(?<![0-9A-Fa-f])(?<!sha256[:=-])(?<!sha256 )[0-9a-f]{64}(?![0-9A-Fa-f])"), REMOVED),
)
# Most texts have nothing of it, and are long: looking for words is much faster than for forms.
_HINTS = (
    *("passwd", "password", "passphrase", "passcode", "secret", "token", "apikey", "api_key", "privatekey"),
    *("private_key", "credential", "private key-----", "bearer ", "basic ", "://"),
)
_HEXADECIMAL = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}")
_DIGESTS = ("sha256", "pin", "digest", "fingerprint")


class Secrets:
    """What is known to be secret, and how secrets look."""

    def __init__(self, values: t.Iterable[str] = ()) -> None:
        found = {str(value) for value in values if len(str(value)) >= _SHORTEST}
        self._values = sorted(found, key=len, reverse=True)

    def out_of(self, text: str, key: str = "") -> str:
        """A text without them. ``key`` is what it is called, so that a digest is kept."""
        for value in self._values:
            text = text.replace(value, REMOVED)
        lowered = text.lower()
        if key in _DIGESTS or not (any(hint in lowered for hint in _HINTS) or _HEXADECIMAL.search(text)):
            return text
        for form, kept in _FORMS:
            text = form.sub(kept, text)
        return text


def is_secret(name: str) -> bool:
    """Whether a variable or key of that name holds a secret."""
    return bool(_NAMED.search(name)) and not (_ABOUT.search(name) or name in _CALLS or _ERROR.search(name))


def values_in(variables: t.Mapping[str, t.Any], template: t.Callable[[t.Any], t.Any]) -> list[str]:
    """The values of all variables whose names say that they are secret. ``template`` may fail: then there is none."""
    found: list[str] = []
    for name in variables:
        if is_secret(str(name)):
            try:
                _texts(template(variables[name]), found)
            except Exception:
                continue
    return found


def _texts(value: t.Any, found: list[str]) -> None:
    if isinstance(value, dict):
        for entry in value.values():
            _texts(entry, found)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            _texts(entry, found)
    elif isinstance(value, str):
        found.append(str(value))
