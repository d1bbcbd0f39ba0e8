# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Units of measured values, and how one turns into another."""

from __future__ import annotations

import math

# unit -> (dimension, factor to the dimension's base). A MB is 1024 KB, as in `ps` and in Warren's own load test.
_UNITS: dict[str, tuple[str, float]] = {
    "us": ("time", 1e-6),
    "ms": ("time", 1e-3),
    "s": ("time", 1.0),
    "min": ("time", 60.0),
    "B": ("memory", 1.0),
    "KB": ("memory", 1024.0),
    "MB": ("memory", 1024.0**2),
    "GB": ("memory", 1024.0**3),
    "1/s": ("rate", 1.0),
    "1/min": ("rate", 1 / 60),
    "MB/min": ("growth", 1.0),
    "MB/h": ("growth", 1 / 60),
    "%": ("share", 0.01),
    "1": ("count", 1.0),
    "calls": ("count", 1.0),
    "containers": ("count", 1.0),
    "creations": ("count", 1.0),
    "files": ("count", 1.0),
    "goroutines": ("count", 1.0),
    "nodes": ("count", 1.0),
    "outages": ("count", 1.0),
    "processes": ("count", 1.0),
    "records": ("count", 1.0),
    "restarts": ("count", 1.0),
    "services": ("count", 1.0),
    "threads": ("count", 1.0),
    "ticks": ("count", 1.0),
}

UNITS: tuple[str, ...] = tuple(_UNITS)


def dimension(unit: str) -> str:
    """What a unit measures (time, memory, rate, growth, share, count). KeyError for an unknown one."""
    return _UNITS[unit][0]


def convert(value: float, unit: str, wanted: str) -> float | None:
    """``value`` in ``wanted``, or None where the two measure different things or one is unknown."""
    if unit == wanted:
        return value
    if unit not in _UNITS or wanted not in _UNITS or dimension(unit) != dimension(wanted):
        return None
    return value * _UNITS[unit][1] / _UNITS[wanted][1]


def number(value: float) -> str:
    """A number as a person reads it: three significant digits, no needless zeros, an exponent if absurdly large."""
    if not math.isfinite(value):
        return "?"
    if abs(value) >= 1e10:
        return f"{value:.2e}"
    if abs(value) >= 100 or value == int(value):
        return f"{value:.0f}"
    if abs(value) < 0.001:
        return "0" if value == 0 else "<0.001" if value > 0 else f"{value:.3g}"
    text = f"{value:.{max(0, 2 - _magnitude(value))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity(value: float, unit: str) -> str:
    """A number with its unit: ``184 MB``, ``12.4/s``, ``3.1 ms``, ``0``."""
    text = number(value)
    if unit in ("1", ""):
        return text
    if unit.startswith("1/"):
        return text + unit[1:]
    if unit == "%":
        return text + " %"
    return f"{text} {unit}"


def _magnitude(value: float) -> int:
    """The decimal exponent of a number that is not zero: 2 for 184, 0 for 3.1, -2 for 0.05."""
    return int(f"{abs(value):e}".split("e")[1])


def many(count: int, thing: str, things: str = "") -> str:
    """``1 service``, ``2 services``; ``things`` is the plural where it has more than an s."""
    return f"{count} {thing if count == 1 else things or f'{thing}s'}"


def clock(seconds: float) -> str:
    """A length of time: ``4:05`` of minutes and seconds, ``1:04:05`` with hours."""
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
