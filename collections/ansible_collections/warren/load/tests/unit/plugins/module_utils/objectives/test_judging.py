# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.objectives.judging import (
    FAIL_AT,
    LEVELS,
    VERDICTS,
    audit_reasons,
    judge,
    level_of,
    limit_text,
    samples_needed,
)
from ansible_collections.warren.load.plugins.module_utils.objectives.rows import load_rows

LATENCY = {
    "id": "p99",
    "sentence": "Calls are fast.",
    "source": "guide",
    "statistic": "p99",
    "path": "latency.response_time.p99",
    "unit": "ms",
    "direction": "below",
    "limits": {"target": 200, "acceptable": 500, "critical": 1000},
    "advice": ["Profile the manager's CPU."],
}
FAILED = {
    "id": "failed",
    "sentence": "Nothing fails.",
    "source": "guide",
    "statistic": "count",
    "path": "create.failed",
    "unit": "creations",
    "direction": "equal",
    "limits": {"target": 0},
    "timed": False,
}
SIZE = {
    "id": "services",
    "sentence": "Enough services.",
    "source": "guide",
    "statistic": "count",
    "path": "create.created",
    "unit": "services",
    "direction": "above",
    "inclusive": True,
    "limits": {"target": 1000, "acceptable": 500, "critical": 100},
    "size": True,
    "timed": False,
}


def latency(value, low=None, high=None, n=None, unit="ms"):
    return {"latency": {"response_time": {"p99": {"value": value, "unit": unit, "low": low, "high": high, "n": n}}}}


def judged(measurements, rows=(LATENCY,), *, audit=None, fail_at="missed", marks=(), scale="small"):
    return judge(measurements, audit or {}, load_rows(list(rows)), scale=scale, fail_at=fail_at, marks=marks)


def one(*args, **kwargs):
    return judged(*args, **kwargs)["judgements"][0]


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (0, "target"),
        (199.9, "target"),
        (200, "acceptable"),
        (499, "acceptable"),
        (500, "missed"),
        (1000, "missed"),
        (1001, "critical"),
    ],
)
def test_levels_below(value, level):
    assert one(latency(value))["level"] == level


@pytest.mark.parametrize(
    ("value", "inclusive", "level"),
    [
        (2, False, "target"),
        (1, False, "acceptable"),
        (1, True, "target"),
        (0.6, False, "acceptable"),
        (0.5, False, "missed"),
        (0.4, False, "critical"),
    ],
)
def test_levels_above(value, inclusive, level):
    assert level_of(value, {"target": 1, "acceptable": 0.5, "critical": 0.5}, "above", inclusive=inclusive) == level


NUMBERS = st.floats(min_value=-1e6, max_value=1e6)


@st.composite
def limits(draw, direction):
    target, acceptable, critical = sorted((draw(NUMBERS), draw(NUMBERS), draw(NUMBERS)), reverse=direction == "above")
    found = {"target": target, "acceptable": acceptable, "critical": critical}
    if draw(st.booleans()):
        del found["critical"]
    return found


@given(st.data(), st.sampled_from(["below", "above"]), NUMBERS, NUMBERS, st.booleans())
def test_a_worse_value_never_gets_a_better_level(data, direction, first, second, inclusive):
    bounds = data.draw(limits(direction))
    better, worse = sorted((first, second), reverse=direction == "above")
    levels = [LEVELS.index(level_of(value, bounds, direction, inclusive=inclusive)) for value in (better, worse)]
    assert levels[0] <= levels[1]


