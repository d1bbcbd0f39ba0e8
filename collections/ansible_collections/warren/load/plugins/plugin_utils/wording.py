# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words and numbers that banner, Markdown report and comparison share."""

from __future__ import annotations

import typing as t

from ansible_collections.warren.load.plugins.module_utils.objectives.units import dimension, number, quantity

MARK_SENTENCES = {
    "simulator": "The managers are the simulator, not Warren: latency and memory are its own.",
    "hollow": "The workers are hollow: they report containers, and run none.",
    "shared-host": "The generator shares its host, and so its CPU, with what it measures.",
}
SIGNS = {"pass": "✓", "fail": "✗", "inconclusive": "?", "invalid": "!", "not judged": "–", "error": "✗"}
_HASH_SHOWN = 12  # hexadecimal digits of a program's hash that a person compares


def value_text(entry: t.Mapping[str, t.Any]) -> str:
    """The value of a judgement with its unit, but for counts, whose label says what was counted."""
    value, unit = entry.get("value"), str(entry.get("unit", ""))
    if not isinstance(value, (int, float)):
        return "–"
    return number(value) if _dimension(unit) == "count" else quantity(value, unit)


def limit_text(entry: t.Mapping[str, t.Any], level: str) -> str:
    """The limit of a level, in the unit of the value beside it; empty where the level has none."""
    limit = entry["limits"].get(level)
    if limit is None:
        return ""
    sign = {"below": "<", "above": ">", "equal": "="}[entry["direction"]]
    if entry["inclusive"] and entry["direction"] != "equal":
        sign += "="
    return f"{sign} {number(limit)}"


def touching(entry: t.Mapping[str, t.Any]) -> list[str]:
    """The marks to show beside a judgement; that the host is shared is said once, at the top."""
    return [mark for mark in entry["marks"] if mark != "shared-host"]


def verdict_parts(document: t.Mapping[str, t.Any]) -> tuple[str, str]:
    """The verdict in capitals with its sign, and why."""
    judgement = document["judgement"]
    verdict, _colon, rest = str(judgement["summary"]).partition(": ")
    return f"{SIGNS.get(judgement['verdict'], '–')} {judgement['verdict'].upper()}", rest or verdict


def program_text(environment: t.Mapping[str, t.Any]) -> str:
    """Which program was tested: ``warren v1.6.0, sha256 9f86d081884c``."""
    program = environment.get("program")
    if not isinstance(program, dict):
        return str(program or "unknown")
    name = str(program.get("name") or "unknown")
    parts = ["the simulator of warren.load" if program.get("simulator") else name]
    if program.get("version"):
        parts[0] += f" {program['version']}"
    elif not program.get("simulator"):
        parts.append("which says no version")
    if program.get("sha256"):
        parts.append(f"sha256 {str(program['sha256'])[:_HASH_SHOWN]}")
    return ", ".join(parts)


def environment_facts(document: t.Mapping[str, t.Any]) -> list[tuple[str, str]]:
    """What was tested on what, as names and texts."""
    environment = document["environment"]
    facts = [("Program", program_text(environment))]
    managers = environment.get("managers")
    if isinstance(managers, list) and managers:
        names = [str(row.get("name")) if isinstance(row, dict) else str(row) for row in managers]
        facts.append(("Managers", f"{len(names)} ({_some(names)})"))
    if isinstance(environment.get("workers_ready"), int):
        hollow = environment.get("hollow_workers") or 0
        facts.append(("Workers", f"{environment['workers_ready']} ready" + (f", {hollow} hollow" if hollow else "")))
    facts += [
        ("Host" if len(names) == 1 else "Hosts", f"{_some(names)}: {kind}") for kind, names in _kinds(environment)
    ]
    if environment.get("generator"):
        facts.append(("Load sent from", str(environment["generator"])))
    controller = environment.get("controller") or {}
    versions = [("warren.load", "collection"), ("ansible-core", "ansible_core"), ("Python", "python")]
    told = [f"{name} {controller[key]}" for name, key in versions if controller.get(key)]
    if told:
        facts.append(("Controller", ", ".join(told)))
    return facts


def host_text(host: t.Mapping[str, t.Any]) -> str:
    """What a host is: ``Debian GNU/Linux 12, kernel 6.1.0, 2 cores of AMD EPYC, 3915 MB``."""
    parts = []
    if host.get("os"):
        parts.append(str(host["os"]))
    if host.get("kernel"):
        parts.append(f"kernel {host['kernel']}")
    if host.get("cores") or host.get("cpu_model"):
        cores = f"{host['cores']} core{'' if host['cores'] == 1 else 's'}" if host.get("cores") else "cores"
        parts.append(cores + (f" of {host['cpu_model']}" if host.get("cpu_model") else ""))
    if isinstance(host.get("memory"), (int, float)):
        parts.append(quantity(host["memory"], "MB"))
    return ", ".join(parts) or "not known"


def _kinds(environment: t.Mapping[str, t.Any]) -> list[tuple[str, list[str]]]:
    """Hosts that are alike, together."""
    found: dict[str, list[str]] = {}
    for host in environment.get("hosts") or []:
        found.setdefault(host_text(host), []).append(str(host.get("name")))
    return list(found.items())


def _some(names: list[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _dimension(unit: str) -> str:
    try:
        return dimension(unit)
    except KeyError:
        return ""
