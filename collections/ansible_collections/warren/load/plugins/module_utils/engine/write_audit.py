# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the cluster kept its word: what it acknowledged is there once, what it refused is not there at all.

Works from the journal of who wrote and a listing made after the fault; pure functions. A write whose outcome nobody
could say is neither kept nor broken, and is counted apart. What is there twice was doubled by the cluster where it was
sent again only after a refusal, which proves that the first had no effect. Where it may have been sent again after an
outcome that nobody could say, it is counted apart, too.
"""

from __future__ import annotations

import dataclasses
import math
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ACKNOWLEDGED, REFUSED, AMBIGUOUS = "acknowledged", "refused", "ambiguous"
# What the events of phase create say of a write.
_SAID = {"created": ACKNOWLEDGED, "found": ACKNOWLEDGED, "failed": REFUSED, "ambiguous": AMBIGUOUS}
SHOWN = 20  # names of each defect in the results


@dataclasses.dataclass(frozen=True)
class Write:
    """What became of one create, as who sent it knows. ``id`` is empty where none was told; ``time`` in Unix s.

    ``attempts``: how often it was sent, within ``seconds``, which are endless where it was not followed to its end.
    """

    service: str
    said: str
    id: str = ""
    time: float = 0.0
    attempts: int = 1
    seconds: float = 0.0

    def may_be_resent(self, settles: float) -> bool:
        """Whether it may have been sent again after an outcome that nobody could say, which takes ``settles`` s."""
        # How often it was sent is not known of what was not followed to its end.
        return self.seconds >= settles and (self.attempts > 1 or self.said == AMBIGUOUS)


@dataclasses.dataclass(frozen=True)
class WriteAudit:
    """Names by what is wrong with them, and what became of the ambiguous ones."""

    acknowledged: int
    refused: int
    ambiguous: int
    lost: list[str]
    doubled: list[str]
    resent_doubled: list[str]  # the same, where we may have done it ourselves
    resurrected: list[str]  # refused, and there all the same
    unasked: list[str]  # there, and never asked for
    ambiguous_present: int
    ambiguous_absent: int

    @property
    def kept(self) -> bool:
        """Whether nothing is lost, doubled or there against what was said."""
        return not (self.lost or self.doubled or self.resurrected or self.unasked)


def writes(events: Iterable[Mapping[str, t.Any]]) -> dict[str, Write]:
    """What the journal says of each service, by name. An intent that was never answered (a kill) is ambiguous."""
    found: dict[str, Write] = {}
    for event in events:
        name, kind = event.get("service"), event.get("event")
        if not isinstance(name, str):
            continue
        if kind == "create":
            found.setdefault(name, Write(name, AMBIGUOUS, time=_time(event), seconds=math.inf))
        elif kind in _SAID:
            ended, attempts = _time(event), event.get("attempts")
            found[name] = Write(
                name,
                _SAID[kind],
                str(event.get("id") or ""),
                ended,
                attempts if isinstance(attempts, int) else 1,
                ended - found[name].time if name in found else math.inf,
            )
    return found


def audit(said: Mapping[str, Write], there: Iterable[tuple[str, str]], settles: float) -> WriteAudit:
    """Compare what was said with ``there``: ``(name, id)`` of every service of the run that is listed after the fault.

    An acknowledged one that is there under another id alone is lost, and another one is in its place. ``settles``:
    seconds without which nobody sends again what may have had an effect.
    """
    listed: dict[str, list[str]] = {}
    for name, service_id in there:
        listed.setdefault(name, []).append(service_id)
    by_said: dict[str, list[Write]] = {ACKNOWLEDGED: [], REFUSED: [], AMBIGUOUS: []}
    for write in said.values():
        by_said[write.said].append(write)
    twice = sorted(name for name, ids in listed.items() if len(ids) > 1)
    resent = [name for name in twice if name in said and said[name].may_be_resent(settles)]
    present = [write for write in by_said[AMBIGUOUS] if write.service in listed]
    return WriteAudit(
        acknowledged=len(by_said[ACKNOWLEDGED]),
        refused=len(by_said[REFUSED]),
        ambiguous=len(by_said[AMBIGUOUS]),
        lost=sorted(write.service for write in by_said[ACKNOWLEDGED] if not _is_there(write, listed)),
        doubled=[name for name in twice if name not in resent],
        resent_doubled=resent,
        resurrected=sorted(write.service for write in by_said[REFUSED] if write.service in listed),
        unasked=sorted(name for name in listed if name not in said),
        ambiguous_present=len(present),
        ambiguous_absent=len(by_said[AMBIGUOUS]) - len(present),
    )


def measurements(found: WriteAudit) -> dict[str, t.Any]:
    """The audit as ``measurements.audit_writes`` of the results has it: counts, and the first names of each defect."""
    defects = {name: getattr(found, name) for name in ("lost", "doubled", "resurrected", "unasked")}
    named = {**defects, "resent_doubled": found.resent_doubled}
    return {
        "acknowledged": found.acknowledged,
        "refused": found.refused,
        "ambiguous": found.ambiguous,
        "ambiguous_present": found.ambiguous_present,
        "ambiguous_absent": found.ambiguous_absent,
        **{name: len(names) for name, names in named.items()},
        "broken": sum(len(names) for names in defects.values()),
        "examples": {name: names[:SHOWN] for name, names in named.items() if names},
    }


def sentences(found: WriteAudit) -> list[str]:
    """One for each thing that is wrong, or may be; none where the cluster kept its word."""
    told = (
        (found.lost, "acknowledged and {is_} gone", "lost writes"),
        (found.doubled, "there more than once", "doubled writes"),
        (
            found.resent_doubled,
            "there more than once, and may have been sent again after nobody could say what became of the first",
            "ambiguous: Warren's double or ours",
        ),
        (found.resurrected, "refused and {is_} there all the same", "refused writes that happened"),
        (found.unasked, "there and {was} never asked for", "writes that nobody sent"),
    )
    lines = []
    for names, text, what in told:
        if names:
            one = len(names) == 1
            clause = text.format(is_="is" if one else "are", was="was" if one else "were")
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            verb = "were" if clause.startswith(("acknowledged", "refused")) else "are"
            verb = {"were": "was", "are": "is"}[verb] if one else verb
            subject = "service" if one else "services"
            lines.append(f"{len(names)} {subject} {verb} {clause} ({what}): {', '.join(names[:3])}{more}.")
    return lines


def _is_there(write: Write, listed: Mapping[str, list[str]]) -> bool:
    ids = listed.get(write.service, [])
    return write.id in ids if write.id else bool(ids)


def _time(event: Mapping[str, t.Any]) -> float:
    moment = event.get("t")
    return float(moment) if isinstance(moment, (int, float)) else 0.0
