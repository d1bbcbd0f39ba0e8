# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import copy
import re

import pytest

from ansible_collections.warren.load.plugins.plugin_utils.banner import render
from ansible_collections.warren.load.plugins.plugin_utils.columns import width
from ansible_collections.warren.load.plugins.plugin_utils.comparison import CHANCE, compare, markdown, screen_lines
from ansible_collections.warren.load.plugins.plugin_utils.results import assemble


@pytest.fixture
def runs(small):
    base = assemble(small)
    new = copy.deepcopy(base)
    new["run"]["id"] = "20261124-120102-77c0"
    return base, new


def row(found, label):
    (wanted,) = (entry for entry in found.rows if entry.label == label)
    return wanted


def objective(document, name):
    return next(entry for entry in document["judgement"]["objectives"] if entry["id"] == name)


def test_a_run_and_itself(runs):
    found = compare(*runs)
    assert found.differences == []
    assert found.program == "Both runs tested the same program."
    assert {entry.change for entry in found.rows} == {"=", ""}
    assert {entry.percent for entry in found.rows} == {""}


def test_values_changes_and_verdicts(runs):
    base, new = runs
    memory = objective(new, "manager-memory")
    memory.update(value=2 * memory["value"], verdict="fail")
    objective(new, "failed-creations").update(value=3.0, verdict="fail")
    objective(base, "api-latency-p99").update(value=None, verdict="not judged")
    objective(base, "list-average").update(value=1.0, unit="s")
    found = compare(base, new)
    first = row(found, "Manager memory")
    assert (first.base, first.new, first.change, first.percent) == ("61.4 MB", "123 MB", "+61.4", "+100 %")
    assert (first.verdicts, first.style) == ("✓ → ✗", "fail")
    assert (row(found, "Failed creations").change, row(found, "Failed creations").percent) == ("+3", "")
    assert (row(found, "API latency p99").base, row(found, "API latency p99").change) == ("–", "")
    assert row(found, "List average").base == "1000 ms"
    assert row(found, "List average").change.startswith("-9")
    assert row(found, "API latency p95").verdicts == ""


def test_objectives_that_only_one_run_has_are_shown(runs):
    whole, partial = runs
    partial["judgement"]["objectives"] = [
        entry for entry in partial["judgement"]["objectives"] if entry["id"] != "no-leftover"
    ]
    assert row(compare(whole, partial), "Leftover records").verdicts == "✓ → ·"
    assert row(compare(partial, whole), "Leftover records").verdicts == "· → ✓"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["run"].update(scale="medium"), "Not the same scale: small, now medium."),
        (lambda d: d["run"].update(services=200), "Not the same number of services: 50, now 200."),
        (lambda d: d["run"].update(marks=["simulator"]), "Only the base carries the mark hollow."),
        (lambda d: d["run"].update(profiling=True), "Only the new run took profiles, which slow"),
        (lambda d: d["environment"]["hosts"].pop(), "Not the same number of hosts: 2, now 1."),
        (lambda d: d["environment"]["hosts"][0].update(cores=64), "64 cores of AMD EPYC"),
        (lambda d: d["environment"]["managers"].append({"name": "m"}), "Not the same number of managers: 1, now 2."),
        (lambda d: d["environment"].update(workers_ready=5), "Not the same number of ready workers: 2, now 5."),
        (lambda d: d["environment"]["controller"].update(collection="0.2.0"), "same warren.load: 0.1.0, now 0.2.0."),
        (lambda d: d["measurements"]["latency"].update(method="GetService"), "same measured calls: ListServices"),
        (lambda d: objective(d, "manager-memory")["limits"].update(target=1.0), "same limits of manager-memory."),
        (
            lambda d: d["audit"]["generator"].update(valid=False, reasons=["too busy"]),
            "The generator of the new run could not keep up, so its latencies say nothing.",
        ),
    ],
)  # fmt: skip
def test_what_makes_runs_incomparable_is_said(runs, change, said):
    base, new = runs
    change(new)
    found = compare(base, new)
    assert len(found.differences) == 1
    assert said in found.differences[0]
    assert said in " ".join(render(screen_lines(found)).split())


def test_what_a_run_had_to_spare_is_no_difference(runs):
    base, new = runs
    for host in new["environment"]["hosts"]:
        host.update(memory_available=10, disk_free=10, clock_offset=None)
    assert compare(base, new).differences == []


def test_the_program_is_what_is_compared(runs):
    base, new = runs
    new["environment"]["program"].update(name="warren", simulator=False, version="v1.6.0", sha256="ab" * 32)
    found = compare(base, new)
    assert found.differences == []
    assert found.program == (
        "The program differs: the simulator of warren.load, sha256 9f86d081884c; "
        "now warren v1.6.0, sha256 abababababab."
    )
    new["environment"]["program"]["sha256"] = None
    assert "is not known" in compare(base, new).program


def test_the_screen_fits_and_claims_nothing(runs, large):
    base, new = runs
    wide = assemble(large)
    for entry in wide["judgement"]["objectives"]:
        entry["label"] = "漢字漢字漢字漢字漢字漢字漢"
        entry["value"] = 123456789.0
    wide["environment"]["program"]["name"] = "/a/very/long/path" * 10
    for pair in ((base, new), (base, wide), (wide, base)):
        lines = render(screen_lines(compare(*pair), "results/x/compare-y.md")).splitlines()
        assert [line for line in lines if width(line) > 80] == []
        assert CHANCE in " ".join(" ".join(lines).split())
        assert "signific" not in " ".join(lines)


def test_markdown_says_the_same(runs):
    base, new = runs
    new["run"]["scale"] = "medium"
    text = markdown(compare(base, new))
    assert "| Manager memory | 61.4 MB | 61.4 MB | = |  | ✓ → ✓ |" in text
    assert "- Not the same scale: small, now medium." in text
    assert CHANCE in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in rows}) == 1
