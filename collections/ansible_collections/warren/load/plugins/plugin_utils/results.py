# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The results document (results.json) and the folder that it lies in. Its schema is docs/results.schema.json."""

from __future__ import annotations

import contextlib
import copy
import datetime
import gzip
import json
import math
import os
import re
import typing as t
from pathlib import Path

from .files import write_whole
from .findings import find
from .redaction import REMOVED, Secrets, is_secret
from .timeline import timeline

SCHEMA = 1
LIMIT = 1_000_000  # bytes of results.json
_LONG_TEXT = 2000  # characters of one text in it
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")


_CUT_LEAST = 40  # entries: a shorter list or mapping of measurements is not cut, nor a shorter mapping of anything
NOTHING_KNOWN = Secrets()


class ResultsError(Exception):
    """Results that cannot be written; str() is one sentence with the remedy."""


def assemble(options: dict[str, t.Any], secrets: Secrets = NOTHING_KNOWN) -> dict[str, t.Any]:
    """The results document, from the arguments of the module ``report``: plain JSON data without ``secrets``."""
    run = dict(options["run"])
    run["id"] = run_id(run)
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
    if broken:
        # What was measured before holds, but nothing says that the rest would have been as good.
        failed = f"the phase{'s' if len(broken) > 1 else ''} {' and '.join(broken)} failed"
        judgement["green"] = False
        if judgement["verdict"] == "fail":
            judgement["summary"] = f"{judgement['summary']}; and {failed}"
        else:
            judgement["summary"] = f"error: {failed}; {judgement['summary']}"
            judgement["verdict"] = "error"
    document = plain(
        {
            "schema": SCHEMA,
            "run": run,
            "environment": options["environment"],
            "plan": options["plan"],
            "measurements": measurements,
            "audit": options["audit"],
            "cleanup": measurements.get("cleanup", {}),
            **_timeline(measurements, started),
            "findings": [],
            "judgement": judgement,
            "files": list(options.get("files") or []),
        },
        secrets=secrets,
    )
    findings = [
        {"id": found.id, "severity": found.severity, "sentence": found.sentence, "because": found.because}
        for found in find(document)
    ]
    known = {finding["sentence"] for finding in findings}
    for text in options["findings"]:
        sentence = plain(str(text), secrets=secrets).strip().rstrip(".") + "."
        if sentence not in known:
            known.add(sentence)
            findings.append({"id": "given", "severity": "note", "sentence": sentence, "because": ""})
    document["findings"] = findings
    return bounded(document)


def _timeline(measurements: dict[str, t.Any], started: datetime.datetime | None) -> dict[str, t.Any]:
    """``timeline`` of a run with faults or probes; nothing of another."""
    faults, probe = (measurements.get("faults") or {}).get("faults") or [], measurements.get("probe") or None
    begins = [*([started.timestamp()] if started else []), *([probe["started"]] if probe else [])]
    if not (faults or probe):
        return {}
    return {"timeline": timeline((begins or [faults[0]["start"]])[0], faults, measurements)}


def run_id(run: dict[str, t.Any]) -> str:
    """The id of a run, which names its folder. Raises ResultsError for what cannot be one."""
    found = str(run.get("id") or "")
    if not _RUN_ID.match(found):
        raise ResultsError(f"run.id is {run.get('id')!r}: give the id of the run, such as 20261123-120102-4f1a.")
    return found


def load(path: Path) -> dict[str, t.Any]:
    """A results document from a file. Raises ResultsError for what is none that this version reads."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ResultsError(f"{path} cannot be read ({error.strerror}): name another run.") from error
    except ValueError as error:
        raise ResultsError(f"{path} is not JSON ({error}): name another run.") from error
    if not isinstance(document, dict) or not isinstance(document.get("schema"), int):
        raise ResultsError(f"{path} is not a results document: name a run's results.json, or its folder.")
    if document["schema"] != SCHEMA:
        raise ResultsError(
            f"{path} has schema {document['schema']}, and this version of warren.load reads schema {SCHEMA}: use the "
            "version that wrote it."
        )
    kinds = {"run": dict, "environment": dict, "measurements": dict, "findings": list, "judgement": dict}
    missing = [name for name, kind in kinds.items() if not isinstance(document.get(name), kind)]
    if missing or not isinstance(document["judgement"].get("objectives"), list):
        raise ResultsError(f"{path} lacks {', '.join(missing or ['objectives'])}: name a run's whole results.json.")
    return document


@contextlib.contextmanager
def whole(*paths: Path) -> t.Iterator[None]:
    """Turns what a damaged results document does to those who read it into one sentence."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        names = " or ".join(str(path) for path in paths)
        raise ResultsError(f"{names} is damaged ({type(error).__name__}: {error}): name another run.") from error


