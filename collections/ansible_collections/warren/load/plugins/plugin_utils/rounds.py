# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a phase that ran in each round of a load returned, as if it were one phase, so that all rounds are judged. Pure.

Counts are added up, spreads are those of the worst round, and details are those of the last.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from ansible_collections.warren.load.plugins.module_utils.stats.summaries import number

Row = dict[str, t.Any]

ADDED = (
    *("services", "created", "found", "failed", "ambiguous", "left_out", "attempts", "retries", "duration"),
    *("expected", "records", "running", "unscheduled", "not_running"),
    *("polls", "poll_time", "poll_bytes", "poll_cpu_estimate"),
)
COUNTS = ("causes", "states", "placement")
SPREADS = ("send_lag", "service_time", "response_time", "scheduling_latency", "create_to_running")
MOST_SENTENCES = 20


def over_rounds(results: t.Sequence[t.Mapping[str, t.Any]]) -> Row:
    """One result of a phase from that of each round; nothing of none.

    Of a round that broke there is none: the run has failed then, and says why.
    """
    measured = [dict(result) for result in results if "measurements" in result]
    if len(measured) < 2:
        return measured[0] if measured else {}
    early = [f"in round {place} {one['stopped']}" for place, one in enumerate(measured, 1) if one.get("stopped")]
    return {
        **measured[-1],
        "measurements": _measurements([one["measurements"] for one in measured]),
        "stopped": "; ".join(early),
        "problems": _told([one.get("problems") or [] for one in measured]),
    }


def _told(sentences: list[list[str]]) -> list[str]:
    """The sentences of all rounds, each with its round."""
    told = [f"Round {place}: {text}" for place, texts in enumerate(sentences, 1) for text in texts]
    return told[:MOST_SENTENCES]


def _measurements(rounds: list[Row]) -> Row:
    found = dict(rounds[-1])
    if "orphans" in found:  # phase settle counts what is left of all rounds
        return found | {name: sum(one[name] for one in rounds) for name in ("deleted", "duration")}
    for name in found:
        values = [one[name] for one in rounds if one.get(name) is not None]
        if name in ADDED:
            found[name] = sum(values) if values else None
        elif name in COUNTS:
            found[name] = dict(sum(map(Counter, values), Counter()).most_common())
        elif name in SPREADS and values:
            found[name] = max(values, key=_slowest)
    if "settled" in found:
        found["settled"] = all(one["settled"] for one in rounds)
        found["missing"] = _told([one["missing"] for one in rounds])
        found["last_running"] = None  # rounds lie between the first create and this
        found["poll_share"] = 100 * found["poll_time"] / found["duration"] if found["duration"] else None
    if "first_sent" in found:
        found["first_sent"] = min((one["first_sent"] for one in rounds if one["first_sent"] is not None), default=None)
        there, spent = found["created"] + found["found"], found["duration"]
        found["rate"] = number(there / spent if spent else None, "1/s", there)
    return found


def _slowest(spread: Row) -> list[float]:
    """By its 99th percentile, then by its maximum, as of few there is only that."""
    values = [spread[name]["value"] for name in ("p99", "max")]
    return [-1.0 if value is None else value for value in values]
