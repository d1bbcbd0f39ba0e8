# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the results of a run and print its banner. Documented in plugins/modules/report.py."""

from __future__ import annotations

import os
import platform
import typing as t
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.release import __version__ as ansible_version

from ansible_collections.warren.load.plugins.module_utils.objectives.rows import MARKS
from ansible_collections.warren.load.plugins.plugin_utils.banner import banner, render
from ansible_collections.warren.load.plugins.plugin_utils.results import (
    ResultsError,
    assemble,
    encode,
    point_latest,
    prepare,
    run_folder,
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


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _requires_connection = True
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Assemble, write, fetch, print. A run that failed its objectives is no failed task."""
        super().run(tmp, task_vars)
        options: dict[str, t.Any] = self.validate_argument_spec(argument_spec=SPEC)[1]
        options["environment"] = {**options["environment"], "controller": _controller()}
        problem = ""
        files: list[str] = []
        try:
            document = assemble(options)
            folder = run_folder(options["results_dir"], document["run"]["id"])
            if not self._task.check_mode:
                prepare(folder)
                files, note = self._fetch(options["work_dir"], folder / "samples")
                if note:
                    document["findings"].append(
                        {"id": "samples", "severity": "warning", "sentence": note, "because": ""}
                    )
        except ResultsError as error:
            return {"failed": True, "msg": str(error)}
        document["files"] = files
        lines = banner(document, _shown(folder))
        # Shown first: what cannot be written must not be lost to the person who waited for it.
        show(lines)
        if not self._task.check_mode:
            try:
                write(folder / "results.json", encode(document))
                write(folder / "report.txt", (render(lines) + "\n").encode("utf-8", "replace"))
                files = ["results.json", "report.txt", *files]
                point_latest(folder)
            except ResultsError as error:
                problem = str(error)
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
        return {**result, "failed": True, "msg": problem} if problem else result

    def _fetch(self, work_dir: str | None, folder: Path) -> tuple[list[str], str]:
        """Copy samples and journal from the generator. Returns what came, and a sentence about what did not."""
        if not work_dir:
            return [], ""
        shell = self._connection._shell
        if work_dir.startswith("~"):
            work_dir = self._remote_expand_user(work_dir)
        fetched: list[str] = []
        try:
            listing = self._low_level_execute_command(f"cd {shell.quote(work_dir)} && ls -1")
            if listing.get("rc"):
                return [], f"Samples and journal were not fetched: {work_dir} cannot be read on the generator."
            names = [
                name
                for name in str(listing["stdout"]).splitlines()
                if name == "journal.jsonl" or name.endswith("-samples.csv.gz")
            ]
            folder.mkdir(exist_ok=True)
            for name in names:
                self._connection.fetch_file(shell.join_path(work_dir, name), str(folder / name))
                fetched.append(f"{folder.name}/{name}")
        except (AnsibleError, OSError) as error:
            reason = " ".join(str(error).split())
            return fetched, f"Not all samples were fetched from {work_dir} on the generator: {reason}"
        return fetched, ""


def _controller() -> dict[str, t.Any]:
    """What the results were written on."""
    return {
        "host": platform.node(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "ansible_core": ansible_version,
        "cpus": os.cpu_count(),
    }


def _shown(folder: Path) -> str:
    """A folder as it is best typed: relative to the current directory if it lies below."""
    try:
        return str(folder.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(folder)
