# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge measurements against objectives.

Level and verdict answer two questions.

*Where does the value fall?* The level is that of the measured value alone: ``target``, ``acceptable``, ``critical`` as
in the guide's table, and ``missed`` for what the table leaves open, worse than acceptable and short of critical.

*May one say that it held?* The verdict uses the interval (95 %, order statistics). The limit that decides is the one
between the levels that pass and ``fail_at``, the mildest level that fails:

==========  =================  =====================================
fail_at     deciding limit     passes, for an objective ``below``
==========  =================  =====================================
acceptable  limits.target      upper bound < target
missed      limits.acceptable  upper bound < acceptable
critical    limits.critical    upper bound <= critical
==========  =================  =====================================

A row that has no critical limit has no level worse than missed, so with ``critical`` it fails from missed on.

``pass`` if the whole interval is on the good side, ``fail`` if the whole interval is on the bad side, else
``inconclusive``, with an estimate of how many more samples would tell. A percentile whose sample is too small for an
upper bound can fail but never pass. One whose sample is large enough, but whose slow calls came in few bursts, has no
upper bound either; it passes if all samples are on the good side, and its note says so. ``invalid`` where the audit
says that the generator's own delay is in the value and the value lies on the bad side: delay only ever makes it worse,
so what is good with it would be good without; ``not judged`` where there is no value, or where it would say nothing.

A row with ``size`` (nodes, services, containers) says what a cluster carries at least. It is judged only where every
other row was neither missed nor left open, and not where its value passes no limit: more was not tried then.

