# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers as the results carry them: a value with its unit, its 95 % interval and the number of samples behind it."""

from __future__ import annotations

import typing as t

from .means import mean_interval
from .quantiles import quantile, quantile_interval, samples_to_bound

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PERCENTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


class Number(t.TypedDict):
    """One number of the results; ``low`` and ``high`` are None where no interval can be given.

    ``effective``, where there: how many independent samples the ``n`` are worth for it. ``largest``, where there: the
    largest sample, as ``n`` would bound the number and ``effective`` do not.
    """

    value: float | None
    unit: str
    low: float | None
    high: float | None
    n: int
    effective: t.NotRequired[int]
    largest: t.NotRequired[float | None]


def _rounded(value: float | None) -> float | None:
    """Six significant digits: more than any clock here carries."""
    return None if value is None else float(f"{value:.6g}")


def number(value: float | None, unit: str, n: int = 1, low: float | None = None, high: float | None = None) -> Number:
    """A Number; ``value`` None says that nothing was measured."""
    return {"value": _rounded(value), "unit": unit, "low": _rounded(low), "high": _rounded(high), "n": n}


def quantile_number(values: Sequence[float], ordered: Sequence[float], q: float, unit: str) -> Number:
    """Quantile ``q`` of samples in the order measured, which are ``ordered`` too, with its interval."""
    if not ordered:
        return number(None, unit, 0)
    low, high, effective = quantile_interval(values, ordered, q)
    result = number(quantile(ordered, q), unit, len(ordered), low, high)
    if effective < len(ordered):
        result["effective"] = effective
        if high is None and len(ordered) >= samples_to_bound(q):
            result["largest"] = _rounded(ordered[-1])
    return result


def mean_number(values: Sequence[float], unit: str) -> Number:
    """The mean of samples in the order measured, with its interval."""
    if not values:
        return number(None, unit, 0)
    mean, low, high = mean_interval(values)
    return number(mean, unit, len(values), low, high)


def summary(values: Iterable[float], unit: str, *, mean: bool = True) -> dict[str, Number]:
    """``{"p50", "p95", "p99", "max", "mean"}`` of samples in the order measured (``mean`` False leaves it out).

    The maximum has no interval: no number of samples bounds it.
    """
    measured = list(values)
    ordered = sorted(measured)
    result = {name: quantile_number(measured, ordered, q, unit) for name, q in PERCENTILES.items()}
    result["max"] = number(ordered[-1] if ordered else None, unit, len(ordered))
    if mean:
        result["mean"] = mean_number(measured, unit)
    return result