@given(
    st.lists(st.floats(min_value=0, max_value=3000), min_size=3, max_size=3).map(sorted),
    st.sampled_from(FAIL_AT),
    st.integers(min_value=1, max_value=10**6),
)
def test_pass_and_fail_follow_the_whole_interval(ends, fail_at, count):
    low, value, high = ends
    judgement = one(latency(value, low, high, count), fail_at=fail_at)
    limit = {"acceptable": 200, "missed": 500, "critical": 1000}[fail_at]
    assert judgement["limit"] == limit
    if fail_at == "critical":
        expected = "pass" if high <= limit else "fail" if low > limit else "inconclusive"
    else:
        expected = "pass" if high < limit else "fail" if low >= limit else "inconclusive"
    assert judgement["verdict"] == expected
    assert bool(judgement["note"]) == (expected == "inconclusive")


def test_too_few_samples_can_fail_but_never_pass():
    assert one(latency(10, 5, None, 100))["verdict"] == "inconclusive"
    assert "needs about 268 more calls" in one(latency(10, 5, None, 100))["note"]
    assert one(latency(900, 700, None, 100))["verdict"] == "fail"
    assert one(latency(10, None, None, 0))["verdict"] == "inconclusive"
    clumped = latency(10, 5, None, 1000)
    clumped["latency"]["response_time"]["p99"]["effective"] = 200
    assert one(clumped)["note"] == (
        "1000 calls, worth 200 independent ones, give p99 no bound on the side of the limit of 500 ms; "
        "needs about 900 more calls"
    )
    exact = {**LATENCY, "exact": True}
    assert one(latency(10, 5, None, 100), [exact])["verdict"] == "pass"


@pytest.mark.parametrize(("largest", "verdict"), [(60, "pass"), (499, "pass"), (500, "inconclusive")])
def test_one_burst_passes_if_it_lies_on_the_good_side(largest, verdict):
    clumped = latency(10, 5, None, 1000)
    clumped["latency"]["response_time"]["p99"] |= {"effective": 66, "largest": largest}
    assert one(clumped)["verdict"] == verdict
    if verdict == "pass":
        told = f"1000 calls, worth 66 independent ones, give p99 no bound, but the largest of them is {largest} ms"
        assert one(clumped)["note"] == told


def test_how_many_more_samples():
    note = one(latency(450, 400, 520, 1000))["note"]
    # The interval has to shrink from 70 to 50 ms, so n grows by (70/50)^2, with 10 % to spare: 2156.
    assert note == "the interval 400 ms to 520 ms spans the limit of 500 ms; needs about 1200 more calls"
    assert "too close" in one(latency(499.9, 400, 600, 1000))["note"]


def test_samples_needed():
    assert [samples_needed(name) for name in ("p50", "p95", "p99", "p999", "max", "mean", "p", "p0")] == [
        6, 72, 368, 3688, 1, 1, 1, 1,
    ]  # fmt: skip


def test_values_are_converted():
    judgement = one(latency(0.45, 0.4, 0.48, 5000, unit="s"))
    assert (judgement["value"], judgement["high"], judgement["verdict"]) == (450.0, 480.0, "pass")
    assert "was measured in MB" in one(latency(1, unit="MB"))["note"]


@pytest.mark.parametrize("wrong", [None, "fast", float("nan"), float("inf"), True, [], {}])
def test_what_is_no_number_is_not_judged(wrong):
    result = judged({"latency": {"response_time": {"p99": wrong}}})
    assert result["judgements"][0]["verdict"] == "not judged"
    assert result["verdict"] == "not judged"
    assert not result["green"]
    assert "proves nothing" in result["summary"]


def test_a_run_that_judged_nothing_is_never_green():
    result = judged({}, [LATENCY, FAILED, SIZE])
    assert result["verdict"] == "not judged"
    assert not result["green"]
    assert all(entry["note"] for entry in result["judgements"])


def test_false_is_no_zero_that_passes():
    row = {**LATENCY, "path": "latency.method == 'GetService' && latency.response_time.p99"}
    measurements = {"latency": {"method": "ListServices", **latency(1)["latency"]}}
    assert one(measurements, [row])["verdict"] == "not judged"


