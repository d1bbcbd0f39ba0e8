# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A log-linear histogram (as HdrHistogram's) of whole numbers: bounded error, and two add up to one."""

from __future__ import annotations

import typing as t

from .quantiles import nearest_rank

if t.TYPE_CHECKING:
    from collections.abc import Mapping

_BITS = 11  # 2048 counters per doubling or fewer: a relative error below 0.1 %
_HALF = 1 << (_BITS - 1)


def bucket(value: int) -> int:
    """The bucket of a value >= 0: exact below 2048, then 1024 buckets for each doubling."""
    shift = max(0, value.bit_length() - _BITS)
    return shift * _HALF + (value >> shift)


def bounds(index: int) -> tuple[int, int]:
    """The lowest and the highest value that fall into a bucket."""
    shift = max(0, index // _HALF - 1)
    lowest = (index - shift * _HALF) << shift
    return lowest, lowest + (1 << shift) - 1


class Histogram:
    """Counts of whole numbers >= 0, such as durations in µs; sparse, so an empty one costs nothing."""

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.counts: dict[int, int] = dict(counts or {})

    def add(self, value: int, times: int = 1) -> None:
        """Count ``value``; ValueError for a negative one."""
        if value < 0:
            raise ValueError(f"{value} is negative")
        index = bucket(value)
        self.counts[index] = self.counts.get(index, 0) + times

    def merge(self, other: Histogram) -> None:
        """Add the counts of ``other``."""
        for index, times in other.counts.items():
            self.counts[index] = self.counts.get(index, 0) + times

    @property
    def n(self) -> int:
        """How many values were counted."""
        return sum(self.counts.values())

    def quantile(self, q: float) -> int:
        """The highest value of the bucket that holds quantile ``q`` by nearest rank; ValueError if empty."""
        rank = nearest_rank(self.n, q)
        seen = 0
        for index in sorted(self.counts):
            seen += self.counts[index]
            if seen >= rank:
                return bounds(index)[1]
        raise ValueError("the counts add up to less than their sum")

    def as_dict(self) -> dict[str, int]:
        """The counts as JSON can carry them; the inverse of from_dict()."""
        return {str(index): times for index, times in sorted(self.counts.items())}

    @classmethod
    def from_dict(cls, counts: Mapping[str, int]) -> Histogram:
        """The histogram that as_dict() wrote down."""
        return cls({int(index): times for index, times in counts.items()})
