# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-doc shows is complete: every plugin, every role, every option, every value that comes back."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

COLLECTION = Path(__file__).resolve().parents[2]
PREFIX = "warren.load."
KINDS = {
    "modules": "module",
    "callback": "callback",
    "connection": "connection",
    "filter": "filter",
    "inventory": "inventory",
    "lookup": "lookup",
}

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def shown():
    """{"module": {name: {doc, examples, return}}, "role": {name: {entry_points}}, ...} as ansible-doc has it."""
    done = subprocess.run(
        ["ansible-doc", "--metadata-dump", "--no-fail-on-errors", "warren.load"],
        env=os.environ | {"ANSIBLE_COLLECTIONS_PATH": str(COLLECTION.parents[2])},
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return json.loads(done.stdout)["all"]


def sentences(description):
    return [description] if isinstance(description, str) else list(description or [])


def wrong_descriptions(described, where):
    """Where a description is missing, or is no sentence."""
    said = sentences(described.get("description"))
    return [] if said and all(each.strip().endswith((".", ")", ":")) for each in said) else [where]


def wrong_options(options, where):
    found = []
    for name, option in (options or {}).items():
        place = f"{where}.{name}"
        found += wrong_descriptions(option, place)
        if "type" not in option and name != "cache_prefix":  # which ansible-core documents without one
            found.append(f"{place}: type")
        found += wrong_options(option.get("suboptions") or option.get("options"), place)
    return found


def wrong_returns(returned, where):
    found = []
    for name, value in (returned or {}).items():
        place = f"{where}.{name}"
        found += wrong_descriptions(value, place)
        found += [f"{place}: {key}" for key in ("returned", "type") if not value.get(key)]
        if "sample" not in value and not value.get("contains"):
            found.append(f"{place}: sample")
        found += wrong_returns(value.get("contains"), place)
    return found


def test_every_file_has_its_page(shown):
    for folder, kind in KINDS.items():
        there = {f"{PREFIX}{file.stem}" for file in (COLLECTION / "plugins" / folder).glob("[!_]*.py")}
        assert set(shown.get(kind, {})) == there, kind
    roles = {f"{PREFIX}{folder.name}" for folder in (COLLECTION / "roles").iterdir()}
    assert set(shown["role"]) == roles


def test_every_option_is_described(shown):
    wrong = []
    for kind in set(KINDS.values()):
        for name, page in shown.get(kind, {}).items():
            assert "error" not in page, page
            doc = page["doc"]
            wrong += [f"{name}: {key}" for key in ("short_description", "author", "version_added") if not doc.get(key)]
            wrong += wrong_descriptions(doc, name)
            if kind not in ("lookup", "filter"):  # _terms and _input have no type
                wrong += wrong_options(doc.get("options"), name)
    for name, page in shown["role"].items():
        for entry, spec in page["entry_points"].items():
            wrong += [] if spec.get("short_description") else [f"{name} {entry}: short_description"]
            wrong += wrong_descriptions(spec, f"{name} {entry}")
            wrong += wrong_options(spec.get("options"), f"{name} {entry}")
    assert not wrong, "\n".join(sorted(wrong))


def test_every_module_says_what_it_does_in_check_and_diff_mode_and_where_it_runs(shown):
    wrong = []
    for name, page in shown["module"].items():
        attributes = page["doc"].get("attributes", {})
        needed = {"check_mode", "diff_mode", "platform"}
        if (COLLECTION / f"plugins/action/{name.removeprefix(PREFIX)}.py").exists():
            needed.add("action")
        wrong += [f"{name}: {attribute}" for attribute in needed - attributes.keys()]
        wrong += [f"{name}: {key}" for key, value in attributes.items() if not value.get("support")]
        for key, value in attributes.items():
            wrong += wrong_descriptions(value, f"{name}: {key}")
    assert not wrong, "\n".join(sorted(wrong))


def test_every_module_and_lookup_has_examples_that_use_it(shown):
    for kind in ("module", "lookup", "filter"):
        for name, page in shown[kind].items():
            tasks = yaml.safe_load(page["examples"])
            assert tasks, name
            assert all(task.get("name") for task in tasks), name
            assert any(name in task for task in tasks) or (kind != "module" and name in page["examples"]), name


def test_every_module_shows_what_comes_back(shown):
    wrong = []
    for name, page in shown["module"].items():
        assert page["return"], name
        wrong += wrong_returns(page["return"], name)
    assert not wrong, "\n".join(sorted(wrong))


def test_every_task_file_that_playbooks_name_is_an_entry_point(shown):
    """tasks_from of another role's file that its argument_specs do not describe would be a secret of ours."""
    described = {name: set(page["entry_points"]) for name, page in shown["role"].items()}
    for playbook in sorted((COLLECTION / "playbooks").glob("*.yml")):
        for play in yaml.safe_load(playbook.read_text(encoding="utf-8")):
            for role, entry in imported(play):
                roles = [name for name in described if re.fullmatch(re.sub(r"{{.*}}", r"\\w+", role), name)]
                assert roles or "{{" in role, f"{playbook.name}: {role}"
                for each in roles:
                    assert entry in described[each], f"{playbook.name}: {each} {entry}"


def imported(tree):
    """(role, entry point) of every import_role and include_role below."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key in ("ansible.builtin.import_role", "ansible.builtin.include_role"):
                yield value["name"], value.get("tasks_from", "main")
            else:
                yield from imported(value)
    elif isinstance(tree, list):
        for each in tree:
            yield from imported(each)


def test_the_readme_names_everything():
    text = (COLLECTION / "README.md").read_text(encoding="utf-8")
    files = [file for folder in KINDS for file in (COLLECTION / "plugins" / folder).glob("[!_]*.py")]
    files += (COLLECTION / "playbooks").glob("*.yml")
    names = {file.stem for file in files} | {folder.name for folder in (COLLECTION / "roles").iterdir()}
    assert not sorted(name for name in names if f"`{name}`" not in text)


def test_the_readme_of_each_role_names_its_entry_points(shown):
    for name, page in shown["role"].items():
        text = (COLLECTION / "roles" / name.removeprefix(PREFIX) / "README.md").read_text(encoding="utf-8")
        missing = sorted(entry for entry in page["entry_points"] if f"`{entry}`" not in text)
        assert missing == [] or list(page["entry_points"]) == ["main"], f"{name}: {missing}"
