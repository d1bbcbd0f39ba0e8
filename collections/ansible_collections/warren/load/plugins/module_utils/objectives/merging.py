# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user's own objectives over the built-in ones: changed, added and switched off by id.

Pure and without jmespath, so that a controller can merge; load_rows checks the result.
"""

from __future__ import annotations

import difflib
import typing as t

from .rows import REQUIRED, ObjectiveError

_MERGED = ("limits", "not_judged_with")  # key by key; all other keys are replaced


def merge(rows: t.Sequence[t.Any], changes: t.Any) -> list[t.Any]:
    """``rows`` with ``changes`` (a list of rows, or None for no change), as new plain data.

    A change whose id is among ``rows`` needs only the keys that it changes. A limit that it gives without a scale holds
    at every scale for which it gives none. ``disabled: true`` takes the row out. Any other id adds a row. Raises
    ObjectiveError for the first change that cannot be placed.
    """
    if changes is None:
        return list(rows)
    if not isinstance(changes, list):
        raise ObjectiveError("The changes to the objectives are not a list: write one '- id: ...' entry for each.")
    merged = {row["id"] if isinstance(row, dict) and "id" in row else number: row for number, row in enumerate(rows)}
    built_in = [name for name in merged if isinstance(name, str)]
    seen: set[str] = set()
    for position, change in enumerate(changes, 1):
        if not isinstance(change, dict) or not isinstance(change.get("id"), str):
            raise ObjectiveError(f"Objective number {position} has no 'id': write '- id: ...' and what changes.")
        name = change["id"]
        if name in seen:
            raise ObjectiveError(f"Objective '{name}' is there twice: put both changes under one id.")
        seen.add(name)
        disabled = change.get("disabled", False)
        if not isinstance(disabled, bool):
            raise ObjectiveError(f"Objective '{name}': 'disabled' must be true or false, not {disabled!r}.")
        entry = {key: value for key, value in change.items() if key != "disabled"}
        if name not in merged:
            _check_new(name, entry, built_in, disabled=disabled)
        if disabled:
            merged.pop(name, None)
        else:
            merged[name] = _changed(merged[name], entry) if name in merged else entry
    return list(merged.values())


def _check_new(name: str, entry: dict[str, t.Any], built_in: list[str], *, disabled: bool) -> None:
    missing = [key for key in REQUIRED if key not in entry]
    if not missing and not disabled:
        return
    near = difflib.get_close_matches(name, built_in, 1)
    hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(built_in)}"
    remedy = "correct its id" if disabled else f"correct its id, or add {', '.join(missing)} for a row of your own"
    raise ObjectiveError(f"Objective '{name}' is none of the built-in ones ({hint}): {remedy}.")


def _changed(row: dict[str, t.Any], change: dict[str, t.Any]) -> dict[str, t.Any]:
    whole = {**row, **change}
    for key in _MERGED:
        if isinstance(row.get(key), dict) and isinstance(change.get(key), dict):
            whole[key] = {**row[key], **change[key]}
    known, given = row.get("scales"), change.get("scales") or {}
    if isinstance(known, dict) and isinstance(given, dict):
        everywhere = change["limits"] if isinstance(change.get("limits"), dict) else {}
        scales = {
            scale: {level: limit for level, limit in limits.items() if level not in everywhere}
            for scale, limits in known.items()
            if isinstance(limits, dict)
        }
        for scale, limits in given.items():
            scales[scale] = {**scales.get(scale, {}), **limits} if isinstance(limits, dict) else limits
        whole["scales"] = {scale: limits for scale, limits in scales.items() if limits}
    return whole
