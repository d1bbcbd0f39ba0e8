# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the repository holds for continuous integration and for teams fits the rest of it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

COLLECTION = Path(__file__).resolve().parents[2]
ROOT = COLLECTION.parents[3]
WORKFLOWS = sorted((COLLECTION / "docs/workflows").glob("*.yml"))


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actionlint_finds_nothing(workflow: Path) -> None:
    actionlint = shutil.which("actionlint")
    if actionlint is None:
        pytest.skip("actionlint is not installed (go install github.com/rhysd/actionlint/cmd/actionlint@latest)")
    done = subprocess.run([actionlint, "-no-color", str(workflow)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_names_what_there_is_and_always_cleans_up(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    named = set(re.findall(r"\b(?:playbooks|inventories|collections/ansible_collections)/[\w./-]+\w", text))
    assert "playbooks/load-small.yml" in named
    assert [name for name in named if not (ROOT / name).exists()] == []

    steps = read(workflow)["jobs"]["load-test"]["steps"]
    order = [step.get("name", step.get("uses")) for step in steps]
    assert [name for name in ("Hosts come up", "Warren comes up", "Load test", "Hosts go") if name not in order] == []
    always = [step for step in steps if step.get("if") == "always()"]
    assert any("hosts-down.yml -e confirm=yes" in step.get("run", "") for step in always)
    kept = [step["with"]["path"] for step in always if "upload-artifact" in step.get("uses", "")]
    assert {"results/", "results/2*/profiles/", "results/junit.xml"} <= set(kept)
    assert any("load-small.yml" in step.get("run", "") and "-e profile=true" in step["run"] for step in steps)


def test_an_execution_environment_can_be_made_of_its_definition(tmp_path: Path) -> None:
    pytest.importorskip("ansible_builder", reason="ansible-builder is not installed")
    context = tmp_path / "context"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ansible_builder",
            "create",
            "-f",
            str(ROOT / "execution-environment.yml"),
            "-c",
            str(context),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (context / "_build/warren/meta/execution-environment.yml").is_file()


def test_the_execution_environment_has_the_required_collections() -> None:
    def bounds(entries: list[dict[str, str]]) -> dict[str, str]:
        return {entry["name"]: entry["version"] for entry in entries if "version" in entry}

    environment = read(ROOT / "execution-environment.yml")["dependencies"]["galaxy"]["collections"]
    required = bounds(read(ROOT / "requirements.yml")["collections"])
    assert bounds(environment) == required
    assert all(re.fullmatch(r">=[\d.]+", bound) for bound in required.values())


def test_the_three_clouds_pin_host_keys_and_name_the_same_tags() -> None:
    for provider, file in (("aws", "aws_ec2.yml"), ("hetzner", "hcloud.yml"), ("gcp", "gcp_compute.yml")):
        folder = ROOT / "inventories" / provider
        settings = read(folder / "group_vars/all.yml")
        assert settings["ansible_ssh_common_args"] == "{{ lookup('warren.load.host_keys') }}"
        assert "ansible_host_key_checking" not in settings
        config = read(folder / file)
        assert set(config["groups"]) == {"managers", "workers", "generators"}
        assert {"warren_load_node_address", "warren_load_host_id"} <= set(config["compose"])
        assert "warren-load-run" in (folder / file).read_text(encoding="utf-8")
