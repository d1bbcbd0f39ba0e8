"""README.md says what the files say that it speaks of."""

from __future__ import annotations

import re

import pytest
import readme


def test_the_tables_are_up_to_date() -> None:
    text = readme.README.read_text(encoding="utf-8")
    assert readme.written(text) == text, "a table of README.md is out of date: run `python scripts/readme.py`"


def test_a_table_without_a_place_is_told() -> None:
    with pytest.raises(ValueError, match="no place for the table 'settings'"):
        readme.written("")


def test_limits_are_written_with_their_direction_and_scales() -> None:
    row = {"direction": "below", "unit": "MB", "limits": {"target": 256, "critical": 512}}
    row["scales"] = {"large": {"target": 512}, "massive": {"target": 512}}
    assert readme.limit(row, "target") == "< 256 MB; large and massive < 512 MB"
    assert readme.limit(row, "acceptable") == ""
    assert readme.limit(row, "critical") == "> 512 MB"
    size = {"direction": "above", "inclusive": True, "unit": "nodes", "limits": {"target": 100, "critical": 10}}
    assert readme.limit(size, "target") == ">= 100 nodes"
    assert readme.limit(size, "critical") == "< 10 nodes"
    assert readme.limit({"direction": "equal", "unit": "calls", "limits": {"target": "a.b"}}, "target") == "= `a.b`"


def test_every_playbook_and_every_inventory_is_named() -> None:
    text = readme.README.read_text(encoding="utf-8")
    for file in sorted((readme.ROOT / "playbooks").glob("*.yml")):
        assert file.name in text, f"README.md does not name playbooks/{file.name}"
    for file in sorted((readme.ROOT / "inventories").iterdir()):
        assert file.name in text, f"README.md does not name inventories/{file.name}"


def test_every_link_and_every_variable_in_it_is_there() -> None:
    text = readme.README.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (readme.ROOT / target).exists(), f"README.md links to {target}, which is not there"
    known = set(re.findall(r"^\| `(warren_load_\w+)`", readme.settings(), re.MULTILINE))
    assert set(re.findall(r"\bwarren_load_\w*[a-z]\b", text)) <= known