def test_a_sum_of_what_was_not_measured_is_not_judged():
    row = {**FAILED, "path": "sum([cleanup.services_left, cleanup.containers_left])", "unit": "records"}
    assert one({}, [row])["verdict"] == "not judged"
    assert one({"cleanup": {"services_left": 0, "containers_left": 0}}, [row])["verdict"] == "pass"
    assert one({"cleanup": {"services_left": 0, "containers_left": 2}}, [row])["verdict"] == "fail"


def test_the_audit_voids_what_went_through_the_generator_s_clock():
    audit = {"generator": {"valid": False, "reasons": ["send lag p99 80 ms"]}}
    result = judged({**latency(900, 800, 950, 5000), "create": {"failed": 0}}, [LATENCY, FAILED], audit=audit)
    assert [entry["verdict"] for entry in result["judgements"]] == ["invalid", "pass"]
    assert result["verdict"] == "invalid"
    assert not result["green"]
    assert result["summary"] == (
        "invalid: the generator could not keep up, so nothing is known of these: P99 is 900 ms (limit < 500 ms)"
    )
    assert "send lag p99 80 ms" in result["judgements"][0]["note"]
    assert audit_reasons({"valid": True, "reasons": ["x"]}) == []
    assert audit_reasons([{"valid": False}]) == ["the audit gives no reason"]


def test_what_passes_with_the_generator_s_delay_in_it_passes():
    audit = {"generator": {"valid": False, "reasons": ["send lag p99 80 ms"]}}
    result = judged(latency(10, 9, 11, 5000), [LATENCY], audit=audit)
    assert (result["verdict"], result["green"]) == ("pass", True)
    undecided = judged({**latency(450, 400, 520, 1000), "create": {"failed": 0}}, [LATENCY, FAILED], audit=audit)
    assert (undecided["verdict"], undecided["green"]) == ("inconclusive", True)
    assert judged(latency(520, 400, 600, 1000), [LATENCY], audit=audit)["verdict"] == "invalid"


def test_overall_order_and_green():
    passing, failing, open_ = latency(10, 9, 11, 5000), latency(900, 800, 950, 5000), latency(450, 400, 520, 1000)
    assert judged(passing)["verdict"] == "pass"
    assert judged(passing)["green"]
    assert judged(failing)["verdict"] == "fail"
    assert not judged(failing)["green"]
    assert judged(failing)["summary"] == "fail: P99 is 900 ms (limit < 500 ms)"
    mixed = judged({**open_, "create": {"failed": 0}}, [LATENCY, FAILED])
    assert (mixed["verdict"], mixed["green"]) == ("inconclusive", True)
    assert mixed["summary"] == "inconclusive: the samples cannot tell: P99 is 450 ms (limit < 500 ms)"
    assert not judged(open_)["green"]
    beyond = judged({**latency(510, 450, 600, 1000), "create": {"failed": 0}}, [LATENCY, FAILED])
    assert (beyond["verdict"], beyond["green"]) == ("inconclusive", False)
    both = judged({**open_, "create": {"failed": 3}}, [LATENCY, FAILED])
    assert both["verdict"] == "fail"
    assert sum(both["counts"].values()) == 2
    assert tuple(both["counts"]) == VERDICTS


def test_fail_at_levels():
    value = latency(300, 290, 310, 5000)
    assert [one(value, fail_at=fail_at)["verdict"] for fail_at in FAIL_AT] == ["fail", "pass", "pass"]
    for fail_at in FAIL_AT:
        assert one({"create": {"failed": 1}}, [FAILED], fail_at=fail_at)["verdict"] == "fail"
        assert one({"create": {"failed": 0}}, [FAILED], fail_at=fail_at)["verdict"] == "pass"