Overall: ``fail`` before ``invalid`` before ``inconclusive`` before ``pass``; a run in which nothing passed is never
``pass``.
"""

from __future__ import annotations

import math
import typing as t

from ansible_collections.warren.load.plugins.module_utils.stats.quantiles import samples_to_bound

from .rows import Row, search
from .units import convert, quantity

LEVELS = ("target", "acceptable", "missed", "critical")
"""From best to worst."""
FAIL_AT = ("acceptable", "missed", "critical")
VERDICTS = ("pass", "fail", "inconclusive", "invalid", "not judged")

_DECIDING = {"acceptable": "target", "missed": "acceptable", "critical": "critical"}

Judgement = dict[str, t.Any]


def judge(
    measurements: dict[str, t.Any],
    audit: dict[str, t.Any],
    rows: t.Sequence[Row],
    *,
    scale: str,
    scenario: str = "load",
    fail_at: str = "missed",
    marks: t.Sequence[str] = (),
) -> dict[str, t.Any]:
    """Judge every row that is of the scenario.

    Returns ``{judgements, verdict, green, counts, summary}`` as the module ``judge`` documents them. ``green`` is what
    the exit code follows: no row failed or is invalid, at least one passed, and no inconclusive row's value lies at
    ``fail_at`` or worse.
    """
    rows = [row for row in rows if not row.scenarios or scenario in row.scenarios]
    reasons = audit_reasons(audit)
    judged = {row.id: _judge_row(row, measurements, reasons, scale=scale, fail_at=fail_at, marks=marks) for row in rows}
    others = [judged[row.id] for row in rows if not row.size]
    for row in rows:
        if row.size:
            _judge_size(judged[row.id], others)
    judgements = [judged[row.id] for row in rows]
    counts = {verdict: sum(entry["verdict"] == verdict for entry in judgements) for verdict in VERDICTS}
    verdict = next((entry for entry in ("fail", "invalid", "inconclusive", "pass") if counts[entry]), "not judged")
    undecided = [entry for entry in judgements if entry["verdict"] == "inconclusive"]
    green = (
        verdict in ("pass", "inconclusive")
        and counts["pass"] > 0
        and all(LEVELS.index(entry["level"]) < LEVELS.index(_failing(entry["limits"], fail_at)) for entry in undecided)
    )
    return {
        "judgements": judgements,
        "verdict": verdict,
        "green": green,
        "counts": counts,
        "summary": _summary(verdict, judgements, counts),
    }


def level_of(value: float, limits: t.Mapping[str, float], direction: str, *, inclusive: bool = False) -> str:
    """The level of a value. ``limits`` has ``target`` and ``acceptable``, and may have ``critical``.

    A worse value never gets a better level.
    """
    if direction == "equal":
        return "target" if value == limits["target"] else "missed"
    sign = 1.0 if direction == "below" else -1.0

    def good(limit: float) -> bool:
        return sign * value < sign * limit or (inclusive and value == limit)

    if good(limits["target"]):
        return "target"
    if good(limits["acceptable"]):
        return "acceptable"
    if "critical" in limits and sign * value > sign * limits["critical"]:
        return "critical"
    return "missed"


def audit_reasons(audit: t.Any) -> list[str]:
    """Why the audit voids the run: the reasons of every part of it that says ``valid: false``."""
    found: list[str] = []
    if isinstance(audit, dict):
        if audit.get("valid") is False:
            found += [str(reason) for reason in audit.get("reasons") or []] or ["the audit gives no reason"]
        for part in audit.values():
            found += audit_reasons(part)
    elif isinstance(audit, list):
        for part in audit:
            found += audit_reasons(part)
    return list(dict.fromkeys(found))


def samples_needed(statistic: str) -> int:
    """How many samples a percentile needs for a finite two-sided 95 % upper bound: 6, 72, 368 for p50, p95, p99."""
    quantile = _quantile(statistic)
    return 1 if quantile is None else samples_to_bound(quantile)


def limit_text(limit: float, unit: str, direction: str, *, inclusive: bool = False) -> str:
    """A limit as a person reads it: ``< 512 MB``, ``> 0.5/s``, ``>= 50 nodes``, ``= 0``."""
    sign = {"below": "<", "above": ">", "equal": "="}[direction]
    if inclusive and direction != "equal":
        sign += "="
    return f"{sign} {quantity(limit, unit)}"


def _judge_row(
    row: Row,
    measurements: dict[str, t.Any],
    audit: list[str],
    *,
    scale: str,
    fail_at: str,
    marks: t.Sequence[str],
) -> Judgement:
    judgement: Judgement = {
        "id": row.id,
        "label": row.label,
        "sentence": row.sentence,
        "source": row.source,
        "statistic": row.statistic,
        "direction": row.direction,
        "inclusive": row.inclusive,
        "value": None,
        "unit": row.unit,
        "low": None,
        "high": None,
        "n": None,
        "level": None,
        "verdict": "not judged",
        "limit": None,
        "limits": {},
        "marks": [mark for mark in marks if mark in row.marks or (mark == "shared-host" and row.timed)],
        "note": "",
        "advice": [],
    }
    limits: dict[str, float] = {}
    for level, limit in row.limits_at(scale).items():
        number = _number(search(limit, measurements), row.unit) if isinstance(limit, str) else {"value": limit}
        if isinstance(number, str):
            judgement["note"] = f"its limit, {limit}, {number}"
            return judgement
        limits[level] = number["value"]
    judgement["limits"] = {"target": limits["target"]} if row.direction == "equal" else limits
    judgement["limit"] = limits["target" if row.direction == "equal" else _DECIDING[_failing(limits, fail_at)]]
    for mark in marks:
        if mark in row.not_judged_with:
            judgement["note"] = row.not_judged_with[mark]
            return judgement
    number = _number(search(row.path, measurements), row.unit)
    if isinstance(number, str):
        judgement["note"] = row.if_missing or f"{row.path} {number}"
        return judgement
    effective, largest = t.cast("int | None", number.pop("effective")), number.pop("largest")
    judgement.update(number)
    judgement["level"] = level_of(number["value"], limits, row.direction, inclusive=row.inclusive)
    judgement["verdict"], judgement["note"] = _decide(row, judgement, limits, fail_at, effective, largest)
    failing = LEVELS.index("missed" if row.direction == "equal" else _failing(limits, fail_at))
    if row.timed and audit and LEVELS.index(judgement["level"]) >= failing:
        judgement["verdict"] = "invalid"
        judgement["note"] = "the audit voids it: " + "; ".join(audit)
        return judgement
    if LEVELS.index(judgement["level"]) >= LEVELS.index("missed") or judgement["verdict"] == "fail":
        judgement["advice"] = list(row.advice)
    return judgement


def _decide(
    row: Row,
    judgement: Judgement,
    limits: dict[str, float],
    fail_at: str,
    effective: int | None,
    largest: float | None,
) -> tuple[str, str]:
    """Verdict and note of a value, from where the two ends of its interval fall.

    ``effective``: how many independent samples it rests on, None where that is all; ``largest``: the largest sample
    where those are too few for a bound.
    """
    failing = LEVELS.index("missed" if row.direction == "equal" else _failing(limits, fail_at))

    def fails(value: float | None) -> bool:
        """An end that is not known could be anywhere, so it is as bad as can be."""
        return value is None or LEVELS.index(level_of(value, limits, row.direction, inclusive=row.inclusive)) >= failing

    value: float = judgement["value"]
    best: float | None = value
    worst: float | None = value
    bounds = (judgement["low"], judgement["high"])
    statistical = bounds != (None, None) or (_quantile(row.statistic) is not None and judgement["n"] is not None)
    if statistical and not row.exact and row.direction != "equal":
        best, worst = bounds if row.direction == "below" else bounds[::-1]
        best = value if best is None else best
    if not fails(worst):
        return "pass", ""
    if worst is None and largest is not None and row.direction == "below" and not fails(largest):
        worth = f"{judgement['n']} {row.samples}, worth {effective} independent ones, give {row.statistic} no bound"
        return "pass", f"{worth}, but the largest of them is {quantity(largest, row.unit)}"
    if fails(best):
        return "fail", ""
    return "inconclusive", _more_samples(row, judgement, worst, effective)


def _failing(limits: t.Mapping[str, float], fail_at: str) -> str:
    """The mildest level at which a row with these limits fails: without a critical limit missed is the worst."""
    return "missed" if fail_at == "critical" and "critical" not in limits else fail_at


def _more_samples(row: Row, judgement: Judgement, worst: float | None, effective: int | None) -> str:
    """How many more samples would part the interval from the deciding limit; its width shrinks with their root."""
    limit: float = judgement["limit"]
    count = judgement["n"] or 0
    shown = quantity(limit, row.unit)
    if worst is None:
        needed = samples_needed(row.statistic)
        worth = ""
        if effective is not None and 0 < effective < count:
            needed = _round_up(math.ceil(needed * count / effective))
            worth = f", worth {effective} independent ones,"
        missing = needed - count
        reason = f"{count} {row.samples}{worth} give {row.statistic} no bound on the side of the limit of {shown}"
        return f"{reason}; needs about {missing} more {row.samples}" if missing > 0 else reason
    ends = [quantity(end, row.unit) if end is not None else "?" for end in (judgement["low"], judgement["high"])]
    reason = f"the interval {ends[0]} to {ends[1]} spans the limit of {shown}"
    distance = abs(limit - judgement["value"])
    ends_known = [end for end in (judgement["low"], judgement["high"]) if end is not None]
    towards = [end for end in ends_known if (end > judgement["value"]) == (limit > judgement["value"])]
    width = abs(towards[0] - judgement["value"]) if towards else 0.0
    if not count or not width or distance * 30 < width:
        return f"{reason}; the value is too close to it for more {row.samples} to tell" if count else reason
    wanted = math.ceil(count * (width / distance) ** 2 * 1.1)
    more = _round_up(max(wanted - count, 1))
    return f"{reason}; needs about {more} more {row.samples}"


def _judge_size(judgement: Judgement, others: list[Judgement]) -> None:
    """Judge a size by whether all ``others`` held at it.

    A size that held says what the cluster can carry at least. That no more was tried says nothing.
    """
    if judgement["verdict"] not in ("pass", "fail"):
        return
    size = quantity(judgement["value"], judgement["unit"])
    missed = [entry["label"] for entry in others if entry["verdict"] == "fail" or entry["level"] in LEVELS[2:]]
    undecided = [entry["label"] for entry in others if entry["verdict"] in ("inconclusive", "invalid")]
    if missed:
        note = f"the run did not hold at {size}: {_first_of(missed)}"
    elif undecided:
        note = f"that the run held at {size} is not proven: {_first_of(undecided)}"
    elif not any(entry["verdict"] == "pass" for entry in others):
        note = f"nothing else was judged at {size}"
    elif judgement["verdict"] == "fail":
        note = f"held at {size}; more not tried"
    else:
        return
    judgement.update(verdict="not judged", level=None, note=note, advice=[])


def _first_of(labels: list[str]) -> str:
    return labels[0] + (f" and {len(labels) - 1} more" if len(labels) > 1 else "")


def _number(found: t.Any, unit: str) -> dict[str, t.Any] | str:
    """A measured value in ``unit`` as ``{value, low, high, n}``, or what is wrong with it."""
    number = found if isinstance(found, dict) else {"value": found}
    value = number.get("value")
    if value is None:
        return "was not measured"
    # True and false are what an expression such as "a == b && c" yields where it does not hold: never a zero that
    # passes.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return "is not a number"
    factor = convert(1.0, str(number.get("unit") or unit), unit)
    if factor is None:
        return f"was measured in {number.get('unit')}, not in {unit}"

    def scaled(end: t.Any) -> float | None:
        known = isinstance(end, (int, float)) and not isinstance(end, bool) and math.isfinite(end)
        return float(end) * factor if known else None

    count = number.get("n")
    effective = number.get("effective")
    return {
        "value": float(value) * factor,
        "low": scaled(number.get("low")),
        "high": scaled(number.get("high")),
        "n": count if isinstance(count, int) and not isinstance(count, bool) else None,
        "effective": effective if isinstance(effective, int) else None,
        "largest": scaled(number.get("largest")),
    }


def _quantile(statistic: str) -> float | None:
    """0.99 for p99, 0.999 for p999, None for what is no percentile."""
    digits = statistic[1:]
    if not statistic.startswith("p") or not digits.isdigit() or not digits.strip("0"):
        return None
    return float("0." + digits) if len(digits) > 1 else None


def _round_up(count: int) -> int:
    """Two significant digits are all that such an estimate is worth."""
    step = 10 ** max(0, len(str(count)) - 2)
    return -(-count // step) * step


def _summary(verdict: str, judgements: list[Judgement], counts: dict[str, int]) -> str:
    total = len(judgements)
    worst = [entry for entry in judgements if entry["verdict"] == verdict]
    if verdict == "pass":
        left = counts["not judged"]
        rest = f", {left} {'was' if left == 1 else 'were'} not judged" if left else ""
        return f"pass: {counts['pass']} of {total} objectives passed{rest}"
    if verdict == "not judged":
        return f"not judged: none of {total} objectives could be judged, so the run proves nothing"
    shown = "; ".join(_failure(entry) for entry in worst[:3]) + (
        f" and {len(worst) - 3} more" if len(worst) > 3 else ""
    )
    if verdict == "invalid":
        return f"invalid: the generator could not keep up, so nothing is known of these: {shown}"
    if verdict == "inconclusive":
        return f"inconclusive: the samples cannot tell: {shown}"
    return f"{verdict}: {shown}"


def _failure(entry: Judgement) -> str:
    value = quantity(entry["value"], entry["unit"])
    limit = limit_text(entry["limit"], entry["unit"], entry["direction"], inclusive=entry["inclusive"])
    return f"{entry['label']} is {value} (limit {limit})"
