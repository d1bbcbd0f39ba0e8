# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When nothing was answered, from probes that were sent whatever came back.

An outage is a time between two answers that is longer than ``least``. It is known only as finely as probes were sent:
its true length lies between two resolutions less than what is seen, and that.
"""

from __future__ import annotations

import typing as t
from itertools import pairwise

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Outage(t.NamedTuple):
    """From the last answer before it to the first one after; ``end`` None where none came any more. Times in s."""

    start: float
    end: float | None

    def seconds(self, until: float) -> float:
        """How long it was, or had been by ``until``, where it had not ended."""
        return (until if self.end is None else self.end) - self.start


class Term(t.NamedTuple):
    """Somebody and no other answered, from his first answer to his last."""

    who: str
    start: float
    end: float


def outages(answers: Iterable[float], begin: float, until: float, least: float) -> list[Outage]:
    """The outages between ``begin`` and ``until``, in order; ``answers`` are the times at which one came."""
    known = [begin, *sorted(answers)]
    found = [Outage(before, after) for before, after in pairwise(known) if after - before > least]
    if until - known[-1] > least:
        found.append(Outage(known[-1], None))
    return found


def blindness(sent: Sequence[float], outage: Outage, until: float) -> float:
    """The longest time between two probes around and within an outage, in s: so finely it is known."""
    end = until if outage.end is None else outage.end
    pairs = [(before, after) for before, after in pairwise(sorted(sent)) if after >= outage.start and before <= end]
    return max((after - before for before, after in pairs), default=end - outage.start)


def resolution(sent: Sequence[float]) -> float | None:
    """The longest time between two probes of a stream, in s; None for fewer than two."""
    ordered = sorted(sent)
    return max((after - before for before, after in pairwise(ordered)), default=None)


def terms(answers: Iterable[tuple[float, str]]) -> list[Term]:
    """Who answered when, as one term for each row of answers of the same one; ``answers``: ``(time, who)``."""
    found: list[Term] = []
    for moment, who in sorted(answers):
        if found and found[-1].who == who:
            found[-1] = found[-1]._replace(end=moment)
        else:
            found.append(Term(who, moment, moment))
    return found


def elected(views: Iterable[tuple[float, str, str]], was: str, since: float) -> tuple[float, str] | None:
    """``(time, leader)`` of the first view after ``since`` in which another than ``was`` leads; None for none.

    ``views``: ``(time, who says so, leader)``; what ``was`` itself says does not count, nor that nobody leads.
    """
    later = (
        (moment, leader)
        for moment, speaker, leader in views
        if moment >= since and speaker != was and leader not in ("", was)
    )
    return min(later, default=None)
