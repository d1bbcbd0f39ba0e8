# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the hosts of a test said of themselves, put together for preflight and report. Pure."""

from __future__ import annotations

import typing as t

Answer = t.Mapping[str, t.Any]

INTERNAL = ("machine", "disk_path")  # of no use to whoever reads the results


def tested_hosts(answers: t.Mapping[str, Answer]) -> dict[str, t.Any]:
    """``{reports, hosts, program}`` from what module ``host_info`` returned on each host, by its name.

    ``reports``: the answers of those that were asked. ``hosts``: ``environment.hosts`` of the results, with the names
    of what else is on the same machine. ``program``: what the first manager runs, empty where that is not known.
    """
    reports = [{"name": name, **answer} for name, answer in answers.items() if answer and "skipped" not in answer]
    known = [report for report in reports if "host" in report]
    return {
        "reports": reports,
        "hosts": [_host(report, known) for report in known],
        "program": next((found for report in reports for found in _programs(report)), {}),
    }


def _host(report: Answer, known: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    own = report["host"]
    mates = [mate for mate in known if mate["host"]["machine"] == own["machine"]]
    names = [mate["host"]["name"] for mate in mates]
    names += [process["name"] for mate in mates for process in mate.get("processes", [])]
    return {
        **{name: value for name, value in own.items() if name not in INTERNAL},
        "shared_with": [name for name in dict.fromkeys(names) if name != own["name"]],
    }


def _programs(report: Answer) -> list[dict[str, t.Any]]:
    processes = report.get("processes", [])
    return [process["program"] for process in processes if process["kind"] == "manager" and process["program"]]
