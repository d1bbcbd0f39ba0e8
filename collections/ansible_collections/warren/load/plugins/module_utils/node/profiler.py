# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take profiles on a host at once, or leave a program (node/profiling.py) there that takes them while a load runs.

PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on cluster nodes.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.warren.load.plugins.module_utils.node import (
    commands,
    containers,
    metrics_page,
    process_table,
    profiling,
    sampling,
    standalone,
    supervision,
)

PARTS = (profiling, sampling, containers, process_table, commands, metrics_page)  # what the program is made of
READY_TIMEOUT = 15.0
GRACE = 20.0  # seconds, besides those of a CPU profile, that a program which is to end may take
ARCHIVE = "profiles.tar"


def take(folder: str, targets: list[sampling.Target], moment: str, cpu_seconds: float) -> dict[str, Any]:
    """The profiles of now, in a folder made anew. Raises OSError."""
    supervision.remove([folder])
    os.makedirs(folder, mode=0o700)
    profiling.Taker(targets, folder, cpu_seconds).take(moment)
    return packed(folder)


def start(
    folder: str, run_id: str, targets: list[sampling.Target], *, cpu_seconds: float, interval: float, seconds: float
) -> tuple[int, str]:
    """Take the baseline, and leave the program running. Returns (pid, the run whose program it replaced).

    Raises SupervisionError, OSError.
    """
    replaced = stop(folder)
    supervision.remove([folder])
    os.makedirs(folder, mode=0o700)
    profiling.Taker(targets, folder, cpu_seconds).take("baseline")
    settings = profiling.settings_of(
        targets, run_id=run_id, cpu_seconds=cpu_seconds, interval=interval, seconds=seconds
    )
    path = os.path.join(folder, "settings.json")
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(settings, stream)
    program = os.path.join(folder, "profiler.pyz")
    with open(program, "wb") as archive:
        archive.write(standalone.archive(PARTS))
    record, _seconds = supervision.start(
        supervision.Program(
            name="profiler",
            argv=[sys.executable, "-I", program, path],
            pid_file=os.path.join(folder, "pid.json"),
            log_file=os.path.join(folder, "log"),
            chdir=folder,
            labels={"run_id": run_id, "cpu_seconds": str(cpu_seconds)},
            ready_pattern=f"^{profiling.READY}$",
            ready_timeout=READY_TIMEOUT,
        )
    )
    return record.pid, replaced


def load_begins(folder: str) -> bool:
    """Tell the program that the load begins; False where none runs, which collect() will tell."""
    if not os.path.isdir(folder):
        return False
    with open(os.path.join(folder, profiling.LOAD), "w", encoding="utf-8"):
        return supervision.running_record(os.path.join(folder, "pid.json")) is not None


def settled(folder: str) -> int:
    """Take what is held now that a load is removed, beside the program that runs; how many profiles. OSError."""
    try:
        targets, _settings = sampling.load(os.path.join(folder, "settings.json"))
    except (OSError, ValueError, TypeError):
        return 0
    return sum(bool(row["file"]) for row in profiling.Taker(targets, folder, 0.0).take("settled"))


def stop(folder: str, patiently: bool = False) -> str:
    """End the program of this folder, if one runs; ``patiently``: after the profile that is on its way.

    Returns the run that it worked for, or nothing.
    """
    record = supervision.running_record(os.path.join(folder, "pid.json"))
    wait = float(record.labels.get("cpu_seconds") or 0) + GRACE if record is not None and patiently else 1.0
    supervision.stop(os.path.join(folder, "pid.json"), wait)
    return record.labels.get("run_id", "?") if record is not None else ""


def collect(folder: str, run_id: str) -> dict[str, Any]:
    """End the program, take what is there after the load, and hand over all: ``rows``, and ``archive`` of the files."""
    try:
        targets, settings = sampling.load(os.path.join(folder, "settings.json"))
    except (OSError, ValueError, TypeError):
        return {"rows": [], "archive": "", "unavailable": ["No profiles were taken on this host: none were asked for."]}
    if settings["run_id"] != run_id:
        note = f"No profiles of this run are on this host: they are those of run {settings['run_id']}."
        return {"rows": [], "archive": "", "unavailable": [note]}
    ran = bool(stop(folder, patiently=True))
    lost = list(_lost(folder, targets, settings, ran=ran))
    profiling.Taker(targets, folder, 0.0).take("after")
    return packed(folder, lost)


def _lost(folder: str, targets: list[sampling.Target], settings: dict[str, Any], *, ran: bool) -> Iterator[str]:
    """A sentence for each manager without a CPU profile of the load that nothing else tells of, or on the program."""
    said = [line for line in supervision.log_tail(os.path.join(folder, "log")) if line.strip() != profiling.READY]
    began = os.path.getmtime(os.path.join(folder, "settings.json"))
    died = not ran and time.time() - began < settings["seconds"]
    if died:
        reason = "the program that takes it was not running any more"
        reason += f" (its last words: {said[-1].strip().rstrip('.')})" if said else ""
    elif not os.path.exists(os.path.join(folder, profiling.LOAD)):
        reason = "the program that takes it was not told of a load"
    else:
        reason = said[-1].strip().rstrip(".") if said else "the run ended before it began"
    rows = profiling.read_rows(folder)
    told = {row["process"] for row in rows if row["moment"] == "load" and row["profile"] in ("cpu", "")}
    lost = [each for each in targets if each.kind == "manager" and each.name not in told and settings["cpu_seconds"]]
    for target in lost:
        where = f"{urlsplit(profiling.base_url(target)).netloc} on {platform.node()}"
        yield f"{target.name} has no CPU profile of the load: {where}, {reason}."
    if died and not lost:
        yield f"The program that takes profiles on {platform.node()} was not running any more when the run ended."


def packed(folder: str, lost: Sequence[str] = ()) -> dict[str, Any]:
    """``rows`` of what was taken, and ``archive``: one file that holds the profiles, for one transfer.

    ``lost``: sentences on what no row tells of.
    """
    rows = profiling.read_rows(folder)
    there = [row["file"] for row in rows if row.get("file")]
    target = os.path.join(folder, ARCHIVE) if there else ""
    if there:
        private = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(private, "wb") as raw, tarfile.open(fileobj=raw, mode="w") as archive:  # each is gzipped already
            for name in there:
                archive.add(os.path.join(folder, name), arcname=name)
    unavailable = list(dict.fromkeys([*(row["error"] for row in rows if row["error"]), *lost]))
    return {"rows": [row for row in rows if row.get("file")], "archive": target, "unavailable": unavailable}
