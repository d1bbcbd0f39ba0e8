# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.warren.load.plugins.module_utils.objectives.rows import ObjectiveError, load_rows
from ansible_collections.warren.load.plugins.module_utils.objectives.shape import MEASUREMENTS, Fields, Leaf
from ansible_collections.warren.load.plugins.module_utils.objectives.units import UNITS

SHIPPED = Path(__file__).parents[5] / "roles/load/files/objectives.yml"


def row(**changes):
    entry: dict[str, t.Any] = {
        "id": "manager-memory",
        "sentence": "Managers stay small.",
        "source": "guide",
        "statistic": "max",
        "path": "resources.manager_rss_max",
        "unit": "MB",
        "direction": "below",
        "limits": {"target": 256, "acceptable": 512, "critical": 512},
    }
    entry.update(changes)
    return {key: value for key, value in entry.items() if value is not ...}


def test_defaults():
    (loaded,) = load_rows([row(limits={"target": 256})])
    assert loaded.label == "Manager memory"
    assert loaded.limits_at("small") == {"target": 256.0, "acceptable": 256.0}
    assert loaded.timed
    assert loaded.marks == ("simulator",)


def test_scales_replace_single_limits():
    (loaded,) = load_rows([row(scales={"large": {"target": 512}})])
    assert loaded.limits_at("large") == {"target": 512.0, "acceptable": 512.0, "critical": 512.0}
    assert loaded.limits_at("small")["target"] == 256.0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"colour": 1}, "unknown key 'colour'"),
        ({"path": ...}, "has no 'path'"),
        ({"path": "resources["}, "is not a JMESPath expression"),
        ({"path": "resources.nothing"}, "there is no 'nothing'"),
        ({"path": "resources.manager_rss_maxx"}, "did you mean 'manager_rss_max'"),
        ({"path": "latency"}, "group of values"),
        ({"path": "latency.errors"}, "group of values"),
        ({"path": "create.causes[0]"}, "treats as a list"),
        ({"path": "resources.manager_rss_max.middle"}, "'middle' is asked of a single value"),
        ({"path": "resources.managers[?nam == 'x'].rss | [0]"}, "there is no 'nam'"),
        ({"path": "length(latency.p98)"}, "there is no 'p98'"),
        ({"path": "await.scheduling_latency.p99"}, "is measured in s, which cannot be judged in 'MB'"),
        ({"unit": "parsec"}, "unit 'parsec' is unknown"),
        ({"direction": "under"}, "direction 'under' is unknown"),
        ({"limits": {}}, "has no 'target'"),
        ({"limits": 5}, "must be a mapping"),
        ({"limits": {"target": "many"}}, "there is no 'many'"),
        ({"limits": {"target": True}}, "must be a number"),
        ({"limits": {"target": 512, "acceptable": 256}}, "must rise"),
        ({"limits": {"target": 1, "acceptable": 2}, "direction": "above"}, "must fall"),
        ({"limits": {"target": 0, "critical": 2}, "direction": "equal"}, "there is one limit"),
        ({"scales": {"tiny": {"target": 1}}}, "must be a mapping with keys of small"),
        ({"scales": {"large": {"target": 1024}}}, "scales.large must rise"),
        ({"id": "Manager Memory"}, "lower case"),
        ({"label": "much too long for a table of results"}, "longer than 22"),
        ({"marks": ["real"]}, "must be a list of simulator"),
        ({"scenarios": ["leader-lost"]}, "must be a list of load, "),
        ({"scenarios": "soak"}, "must be a list of load, "),
        ({"size": "yes"}, "must be true or false"),
        ({"sentence": " "}, "must be a text"),
    ],
)
def test_wrong_rows_are_refused_in_one_sentence(changes, sentence):
    with pytest.raises(ObjectiveError) as caught:
        load_rows([row(**changes)])
    text = str(caught.value)
    assert sentence in text
    assert text.startswith("Objective '")
    assert text.endswith(".")
    assert "\n" not in text


@pytest.mark.parametrize("rows", [None, {}, "text", [], [1], [row(), row()]])
def test_wrong_lists_are_refused(rows):
    with pytest.raises(ObjectiveError):
        load_rows(rows)


@pytest.mark.parametrize(
    "path",
    [
        "latency.response_time.p99.value",
        "sum([cleanup.services_left, cleanup.containers_left])",
        "max(values(await.placement))",
        'await.placement."worker-1"',
        "resources.managers[0].rss",
        "resources.managers[?name == 'manager-1'].rss | [0]",
        "max_by(resources.managers, &rss).rss",
        "[latency][?method == 'ListServices'].response_time.mean | [0]",
        "await.placement.* | [0]",
        "not_null(latency.error_count, `0`)",
        "length(resources.unavailable[])",
    ],
)
def test_expressions_of_every_kind_are_understood(path):
    load_rows([row(path=path, unit="1" if "rss" not in path else "MB", limits={"target": 1})]) if (
        "response_time" not in path
    ) else load_rows([row(path=path, unit="ms", limits={"target": 1})])


def test_the_shipped_rows_are_the_guide_s_table():
    rows = {entry.id: entry for entry in load_rows(yaml.safe_load(SHIPPED.read_text()))}
    table = {
        "manager-memory": (256, 512, 512),
        "worker-memory": (128, 256, 256),
        "api-latency-p50": (50, 100, 200),
        "api-latency-p99": (200, 500, 1000),
        "service-creation": (1, 0.5, 0.5),
        "scheduler-latency": (5, 10, 30),
        "cluster-size": (100, 50, 10),
        "services-per-cluster": (1000, 500, 100),
        "containers-per-cluster": (10000, 5000, 1000),
    }
    for name, limits in table.items():
        assert tuple(rows[name].limits_at("small")[level] for level in ("target", "acceptable", "critical")) == limits
        assert rows[name].advice
    assert rows["manager-memory"].limits_at("large")["target"] == 512
    assert rows["service-creation"].limits_at("large")["target"] == 0.5
    assert {"failed-creations", "list-average", "no-leftover", "containers-running"} < set(rows)
    assert not any(character.isdigit() for entry in rows.values() for character in entry.sentence)


def test_whatever_is_measured_can_be_judged():
    """Each unit of a measured value is one that limits can be given in."""

    def units(shape):
        if isinstance(shape, Leaf):
            yield shape.unit
        for inner in shape.of.values() if isinstance(shape, Fields) else [shape.of] if hasattr(shape, "of") else []:
            yield from units(inner)

    assert set(units(MEASUREMENTS)) - {""} <= set(UNITS)