def find_run(results_dir: str, wanted: str) -> Path:
    """The results.json of a run: by its id, as ``latest`` or ``previous`` (the one before the latest), or by a path.

    Raises ResultsError with one sentence that lists what is there.
    """
    home = run_folder(results_dir, "")
    runs = runs_in(home)
    name = wanted
    if wanted in ("latest", "previous") and not (home / wanted / "results.json").is_file():
        newest = runs[-1] if runs else ""
        name = newest if wanted == "latest" else ""
    if wanted == "previous" and not name:
        target = (home / "latest").resolve().name
        before = [run for run in runs if run < target] if target in runs else runs[:-1]
        name = before[-1] if before else ""
    typed = Path(os.path.abspath(os.path.expanduser(wanted)))
    candidates = [home / name / "results.json"] if name else []
    if "/" in wanted or wanted.endswith(".json"):
        candidates += [typed, typed / "results.json"]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    there = "no run is there yet"
    if runs:
        shown = ", ".join(reversed(runs[-5:]))
        there = f"there is {shown}" + (f" and {len(runs) - 5} older" if len(runs) > 5 else "")
    told = "no run before the latest" if wanted == "previous" else f"no results of the run '{wanted}'"
    raise ResultsError(f"There are {told} in {home}: {there}; name one of them, latest, previous, or a path.")


def runs_in(home: Path) -> list[str]:
    """The ids of all runs with results in a folder, oldest first: an id begins with the time."""
    try:
        return sorted(
            entry.name
            for entry in home.iterdir()
            if not entry.is_symlink() and _RUN_ID.match(entry.name) and (entry / "results.json").is_file()
        )
    except OSError:
        return []


def plain(value: t.Any, key: str = "", secrets: Secrets = NOTHING_KNOWN) -> t.Any:
    """A copy that is JSON and holds no secret: tagged types become plain, NaN becomes null, long texts are cut."""
    if is_secret(key) and not isinstance(value, (dict, list, bool)):
        return None if value is None else REMOVED
    if isinstance(value, dict):
        return {secrets.out_of(str(name)): plain(entry, str(name), secrets) for name, entry in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(entry, key, secrets) for entry in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    text = secrets.out_of(str(value), key)
    return text if len(text) <= _LONG_TEXT else text[: _LONG_TEXT - 1] + "…"


def cleared(name: str, content: bytes, secrets: Secrets) -> bytes:
    """The content of a file of samples, or of the journal, without secrets; the very same where there are none."""
    packed = name.endswith(".gz")
    text = (gzip.decompress(content) if packed else content).decode("utf-8", "replace")
    if secrets.out_of(text) == text:
        return content
    lines = text.split("\n")
    for position, line in enumerate(lines):
        without = secrets.out_of(line)
        if without == line:
            continue
        try:
            lines[position] = json.dumps(plain(json.loads(line), secrets=secrets)) if ".jsonl" in name else without
        except ValueError:
            lines[position] = without
    found = "\n".join(lines).encode("utf-8", "replace")
    return gzip.compress(found, mtime=0) if packed else found


def bounded(document: dict[str, t.Any], limit: int = LIMIT) -> dict[str, t.Any]:
    """The document, with its longest lists and mappings cut until it fits, and with a finding that says what was cut.

    Measurements are cut first; the rest only if that is not enough. ``truncated`` holds for each cut
    ``{path, kept, of}``.
    """
    if len(encode(document)) <= limit:
        return document
    document = copy.deepcopy(document)
    cuts: dict[str, dict[str, t.Any]] = {}
    measured = ("measurements", "audit", "cleanup", "plan")
    for parts, least in ((measured, _CUT_LEAST), (tuple(document), 4)):
        while len(encode(_with_cuts(document, cuts))) > limit:
            found = [
                entry
                for part in parts
                for entry in _containers(document.get(part), part)
                if len(entry[1]) > (least if isinstance(entry[1], list) else _CUT_LEAST)
            ]
            longest = max((len(entry) for _path, entry in found), default=0)
            if not longest:
                break
            for path, entry in found:
                if len(entry) > longest // 2:
                    kept = max(longest // 2, least)
                    cuts.setdefault(path, {"path": path, "of": len(entry)})["kept"] = kept
                    _cut(entry, kept)
    document = _with_cuts(document, cuts)
    if len(encode(document)) > limit:
        raise ResultsError(f"The results do not fit into {limit} bytes: report this with the work folder of the run.")
    return document


def _with_cuts(document: dict[str, t.Any], cuts: dict[str, dict[str, t.Any]]) -> dict[str, t.Any]:
    """The document with what was cut of it, in ``truncated`` and in a finding."""
    if not cuts:
        return document
    told = [f"{cut['path']} ({cut['kept']} of {cut['of']} entries kept)" for cut in cuts.values()]
    more = f" and {len(told) - 5} more" if len(told) > 5 else ""
    finding = {
        "id": "truncated",
        "severity": "warning",
        "sentence": f"The results were too large for one document, and were cut: {', '.join(told[:5])}{more}.",
        "because": "results.json keeps to 1 MB and lists under truncated what was cut; whole series are in samples/.",
    }
    return {**document, "findings": [finding, *document["findings"]], "truncated": list(cuts.values())[:50]}


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


def _containers(value: t.Any, path: str) -> t.Iterator[tuple[str, t.Any]]:
    """Every list and mapping with its path."""
    if isinstance(value, (dict, list)):
        yield path, value
        for name, entry in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _containers(entry, f"{path}.{name}")


def _cut(value: t.Any, kept: int) -> None:
    """Keep the first entries of a list or mapping."""
    if isinstance(value, list):
        del value[kept:]
    else:
        for name in list(value)[kept:]:
            del value[name]
