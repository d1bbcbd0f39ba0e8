# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Say what is wrong with a cluster. Documented in plugins/modules/diagnose.py."""

from __future__ import annotations

import dataclasses
import os
import tarfile
import typing as t
from pathlib import Path

from ansible_collections.warren.load.plugins.plugin_utils.controlling import ControllerAction
from ansible_collections.warren.load.plugins.plugin_utils.diagnosis import Picture, diagnose, text


class ActionModule(ControllerAction):
    spec: t.ClassVar[dict[str, dict[str, t.Any]]] = {
        "managers": {"type": "list", "elements": "str", "default": []},
        "workers": {"type": "list", "elements": "str", "default": []},
        "hosts": {"type": "dict", "default": {}},
        "cluster": {"type": "dict", "default": {}},
        "real_workers": {"type": "bool", "default": True},
        "provider": {"type": "str", "default": ""},
        "folder": {"type": "path", "required": True},
    }

    def act(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Check, write, pack."""
        hosts = {
            host: one.get("seen") or {"error": one.get("msg") or "it was not asked"}
            for host, one in options["hosts"].items()
            if not one.get("skipped")
        }
        picture = Picture(
            options["managers"],
            options["workers"],
            hosts,
            options["cluster"],
            real_workers=options["real_workers"],
            provider=options["provider"],
        )
        found = diagnose(picture)
        said, folder = text(found), Path(options["folder"])
        archive = f"{folder}.tar.gz"
        result = {
            "changed": False,
            "findings": [dataclasses.asdict(one) for findings in found.values() for one in findings],
            "text": said,
            "archive": archive,
        }
        if self._task.check_mode:
            return result
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / "diagnosis.txt").write_text(said + "\n", encoding="utf-8")
            private = os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(private, "wb") as raw, tarfile.open(fileobj=raw, mode="w:gz") as packed:
                packed.add(folder, arcname=folder.name)
        except OSError as error:
            return {"failed": True, "msg": f"{error.filename or folder} cannot be written: {error.strerror}."}
        return result