def test_without_a_critical_limit_a_row_fails_when_it_is_missed():
    endless = {**LATENCY, "limits": {"target": 200, "acceptable": 500}}
    bad = one(latency(900, 800, 950, 5000), [endless], fail_at="critical")
    assert (bad["verdict"], bad["level"], bad["limit"]) == ("fail", "missed", 500)
    assert one(latency(300, 290, 310, 5000), [endless], fail_at="critical")["verdict"] == "pass"
    open_ = judged({**latency(510, 450, 600, 1000), "create": {"failed": 0}}, [endless, FAILED], fail_at="critical")
    assert (open_["verdict"], open_["green"]) == ("inconclusive", False)


def test_advice_is_given_where_it_is_missed_only():
    assert one(latency(900, 800, 950, 5000))["advice"] == ["Profile the manager's CPU."]
    assert one(latency(10, 9, 11, 5000))["advice"] == []


def test_limits_can_be_measured_values():
    row = {**FAILED, "path": "await.running", "unit": "containers", "limits": {"target": "await.expected"}}
    assert one({"await": {"running": 150, "expected": 150}}, [row])["verdict"] == "pass"
    assert one({"await": {"running": 149, "expected": 150}}, [row])["verdict"] == "fail"
    assert "its limit, await.expected, was not measured" in one({"await": {"running": 149}}, [row])["note"]


def test_marks_touch_rows_and_can_void_them():
    row = {**LATENCY, "marks": ["hollow"], "not_judged_with": {"hollow": "not Warren's"}}
    value = latency(10, 9, 11, 5000)
    assert one(value, [row], marks=["simulator"])["marks"] == ["simulator"]
    assert one(value, [row], marks=["simulator"])["verdict"] == "pass"
    void = one(value, [row], marks=["simulator", "hollow", "shared-host"])
    assert (void["verdict"], void["note"]) == ("not judged", "not Warren's")
    assert void["marks"] == ["simulator", "hollow", "shared-host"]
    assert one(value, [{**LATENCY, "timed": False}], marks=["hollow", "shared-host"])["marks"] == []


@pytest.mark.parametrize(
    ("created", "failed", "verdict", "note"),
    [
        (1000, 0, "pass", ""),
        (500, 0, "pass", ""),
        (200, 0, "not judged", "held at 200 services; more not tried"),
        (50, 0, "not judged", "held at 50 services; more not tried"),
        (1000, 1, "not judged", "the run did not hold at 1000 services: Failed"),
        (1000, None, "not judged", "nothing else was judged at 1000 services"),
    ],
)
def test_sizes_are_judged_by_what_held(created, failed, verdict, note):
    result = judged({"create": {"created": created, "failed": failed}}, [SIZE, FAILED])["judgements"][0]
    assert (result["verdict"], result["note"]) == (verdict, note)


@pytest.mark.parametrize(
    ("p99", "fail_at", "verdict", "note"),
    [
        (latency(10, 9, 11, 5000), "missed", "pass", ""),
        (latency(300, 290, 310, 5000), "missed", "pass", ""),
        (latency(300, 290, 310, 5000), "acceptable", "not judged", "the run did not hold at 1000 services: P99"),
        (latency(450, 400, 520, 1000), "missed", "not judged", "that the run held at 1000 services is not proven: P99"),
        (latency(900, 800, 950, 5000), "missed", "not judged", "the run did not hold at 1000 services: P99"),
        # It does not fail the run, but it was missed.
        (latency(900, 800, 950, 5000), "critical", "not judged", "the run did not hold at 1000 services: P99"),
    ],
)
def test_a_size_holds_only_where_no_other_row_was_missed(p99, fail_at, verdict, note):
    measured = {"create": {"created": 1000, "failed": 0}, **p99}
    size = judged(measured, [SIZE, FAILED, LATENCY], fail_at=fail_at)["judgements"][0]
    assert (size["verdict"], size["note"]) == (verdict, note)
    assert (size["level"] is None) == (verdict == "not judged")


