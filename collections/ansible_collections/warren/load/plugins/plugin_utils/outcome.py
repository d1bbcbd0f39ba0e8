# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the phases of a run returned, put together for judge and report. Pure."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.warren.load.plugins.module_utils.scenarios import PHASES

Told = t.Mapping[str, t.Any]

# What a run that goes on has behind it, though it measures nothing; in this order.
BEFORE = ("lock", "bring-up", "preflight", "plan")


def outcome(
    results: t.Mapping[str, Told],
    scenario: str = "load",
    broken: t.Mapping[str, str] | None = None,
    resources: Told | None = None,
    hollow: Told | None = None,
) -> dict[str, t.Any]:
    """``{measurements, audit, phases, problems}`` from what the phases' modules returned, by phase.

    A phase that was not reached has returned nothing. ``broken``: sentences of what failed, by phase; what is no phase
    of the scenario, such as bringing up a cluster, counts as one of its own.
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
    names = ["preflight", "lock", "plan", *PHASES[scenario], "cleanup", "resources"]
    failed = broken or {}
    reached = {*itertools.takewhile(lambda name: name not in failed, BEFORE), *measurements}
    names = [name for name in failed if name not in names] + names
    return {
        "measurements": measurements,
        "audit": audit,
        "phases": [_phase(name, results.get(name, {}), failed.get(name), name in reached) for name in names],
        "problems": [problem for result in results.values() for problem in result.get("problems") or []],
    }


def _phase(name: str, result: Told, broken: str | None, reached: bool) -> dict[str, t.Any]:
    """How a phase ended. It failed if it broke, or if it stopped before it was done."""
    error = result.get("stopped") or "" if broken is None else broken
    return {
        "name": name,
        "status": "failed" if error else "ok" if reached else "skipped",
        "duration": result.get("measurements", {}).get("duration"),
        "error": error,
    }
