# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from ansible_collections.warren.load.plugins.module_utils.objectives.shape import (
    MEASUREMENTS,
    Each,
    Fields,
    Items,
    Leaf,
)

MODULES = {
    "create": "create",
    "await": "await_containers",
    "latency": "latency",
    "cleanup": "cleanup",
    "probe": "probe",
    "audit_writes": "audit_writes",
}
COLLECTION = Path(__file__).parents[5]
RECORDED = sorted((COLLECTION / "tests/unit/plugins/plugin_utils/fixtures").glob("measurements-*.json"))


def strangers(shape, value, path):
    """What a document holds that the shape does not know, so that no objective could ask for it."""
    if value is None or (isinstance(shape, Leaf) and not isinstance(value, (dict, list))):
        return []
    if isinstance(shape, Leaf):
        number = isinstance(value, dict) and set(value) <= {"value", "unit", "low", "high", "n"}
        if not number or not shape.unit:
            return [f"{path} is {value!r}"]
        return [] if value["unit"] == shape.unit else [f"{path} is in {value['unit']}, not in {shape.unit}"]
    if isinstance(shape, Items):
        return [text for entry in value for text in strangers(shape.of, entry, f"{path}[]")]
    if isinstance(shape, Each):
        return [text for name, entry in value.items() for text in strangers(shape.of, entry, f"{path}.{name}")]
    assert isinstance(shape, Fields)
    found = [f"{path}.{name} is not known" for name in value if name not in shape.of]
    for name in value.keys() & shape.of.keys():
        found += strangers(shape.of[name], value[name], f"{path}.{name}")
    return found


@pytest.mark.parametrize("phase", MODULES)
def test_the_shape_knows_all_that_a_module_documents(phase):
    source = (COLLECTION / f"plugins/modules/{MODULES[phase]}.py").read_text()
    returned = yaml.safe_load(source.split('RETURN = r"""')[1].split('"""')[0])
    sample = (
        returned["measurements"]["sample"]
        if "measurements" in returned
        else {name: entry["sample"] for name, entry in returned.items()}
    )
    assert strangers(MEASUREMENTS.of[phase], sample, phase) == []


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda path: path.stem)
def test_the_shape_knows_recorded_runs(recorded):
    assert strangers(MEASUREMENTS, json.loads(recorded.read_text()), "measurements") == []


def test_strangers_are_noticed():
    assert strangers(MEASUREMENTS, {"create": {"speed": 1}}, "m") == ["m.create.speed is not known"]
    assert strangers(MEASUREMENTS, {"create": {"rate": {"value": 1, "unit": "ms"}}}, "m") == [
        "m.create.rate is in ms, not in 1/s"
    ]
