# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.warren.load.plugins.module_utils.engine import journal, write_audit
from ansible_collections.warren.load.plugins.module_utils.engine.write_audit import (
    measurements,
    sentences,
    writes,
)

SETTLES = 5.5


def audit(what_was_said, there):
    return write_audit.audit(what_was_said, there, SETTLES)


def event(kind, service, service_id="", moment=100.0):
    return {"t": moment, "phase": "create", "event": kind, "service": service, "id": service_id}


def said(**kinds):
    """a=("created", "id-a"): the journal of creates that ended so, each with its intent before."""
    events = []
    for name, (kind, service_id) in kinds.items():
        events.append(event("create", name))
        if kind:
            events.append(event(kind, name, service_id))
    return writes(events)


WHOLE = {"a": ("created", "1"), "b": ("found", "2"), "c": ("failed", ""), "d": ("ambiguous", ""), "e": (None, "")}


def test_a_word_that_was_kept():
    found = audit(said(**WHOLE), [("a", "1"), ("b", "2"), ("d", "4")])
    assert found.kept
    assert (found.acknowledged, found.refused, found.ambiguous) == (2, 1, 2)
    assert (found.ambiguous_present, found.ambiguous_absent) == (1, 1)
    assert sentences(found) == []
    assert measurements(found)["broken"] == 0
    assert measurements(found)["examples"] == {}


@pytest.mark.parametrize(
    ("there", "defect", "sentence"),
    [
        ([("b", "2")], "lost", "1 service was acknowledged and is gone (lost writes): a."),
        ([("a", "9"), ("b", "2")], "lost", "1 service was acknowledged and is gone (lost writes): a."),
        ([("a", "1"), ("a", "9"), ("b", "2")], "doubled", "1 service is there more than once (doubled writes): a."),
        (
            [("a", "1"), ("b", "2"), ("d", "4"), ("d", "5")],
            "doubled",
            "1 service is there more than once (doubled writes): d.",
        ),
        (
            [("a", "1"), ("b", "2"), ("c", "3")],
            "resurrected",
            "1 service was refused and is there all the same (refused writes that happened): c.",
        ),
        (
            [("a", "1"), ("b", "2"), ("z", "3")],
            "unasked",
            "1 service is there and was never asked for (writes that nobody sent): z.",
        ),
    ],
)
def test_a_word_that_was_broken(there, defect, sentence):
    found = audit(said(**WHOLE), there)
    assert not found.kept
    assert measurements(found)["broken"] == 1
    assert measurements(found)[defect] == 1
    assert sentences(found) == [sentence]


@pytest.mark.parametrize(
    ("kind", "attempts", "seconds", "whose"),
    [
        ("created", 1, 9.0, "doubled"),
        ("found", 1, 9.0, "doubled"),
        ("created", 2, 1.2, "doubled"),  # a follower refused the first, and nobody had to wait for what became of it
        ("created", 2, 5.6, "resent_doubled"),
        ("found", 3, 20.0, "resent_doubled"),
        ("ambiguous", 2, 30.0, "resent_doubled"),
        ("ambiguous", 1, 30.0, "resent_doubled"),  # cut off: how often it was sent is not known
        ("ambiguous", 1, 1.0, "doubled"),
        (None, 0, 0.0, "resent_doubled"),
    ],
)
def test_what_we_may_have_doubled_ourselves_is_counted_apart(kind, attempts, seconds, whose):
    events = [event("create", "a")]
    if kind:
        events.append({**event(kind, "a", "1", 100.0 + seconds), "attempts": attempts})
    found = audit(writes(events), [("a", "1"), ("a", "2")])
    measured = measurements(found)
    other = {"doubled": "resent_doubled", "resent_doubled": "doubled"}[whose]
    assert (measured[whose], measured[other]) == (1, 0)
    assert measured["examples"] == {whose: ["a"]}
    assert (measured["broken"], found.kept) == ((1, False) if whose == "doubled" else (0, True))
    (sentence,) = sentences(found)
    if whose == "resent_doubled":
        assert sentence == (
            "1 service is there more than once, and may have been sent again after nobody could say what became of the "
            "first (ambiguous: Warren's double or ours): a."
        )


def test_many_are_told_with_a_few_names():
    kinds = {f"s{number:02d}": ("created", str(number)) for number in range(30)}
    found = audit(said(**kinds), [])
    assert sentences(found) == ["30 services were acknowledged and are gone (lost writes): s00, s01, s02 and 27 more."]
    assert measurements(found)["lost"] == 30
    assert len(measurements(found)["examples"]["lost"]) == 20


def test_an_intent_after_a_kill_is_ambiguous_and_a_cut_line_is_no_event(tmp_path):
    path = tmp_path / "journal.jsonl"
    kept = journal.Journal(path)
    kept.write("create", {"event": "create", "service": "a"}, {"event": "started"})
    kept.write("create", {"event": "created", "service": "a", "id": "1"}, {"event": "create", "service": "b"})
    kept.close()
    with path.open("a") as file:
        file.write('{"event": "created", "serv')
    found = writes(journal.read(path))
    assert [(write.service, write.said, write.id) for write in found.values()] == [
        ("a", "acknowledged", "1"),
        ("b", "ambiguous", ""),
    ]
    assert found["a"].time > 1e9