def test_a_size_that_was_voided_says_so():
    audit = {"valid": False, "reasons": ["send lag p99 80 ms"]}
    measured = {"create": {"created": 1000, "failed": 0}, **latency(900, 800, 950, 5000)}
    size = judged(measured, [SIZE, FAILED, {**LATENCY, "limits": {"target": 1000}}], audit=audit)["judgements"][0]
    assert size["verdict"] == "pass"
    size = judged(measured, [SIZE, FAILED, LATENCY], audit=audit)["judgements"][0]
    assert size["verdict"] == "not judged"


@pytest.mark.parametrize(
    ("fail_at", "verdicts"),
    [
        ("acceptable", {1000: "pass", 500: "not judged", 100: "not judged"}),
        ("missed", {1000: "pass", 500: "pass", 499: "not judged", 100: "not judged"}),
        ("critical", {500: "pass", 100: "pass", 99: "not judged"}),
    ],
)
def test_the_lowest_limit_of_a_size_follows_fail_at(fail_at, verdicts):
    for created, verdict in verdicts.items():
        size = judged({"create": {"created": created, "failed": 0}}, [SIZE, FAILED], fail_at=fail_at)["judgements"][0]
        assert size["verdict"] == verdict, created


SHIPPED = load_rows(
    yaml.safe_load((Path(__file__).parents[5] / "roles/load/files/objectives.yml").read_text(encoding="utf-8"))
)


def a_run(services, replicas, nodes, **changes):
    """The measurements of a run in which everything went well."""
    containers = services * replicas
    spread = {"value": 1.0, "unit": "ms", "low": 0.9, "high": 1.1, "n": 3000}
    measured: dict[str, t.Any] = {
        "create": {"created": services, "failed": 0, "ambiguous": 0, "rate": 200.0},
        "await": {
            "expected": containers,
            "running": containers,
            "settled": True,
            "nodes_ready": nodes,
            "scheduling_latency": {"p99": {"value": 3.0, "unit": "s", "low": 2.9, "high": 3.1, "n": containers}},
        },
        "latency": {
            "method": "ListServices",
            "calls": 3000,
            "ok": 3000,
            "response_time": {"p50": spread, "p99": spread, "mean": spread},
        },
        "resources": {"manager_rss_max": {"value": 300, "unit": "MB"}, "worker_rss_max": {"value": 60, "unit": "MB"}},
        "cleanup": {"services_left": 0, "containers_left": 0},
    }
    for path, value in changes.items():
        phase, _dot, key = path.partition("__")
        measured[phase][key] = value
    return measured


def shipped(scale, *size, fail_at="missed", **changes):
    result = judge(a_run(*size, **changes), {}, SHIPPED, scale=scale, fail_at=fail_at)
    return {entry["id"]: entry for entry in result["judgements"]}


def soaked(row, **measured):
    """The verdict of a row of scenario soak."""
    judgements = judge(measured, {}, SHIPPED, scale="small", scenario="soak")["judgements"]
    return next(entry["verdict"] for entry in judgements if entry["id"] == row)


@pytest.mark.parametrize(
    ("churn", "verdict"),
    [
        ({"cycles": 3, "created": 6, "failed": 0}, "pass"),
        ({"cycles": 3, "created": 5, "failed": 1}, "fail"),
        ({"cycles": 3, "created": 0, "failed": 3}, "fail"),
        # It never came, or no manager answered it.
        ({"cycles": 0, "created": 0, "failed": 0}, "not judged"),
        ({"cycles": 3, "created": 0, "failed": 0}, "not judged"),
        (None, "not judged"),
    ],
)
def test_a_churn_that_replaced_nothing_passes_nothing(churn, verdict):
    assert soaked("churn-failures", hold={"churn": churn}) == verdict


@pytest.mark.parametrize(
    ("low", "value", "high", "verdict"),
    [(2.8, 3.0, None, "fail"), (0.2, 0.5, None, "inconclusive"), (0.2, 0.5, 0.8, "pass")],
)
def test_growth_without_an_upper_bound_can_fail_but_never_pass(low, value, high, verdict):
    growth = {"value": value, "unit": "MB/min", "low": low, "high": high, "n": 40}
    assert soaked("memory-plateau", resources={"memory_growth": growth}) == verdict


