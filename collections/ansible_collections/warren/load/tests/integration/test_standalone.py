# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection on its own: a tarball, installed in an empty directory, on ansible-core alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.warren.load.tests.support.worlds import free_ports

ROOT = Path(__file__).resolve().parents[6]
COLLECTION = ROOT / "collections/ansible_collections/warren/load"


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a venv that holds ansible-core and nothing else, and the collection from its tarball."""
    folder = tmp_path_factory.mktemp("alone")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    requirements = (COLLECTION / "requirements.txt").read_text(encoding="utf-8").splitlines()
    (core,) = [line for line in requirements if line.startswith("ansible-core")]
    subprocess.run([folder / "venv/bin/python", "-m", "pip", "install", "--quiet", core], check=True)
    run(folder, "ansible-galaxy", "collection", "build", str(COLLECTION), "--output-path", str(folder))
    (tarball,) = folder.glob("warren-load-*.tar.gz")
    (folder / "empty").mkdir()
    run(
        folder,
        "ansible-galaxy",
        "collection",
        "install",
        str(tarball),
        "--offline",
        "-p",
        "collections",
        cwd=folder / "empty",
    )
    return folder


def run(folder: Path, *command: str, cwd: Path | None = None, rc: int = 0) -> str:
    """Runs a program of the venv with a home of its own. PIP_* of the caller stay, since a role installs libraries."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "XDG_", "PYTHON"))
    }
    home = folder / "home"
    home.mkdir(exist_ok=True)
    pip_settings = Path.home() / ".config/pip/pip.conf"
    if pip_settings.exists():
        environment.setdefault("PIP_CONFIG_FILE", str(pip_settings))
    environment |= {"HOME": str(home), "PATH": f"{folder / 'venv/bin'}{os.pathsep}{environment['PATH']}"}
    environment |= {"ANSIBLE_COLLECTIONS_PATH": str(folder / "empty/collections"), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(
        [str(folder / "venv/bin" / command[0]), *command[1:]],
        cwd=cwd or folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=400,
    )
    print(f"--- {' '.join(command)}\n{done.stdout}")
    assert done.returncode == rc, done.stdout
    return done.stdout


def test_nothing_that_is_not_the_collections_own_is_in_the_tarball(alone: Path) -> None:
    installed = alone / "empty/collections/ansible_collections/warren/load"
    top = {path.name for path in installed.iterdir()}
    assert {"plugins", "roles", "playbooks", "meta", "LICENSES", "README.md", "requirements.txt"} <= top
    assert not {"results", ".venv", ".cache"} & top
    assert not list(installed.rglob("__pycache__"))
    assert not (installed / "tests/output").exists()


def test_check_needs_no_library_and_no_cluster(alone: Path) -> None:
    """On ansible-core alone: the plan is made from the settings, and nothing is installed, started or written."""
    empty = alone / "empty"
    site = "---\n- name: Plan\n  ansible.builtin.import_playbook: warren.load.load_large\n"
    (empty / "plan.yml").write_text(site, encoding="utf-8")
    before = set(empty.iterdir())
    output = run(alone, "ansible-playbook", "plan.yml", "--check", cwd=empty)
    assert "Plan of run" in output
    assert "1000 services x 3 = 3000 containers" in output
    assert "Traceback" not in output
    assert set(empty.iterdir()) == before
    assert not (alone / "home/.local/state/warren-load").exists()

    run(alone, "ansible-playbook", "plan.yml", "--check", "-e", "services=0", cwd=empty, rc=2)


def test_load_small_without_an_inventory(alone: Path) -> None:
    """On the implicit localhost: starts the sandbox, and installs the libraries that it lacks beside it."""
    empty = alone / "empty"
    (empty / "site.yml").write_text(
        "---\n- name: Load-test the sandbox\n  ansible.builtin.import_playbook: warren.load.load_small\n",
        encoding="utf-8",
    )
    output = run(
        alone,
        "ansible-playbook",
        "site.yml",
        "-e",
        json.dumps(
            {"warren_load_port_base": free_ports(30), "services": 5, "replicas": 2, "warren_load_latency_calls": 100}
        ),
        cwd=empty,
    )
    assert "Traceback" not in output
    results = json.loads((empty / "results/latest/results.json").read_text(encoding="utf-8"))
    assert results["measurements"]["create"]["created"] == 5

    # On ansible-core alone, too.
    report = (empty / "results/latest/report.txt").read_text(encoding="utf-8")
    rc = 0 if results["judgement"]["green"] else 2
    assert report.strip() in run(alone, "ansible-playbook", "warren.load.report", cwd=empty, rc=rc)
    same = f"base and new are the same run, {results['run']['id']}"
    assert same in run(alone, "ansible-playbook", "warren.load.compare", "-e", "base=latest", cwd=empty, rc=2)


def test_a_role_by_its_full_name(alone: Path) -> None:
    empty = alone / "empty"
    (empty / "role.yml").write_text(
        """---
- name: Deploy the simulator
  hosts: localhost
  gather_facts: false
  roles:
    - role: warren.load.simulator
""",
        encoding="utf-8",
    )
    run(alone, "ansible-playbook", "role.yml", "-e", json.dumps({"warren_load_port_base": free_ports(30)}), cwd=empty)
    assert list((alone / "home/.local/state/warren-load").rglob("warren-simulator.pyz"))
