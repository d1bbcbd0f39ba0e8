# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The results document (results.json) and the folder that it lies in. Its schema is docs/results.schema.json."""

from __future__ import annotations

import copy
import datetime
import json
import math
import os
import re
import typing as t
from pathlib import Path

from .files import write_whole
from .findings import find

SCHEMA = 1
LIMIT = 1_000_000  # bytes of results.json
_LONG_TEXT = 2000  # characters of one text in it
_SECRET = re.compile(r"(password|passphrase|secret|token|private_?key|credential)", re.IGNORECASE)
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")


class ResultsError(Exception):
    """Results that cannot be written; str() is one sentence with the remedy."""


def assemble(options: dict[str, t.Any]) -> dict[str, t.Any]:
    """The results document, from the arguments of the module ``report``: plain JSON data, at most LIMIT bytes."""
    run = dict(options["run"])
    if not _RUN_ID.match(str(run.get("id") or "")):
        raise ResultsError(f"run.id is {run.get('id')!r}: give the id of the run, such as 20261123-120102-4f1a.")
    started, finished = moment(run.get("started")), moment(run.get("finished"))
    for name, value in (("started", started), ("finished", finished)):
        run[name] = value.isoformat(timespec="seconds") if value else None
    run["duration"] = round((finished - started).total_seconds(), 3) if started and finished else None
    if isinstance(run.get("services"), int) and isinstance(run.get("replicas"), int):
        run.setdefault("containers", run["services"] * run["replicas"])
    run["marks"] = list(options["marks"])
    run["phases"] = list(options["phases"])
    measurements = dict(options["measurements"])
    judged = options["judgement"] or {}
    judgement = {
        "verdict": judged.get("verdict", "not judged"),
        "green": bool(judged.get("green", False)),
        "summary": judged.get("summary") or f"not judged: {_reason(judged)}",
        "counts": judged.get("counts", {}),
        "objectives": judged.get("judgements", []),
    }
    broken = [str(phase.get("name")) for phase in run["phases"] if phase.get("status") == "failed"]
    if broken and judgement["green"]:
        judgement["green"] = False
        judgement["summary"] = f"{judgement['summary']}; but the phase {' and '.join(broken)} failed"
    document = plain(
        {
            "schema": SCHEMA,
            "run": run,
            "environment": options["environment"],
            "plan": options["plan"],
            "measurements": measurements,
            "audit": options["audit"],
            "cleanup": measurements.get("cleanup", {}),
            "findings": [],
            "judgement": judgement,
        }
    )
    findings = [
        {"id": found.id, "severity": found.severity, "sentence": found.sentence, "because": found.because}
        for found in find(document)
    ]
    known = {finding["sentence"] for finding in findings}
    for text in options["findings"]:
        sentence = plain(str(text)).strip().rstrip(".") + "."
        if sentence not in known:
            known.add(sentence)
            findings.append({"id": "given", "severity": "note", "sentence": sentence, "because": ""})
    document["findings"] = findings
    return bounded(document)


def plain(value: t.Any, key: str = "") -> t.Any:
    """A copy that is JSON and holds no secret: tagged types become plain, NaN becomes null, long texts are cut."""
    if _SECRET.search(key) and not isinstance(value, (dict, list, bool)):
        return None if value is None else "(removed)"
    if isinstance(value, dict):
        return {str(name): plain(entry, str(name)) for name, entry in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(entry, key) for entry in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    text = str(value)
    return text if len(text) <= _LONG_TEXT else text[: _LONG_TEXT - 1] + "…"


def bounded(document: dict[str, t.Any], limit: int = LIMIT) -> dict[str, t.Any]:
    """The document with its longest lists and mappings cut until it fits; ``truncated`` names what was cut."""
    if len(encode(document)) <= limit:
        return document
    document = copy.deepcopy(document)
    document["truncated"] = []
    while len(encode(document)) > limit:
        size, path, longest = max(_containers(document, ""), key=lambda entry: entry[0])
        if size < 8:
            raise ResultsError(
                f"The results do not fit into {limit} bytes: report this with the work folder of the run."
            )
        keep = size // 2
        if isinstance(longest, list):
            del longest[keep:]
        else:
            for name in list(longest)[keep:]:
                del longest[name]
        if path not in document["truncated"]:
            document["truncated"].append(path)
    return document


def encode(document: dict[str, t.Any]) -> bytes:
    """The bytes of a JSON document: stable, readable, strict."""
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "replace")


def run_folder(results_dir: str, run_id: str) -> Path:
    """The folder of a run's results; it need not exist."""
    return Path(os.path.abspath(os.path.expanduser(results_dir))) / run_id


def prepare(folder: Path) -> None:
    """Make the folder of a run, or say in a sentence why not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResultsError(
            f"The results folder {folder} cannot be made ({error.strerror}): set warren_load_results_dir to a folder "
            "that can be written."
        ) from error


def write(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all. Raises ResultsError."""
    try:
        write_whole(path, content)
    except OSError as error:
        raise ResultsError(
            f"{path} cannot be written ({error.strerror}): free space or set warren_load_results_dir."
        ) from error


def point_latest(folder: Path) -> bool:
    """Let ``latest`` beside the folder point at it. False where it cannot (a file of that name, no symbolic links)."""
    latest = folder.parent / "latest"
    part = folder.parent / f".latest.{os.getpid()}"
    try:
        if latest.exists() and not latest.is_symlink():
            return False
        part.symlink_to(folder.name)
        os.replace(part, latest)
    except OSError:
        return False
    return True


def moment(value: t.Any) -> datetime.datetime | None:
    """A time from ISO 8601 text or seconds since 1970; None for what is neither."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.datetime.fromtimestamp(float(value), datetime.UTC)
        text = str(value)
        if re.fullmatch(r"\d+(\.\d+)?", text):
            return datetime.datetime.fromtimestamp(float(text), datetime.UTC)
        found = datetime.datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def _reason(judged: dict[str, t.Any]) -> str:
    """Why there is no judgement: what the module said, if it ran and failed."""
    return " ".join(str(judged.get("msg") or "the run ended before its objectives could be judged").split())


def _containers(value: t.Any, path: str) -> t.Iterator[tuple[int, str, t.Any]]:
    """Every list and mapping with its length; the two uppermost levels are never cut."""
    if not isinstance(value, (dict, list)):
        return
    yield (len(value) if path.count(".") >= 1 else 0), path, value
    for name, entry in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _containers(entry, f"{path}.{name}" if path else str(name))
