# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that hold from the root and those that hold from inside playbooks/ are the same."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[6]


def effective_settings(folder: Path) -> dict[str, Any]:
    """What ansible-config says is set when Ansible starts in this folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    done = subprocess.run(
        ["ansible-config", "dump", "--only-changed", "--format", "json"],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    settings = {entry["name"]: entry["value"] for entry in json.loads(done.stdout) if "name" in entry}
    assert settings.pop("CONFIG_FILE") == str(folder / "ansible.cfg")
    return settings


def test_both_configurations_say_the_same() -> None:
    root = effective_settings(ROOT)
    assert root["COLLECTIONS_PATHS"] == [str(ROOT / "collections")]
    assert root["DEFAULT_HOST_LIST"] == [str(ROOT / "inventories/sandbox")]
    assert effective_settings(ROOT / "playbooks") == root


def test_requirements_agree() -> None:
    """An execution environment gets the same libraries as a controller, whose ansible-core it brings itself."""
    collection = ROOT / "collections/ansible_collections/warren/load"

    def requirements(path: str) -> set[str]:
        lines = (collection / path).read_text(encoding="utf-8").splitlines()
        return {line.strip() for line in lines if line.strip() and not line.startswith("#")}

    controller = requirements("requirements.txt")
    assert requirements("meta/ee-requirements.txt") == {line for line in controller if "ansible-core" not in line}


def test_every_playbook_is_also_in_the_collection() -> None:
    """playbooks/load-small.yml imports warren.load.load_small, and so on: one line each, nothing forgotten."""
    collection = ROOT / "collections/ansible_collections/warren/load/playbooks"
    here = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    assert "load-small" in here
    assert {name.replace("-", "_") for name in here} <= {path.stem for path in collection.glob("*.yml")}
    for name in here:
        plays = yaml.safe_load((ROOT / "playbooks" / f"{name}.yml").read_text(encoding="utf-8"))
        imported = [play["ansible.builtin.import_playbook"] for play in plays]
        assert imported == [f"warren.load.{name.replace('-', '_')}"]
