"""Molecule passes over a step whose playbook it does not find, and is green: here the steps are held to the files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

SCENARIOS = sorted((Path(__file__).resolve().parent.parent / "molecule").glob("*/molecule.yml"))


@pytest.mark.parametrize("file", SCENARIOS, ids=[file.parent.name for file in SCENARIOS])
def test_every_step_has_its_playbook(file: Path) -> None:
    scenario = yaml.safe_load(file.read_text(encoding="utf-8"))
    named = (scenario.get("ansible") or {}).get("playbooks") or {}
    used = set(named.values())
    for step in scenario["scenario"]["test_sequence"]:
        action, *playbooks = step.split()
        if action == "side_effect":
            assert "side_effect" in named, "molecule passes over side_effect unless ansible.playbooks names one"
        if action in ("syntax", "check", "idempotence"):
            action = "converge"
        used.update(playbooks or [named.get(action, f"{action}.yml")])
    there = {path.name for path in file.parent.glob("*.yml")} - {"molecule.yml", "vars.yml"}
    assert used == there


def test_there_are_scenarios() -> None:
    assert {file.parent.name for file in SCENARIOS} >= {"cluster-life", "load-small", "interrupted", "verdict-flips"}
