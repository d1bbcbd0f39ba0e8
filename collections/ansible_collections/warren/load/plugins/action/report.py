# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the results of a run and print its banner. Documented in plugins/modules/report.py."""

from __future__ import annotations

import os
import platform
import typing as t
import zlib
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.release import __version__ as ansible_version

from ansible_collections.warren.load.plugins.module_utils.objectives.rows import MARKS
from ansible_collections.warren.load.plugins.plugin_utils import reports
from ansible_collections.warren.load.plugins.plugin_utils.controlling import ControllerAction
from ansible_collections.warren.load.plugins.plugin_utils.junit import MISSING
from ansible_collections.warren.load.plugins.plugin_utils.places import collection_version
from ansible_collections.warren.load.plugins.plugin_utils.redaction import Secrets, values_in
from ansible_collections.warren.load.plugins.plugin_utils.results import (
    ResultsError,
    assemble,
    cleared,
    encode,
    point_latest,
    prepare,
    run_folder,
    run_id,
    whole,
    write,
)
from ansible_collections.warren.load.plugins.plugin_utils.screen import show

SPEC: dict[str, dict[str, t.Any]] = {
    "run": {"type": "dict", "required": True},
    "results_dir": {"type": "path", "required": True},
    "measurements": {"type": "dict", "default": {}},
    "audit": {"type": "dict", "default": {}},
    "judgement": {"type": "dict", "default": {}},
    "environment": {"type": "dict", "default": {}},
    "marks": {"type": "list", "elements": "str", "choices": list(MARKS), "default": []},
    "phases": {"type": "list", "elements": "dict", "default": []},
    "plan": {"type": "dict", "default": {}},
    "findings": {"type": "list", "elements": "str", "default": []},
    "work_dir": {"type": "str"},
}


class ActionModule(ControllerAction):
    _requires_connection = True
    spec = SPEC

    def act(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Assemble, write, fetch, print. A run that failed its objectives is no failed task."""
        environment = {"program": None, "hosts": [], **options["environment"]}
        options["environment"] = {**environment, "controller": _controller()}
        secrets = Secrets(values_in(task_vars, self._templar.template))
        problem = ""
        files: list[str] = []
        folder = run_folder(options["results_dir"], run_id(options["run"]))
        if not self._task.check_mode:
            prepare(folder)
            missing = self._fetch(options["work_dir"], folder / "samples")
            options["files"], damaged = _kept(folder / "samples", secrets)
            options["files"] += [f"profiles/{path.name}" for path in sorted((folder / "profiles").glob("*"))]
            options["findings"] = [*options["findings"], *missing, *damaged]
        document = assemble(options, secrets)
        # The document first: it is what all else can be made from. What cannot be written is shown all the same.
        if not self._task.check_mode:
            try:
                write(folder / "results.json", encode(document))
                files.append("results.json")
            except ResultsError as error:
                problem = str(error)
        try:
            with whole(folder / "results.json"):
                show(reports.screen_lines(document, folder))
                made = reports.files(document, folder)
            if files:
                for name, content in made.items():
                    write(folder / name, content)
                    files.append(name)
                files += document["files"]
                point_latest(folder)
        except ResultsError as error:
            problem = problem or str(error)
        judgement = document["judgement"]
        result = {
            "changed": not self._task.check_mode,
            "results_path": str(folder),
            "run_id": document["run"]["id"],
            "scale": document["run"].get("scale"),
            "verdict": judgement["verdict"],
            "green": judgement["green"],
            "summary": judgement["summary"],
            "findings": [finding["sentence"] for finding in document["findings"]],
            "files": files,
        }
        if MISSING:
            result["warnings"] = [MISSING]
        return {**result, "failed": True, "msg": problem} if problem else result

    def _fetch(self, work_dir: str | None, folder: Path) -> list[str]:
        """Copy samples and journal from the generator. Returns a sentence about each thing that did not come."""
        if not work_dir:
            return []
        shell = self._connection._shell
        if work_dir.startswith("~"):
            work_dir = self._remote_expand_user(work_dir)
        try:
            listing = self._low_level_execute_command(f"cd {shell.quote(work_dir)} && ls -1")
            if listing.get("rc"):
                return [f"Samples and journal were not fetched: {work_dir} cannot be read on the generator."]
            folder.mkdir(exist_ok=True)
            for name in str(listing["stdout"]).splitlines():
                if name == "journal.jsonl" or name.endswith("-samples.csv.gz"):
                    self._connection.fetch_file(shell.join_path(work_dir, name), str(folder / name))
        except (AnsibleError, OSError) as error:
            reason = " ".join(str(error).split())
            return [f"Not all samples were fetched from {work_dir} on the generator: {reason}."]
        return []


def _kept(folder: Path, secrets: Secrets) -> tuple[list[str], list[str]]:
    """Take secrets out of all samples, whoever fetched them. Returns what is there, and sentences about what is not."""
    kept: list[str] = []
    notes: list[str] = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if _made_clear(path, secrets):
            kept.append(f"{folder.name}/{path.name}")
        else:
            notes.append(f"{path.name} is damaged, and was not kept: it lies in the run's folder on its host.")
    return kept, notes


def _made_clear(path: Path, secrets: Secrets) -> bool:
    """Take secrets out of a file that was fetched. False, and the file is gone, where it cannot be read."""
    try:
        content = path.read_bytes()
        without = cleared(path.name, content, secrets)
    except (EOFError, OSError, zlib.error):
        path.unlink(missing_ok=True)
        return False
    if without != content:
        write(path, without)
    return True


def _controller() -> dict[str, t.Any]:
    """What the results were written on."""
    return {
        "host": platform.node(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "ansible_core": ansible_version,
        "collection": collection_version(),
        "cpus": os.cpu_count(),
    }
