# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the phases of a run returned, put together for judge and report. Pure."""

from __future__ import annotations

import typing as t

Told = t.Mapping[str, t.Any]

BEFORE = ("preflight", "lock", "plan")  # what a run that goes on has behind it, though they measure nothing


def outcome(
    results: t.Mapping[str, Told],
    scenario: str = "load",
    broken: t.Mapping[str, str] | None = None,
    resources: Told | None = None,
    hollow: Told | None = None,
) -> dict[str, t.Any]:
    """``{measurements, audit, phases, problems}`` from what the phases' modules returned, by phase.

    A phase that was not reached has returned nothing. ``broken``: sentences of phases that failed, by phase.
    ``resources`` and ``hollow`` are measurements of their own where there are any.
    """
    measurements = {name: result["measurements"] for name, result in results.items() if "measurements" in result}
    planned = measurements.get("throughput", {}).get("planned")
    if planned:
        measurements["latency"] = planned  # what is judged of a throughput test
    measurements |= {name: told for name, told in (("resources", resources), ("hollow", hollow)) if told}
    audit: dict[str, t.Any] = {}
    for result in results.values():
        audit |= result.get("audit") or {}
    calls = "latency" if scenario == "load" else "throughput"
    names = (*BEFORE, "create", "await", calls, "cleanup", "resources")
    return {
        "measurements": measurements,
        "audit": audit,
        "phases": [_phase(name, results.get(name, {}), broken or {}, name in measurements) for name in names],
        "problems": [problem for result in results.values() for problem in result.get("problems") or []],
    }


def _phase(name: str, result: Told, broken: t.Mapping[str, str], measured: bool) -> dict[str, t.Any]:
    """How a phase ended. It failed if it broke, or if it stopped before it was done."""
    error = broken[name] if name in broken else result.get("stopped") or ""
    ended = "ok" if measured or name in BEFORE else "skipped"
    return {
        "name": name,
        "status": "failed" if error else ended,
        "duration": result.get("measurements", {}).get("duration"),
        "error": error,
    }