def test_the_guide_s_limits_hold_at_their_scales():
    levels = {
        scale: (rows["manager-memory"]["level"], rows["service-creation"]["level"])
        for scale, size in {"medium": (200, 3, 5), "large": (1000, 3, 10), "massive": (1000, 10, 100)}.items()
        for rows in [shipped(scale, *size, create__rate=0.8)]
    }
    assert levels == {
        "medium": ("acceptable", "acceptable"),
        "large": ("target", "target"),
        "massive": ("target", "target"),
    }


SIZES = ("cluster-size", "services-per-cluster", "containers-per-cluster")


@pytest.mark.parametrize(
    ("scale", "size", "levels"),
    [
        ("small", (50, 3, 2), (None, None, None)),
        ("medium", (200, 3, 5), (None, None, None)),
        ("large", (1000, 3, 10), (None, "target", None)),
        ("massive", (1000, 10, 100), ("target", "target", "target")),
        ("custom", (600, 9, 60), ("acceptable", "acceptable", "acceptable")),
    ],
)
def test_sizes_are_judged_from_their_lowest_limit_on(scale, size, levels):
    rows = shipped(scale, *size)
    assert tuple(rows[name]["level"] for name in SIZES) == levels
    assert [rows[name]["verdict"] for name in SIZES] == ["pass" if level else "not judged" for level in levels]


@pytest.mark.parametrize(
    "changes",
    [
        {"await__running": 9999, "await__settled": False},
        {"create__failed": 1},
        {"cleanup__containers_left": 3},
        {"latency__ok": 2999},
    ],
)
def test_one_missed_row_leaves_every_size_unjudged(changes):
    rows = shipped("massive", 1000, 10, 100, **changes)
    assert [rows[name]["verdict"] for name in SIZES] == ["not judged"] * 3


def test_no_size_without_all_containers_whatever_else_is_judged():
    """Also where a file of the user's switches containers-running off."""
    rows = [row for row in SHIPPED if row.id != "containers-running"]
    result = judge(a_run(1000, 10, 100, await__running=9999, await__settled=False), {}, rows, scale="massive")
    found = {entry["id"]: entry for entry in result["judgements"]}
    assert [found[name]["verdict"] for name in SIZES] == ["not judged"] * 3
    assert found["cluster-size"]["note"] == "not every container of the run ran"


def test_limit_text():
    assert limit_text(512, "MB", "below") == "< 512 MB"
    assert limit_text(50, "nodes", "above", inclusive=True) == ">= 50 nodes"
    assert limit_text(0, "1", "equal") == "= 0"


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["create", "latency", "response_time", "p99", "failed", "created", "value", "unit", "low", "high", "n"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(JUNK, JUNK)
def test_whatever_was_measured_every_row_gets_a_verdict(measurements, audit):
    result = judge(measurements, audit, load_rows([LATENCY, FAILED, SIZE]), scale="small")
    assert [entry["verdict"] in VERDICTS for entry in result["judgements"]] == [True] * 3
    assert result["green"] <= (result["counts"]["pass"] > 0)


def test_a_row_is_judged_in_its_scenarios_alone():
    """Elsewhere it is not there at all: "not judged" would say that something is missing."""
    rows = load_rows([LATENCY, FAILED | {"scenarios": ["soak", "leader-loss"]}])
    measured = latency(10) | {"create": {"failed": 3}}
    by_scenario = {
        name: [entry["id"] for entry in judge(measured, {}, rows, scale="small", scenario=name)["judgements"]]
        for name in ("load", "soak")
    }
    assert by_scenario == {"load": [LATENCY["id"]], "soak": [LATENCY["id"], FAILED["id"]]}
