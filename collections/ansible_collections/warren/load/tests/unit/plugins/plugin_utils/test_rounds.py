# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What went wrong in any round of a load is judged and told, not only what went wrong in the last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ansible_collections.warren.load.plugins.module_utils.objectives.judging import judge
from ansible_collections.warren.load.plugins.module_utils.objectives.rows import load_rows
from ansible_collections.warren.load.plugins.module_utils.stats.summaries import number, summary
from ansible_collections.warren.load.plugins.plugin_utils.outcome import outcome
from ansible_collections.warren.load.plugins.plugin_utils.rounds import over_rounds

ROLE = Path(__file__).parents[4] / "roles/load"


def created(first_sent: float, **more: Any) -> dict[str, Any]:
    return {
        "services": 50,
        "replicas": 3,
        "created": 50,
        **dict.fromkeys(("found", "failed", "ambiguous", "left_out", "retries"), 0),
        "causes": {},
        "attempts": 50,
        "concurrency": 10,
        "rate_planned": None,
        "send_lag": summary([], "ms"),
        "duration": 2.0,
        "rate": number(25, "1/s", 50),
        "service_time": summary([2.0] * 50, "ms"),
        "response_time": summary([], "ms"),
        "first_sent": first_sent,
        "last_acknowledged": first_sent + 2,
        **more,
    }


def awaited(slowest: float = 3.0, **more: Any) -> dict[str, Any]:
    return {
        "expected": 150,
        "records": 150,
        "running": 150,
        "settled": True,
        "unscheduled": 0,
        "not_running": 0,
        "duration": 10.0,
        "states": {"running": 150},
        "scheduling_latency": summary([1.0] * 400 + [slowest] * 20, "s"),
        "create_to_running": summary([4.0] * 150, "s"),
        "placement": {"worker-1": 100, "worker-2": 50},
        "nodes_ready": 2,
        "ticks": [],
        "missing": [],
        "polls": 5,
        "poll_time": 0.1,
        "poll_share": 1.0,
        "last_running": 1010.0,
        **more,
    }


def result(measurements: dict[str, Any], stopped: str = "", problems: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"measurements": measurements, "audit": {}, "stopped": stopped, "problems": list(problems)}


FAILED: dict[str, Any] = {"created": 40, "failed": 6, "ambiguous": 3, "left_out": 1, "causes": {"no leader": 9}}
SHORT: dict[str, Any] = {
    "running": 141,
    "settled": False,
    "unscheduled": 9,
    "missing": ["9 containers without a record."],
}


def test_creations_that_failed_in_a_round_before_the_last_are_seen() -> None:
    first = result(created(1000, **FAILED), "the deadline of 9 s has passed", ("3 creates were not followed.",))
    found = over_rounds([first, result(created(2000))])
    measured = found["measurements"]
    counts = ("services", "created", "failed", "ambiguous", "left_out")
    assert [measured[name] for name in counts] == [100, 90, 6, 3, 1]
    assert measured["causes"] == {"no leader": 9}
    assert (measured["replicas"], measured["concurrency"]) == (3, 10)
    assert measured["rate"] == number(22.5, "1/s", 90)
    assert (measured["first_sent"], measured["last_acknowledged"]) == (1000, 2002)
    assert found["stopped"] == "in round 1 the deadline of 9 s has passed"
    assert found["problems"] == ["Round 1: 3 creates were not followed."]


def test_containers_that_did_not_run_in_a_round_before_the_last_are_seen() -> None:
    measured = over_rounds([result(awaited(**SHORT)), result(awaited())])["measurements"]
    assert (measured["expected"], measured["running"], measured["unscheduled"]) == (300, 291, 9)
    assert (measured["settled"], measured["missing"]) == (False, ["Round 1: 9 containers without a record."])
    assert (measured["states"], measured["placement"]) == ({"running": 300}, {"worker-1": 200, "worker-2": 100})
    assert (measured["poll_time"], measured["poll_share"]) == (0.2, 1.0)
    # Between the first create and that lies a whole round.
    assert measured["last_running"] is None


def test_the_worst_round_has_the_spread_that_is_judged() -> None:
    for rounds in ([9.0, 3.0], [3.0, 9.0]):
        measured = over_rounds([result(awaited(slowest)) for slowest in rounds])["measurements"]
        assert measured["scheduling_latency"] == awaited(9.0)["scheduling_latency"]
    none = result(created(1000, service_time=summary([], "ms")))
    assert over_rounds([result(created(1)), none])["measurements"]["service_time"]["p50"]["value"] == 2.0


def test_what_is_left_is_counted_over_all_rounds_already() -> None:
    def settled(left: int) -> dict[str, Any]:
        return {"deleted": 50, "orphans": left, "running": left, "states": {"running": left}, "duration": 300.0}

    found = over_rounds([result(settled(150), problems=("2 looks failed.",)), result(settled(300))])
    assert found["measurements"] == {**settled(300), "deleted": 100, "duration": 600.0}
    assert found["problems"] == ["Round 1: 2 looks failed."]


def test_of_one_round_all_stays_and_of_none_there_is_nothing() -> None:
    one = result(created(1000), "the deadline has passed", ("A problem.",))
    assert over_rounds([one]) == one
    assert over_rounds([]) == over_rounds([{"failed": True, "msg": "No leader."}]) == {}
    # What broke in the second round has no figures, but the first has.
    assert over_rounds([one, {"failed": True, "msg": "No leader."}]) == one


def test_a_bad_first_round_fails_the_run() -> None:
    rows = load_rows(yaml.safe_load((ROLE / "files/objectives.yml").read_text(encoding="utf-8")))

    def verdicts(create: list[dict[str, Any]], wait: list[dict[str, Any]]) -> dict[str, str]:
        told = {"create": over_rounds(create), "await": over_rounds(wait)}
        found = outcome(told, scenario="leak-detection")
        judged = judge(found["measurements"], {}, rows, scale="small", scenario="leak-detection")
        return {entry["id"]: entry["verdict"] for entry in judged["judgements"]}

    good = verdicts([result(created(1000)), result(created(2000))], [result(awaited()), result(awaited())])
    assert good["failed-creations"] == good["containers-running"] == "pass"
    first = verdicts(
        [result(created(1000, **FAILED)), result(created(2000))], [result(awaited(**SHORT)), result(awaited())]
    )
    assert first["failed-creations"] == first["containers-running"] == "fail"


def test_the_role_remembers_each_round() -> None:
    """What a round registers is registered anew by the next one."""
    tasks = (ROLE / "tasks/leak_round.yml").read_text(encoding="utf-8")
    defaults = (ROLE / "defaults/main.yml").read_text(encoding="utf-8")
    for name, phase in (("load_creates", "create"), ("load_awaits", "await"), ("load_settles", "settle")):
        assert f"{name} + [load_{phase}]" in tasks
        assert f"{name} | warren.load.over_rounds" in defaults
