# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible_collections.warren.load.plugins.plugin_utils.banner import STYLES, banner, plan_lines, render
from ansible_collections.warren.load.plugins.plugin_utils.columns import width
from ansible_collections.warren.load.plugins.plugin_utils.results import assemble


def text_of(options):
    return render(banner(assemble(options), "results/20261123-120102-4f1a"))


def test_the_banner_is_the_guide_s(small):
    text = text_of(small)
    head = text.splitlines()
    assert set(head[0]) == set(head[2]) == {"━"}
    assert head[1] == "  Warren Load Test Results"
    for block in (
        "Test Configuration:\n  Scale: small\n  Services Created: 50\n  Replicas per Service: 3\n  Total Tasks: 150\n"
        "  Profiling: false\n",
        "Results:\n  Total Duration: 28s\n  Service Creation Rate: 53.80 services/s\n  Failed Creations: 0\n",
        "Memory Usage:\n  Manager: 61MB (simulator); 58MB at the end, CPU 4.4%, peak 21% of a core\n"
        "✓ Manager memory within target (simulator)\n",
        "Verdict: ✓ PASS\n  11 of 16 objectives passed, 5 were not judged\n",
    ):
        assert block in text


def closed_loop(row, **more):
    return {**row, "rate": {"value": 4312.0, "unit": "1/s"}, "unsent": 0, "duration": 0.3, **more}


def throughput(options):
    """The run's measurements as the scenario api-throughput leaves them."""
    latency = options["measurements"]["latency"]
    part = {key: latency[key] for key in ("calls", "ok", "errors", "error_count", "service_time")}
    measured = {
        "method": "ListServices",
        "ab": closed_loop(part, concurrency=10, connections=1),
        "parallel": closed_loop(part, clients=10, calls_each=100, connections=10, error_count=2, errors={"lost": 2}),
        "highest_rate": {"value": 4312.0, "unit": "1/s"},
        "planned": {**latency, "rate_planned": 2156.0},
    }
    run = {**options["run"], "scenario": "api-throughput"}
    return {**options, "run": run, "measurements": {**options["measurements"], "throughput": measured}}


def test_throughput_has_a_section_of_its_own(small):
    text = text_of(throughput(small))
    assert "Test Configuration:\n  Scenario: api-throughput\n  Scale: small\n" in text
    assert "API Throughput:\n  1000 calls, 10 at a time, 1 connection: 4312 calls/s, 0 errors\n" in text
    assert "  1000 calls, 10 clients x 100, 10 connections: 4312 calls/s, 2 errors\n" in text
    assert "  Highest Rate: 4312 calls/s\n  1000 calls planned at 2156/s: " in text
    assert text.count("    Service Time: p50 ") == 2
    assert text.count("    Response Time: p50 ") == 1
    assert "2 of 1000 calls by parallel clients failed (2 x lost)." in text
    assert "coordinated omission" in text
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "API Throughput" not in text_of(small)


def burst(options, ticks=2):
    """The run's measurements as the scenario scheduler-burst leaves them."""
    rows = [
        {
            "t": 2.5 + 5 * turn,
            "duration": 0.41,
            "containers": 140 if turn == 0 else 10,
            "services": 48,
            "nodes": {"worker-1": 140} if turn == 0 else {"worker-1": 2, "worker-2": 8},
            "running": 140 * turn,
        }
        for turn in range(ticks)
    ]
    found = {
        "ticks": ticks,
        "largest": 140,
        "rows": rows,
        "duration": {"value": 7.91, "unit": "s", "n": 150},
        "rate": {"value": 1137.8, "unit": "1/min", "n": 150},
    }
    measured = {
        **options["measurements"],
        "create": {**options["measurements"]["create"], "concurrency": 100, "duration": 0.233},
        "await": {**options["measurements"]["await"], "scheduler": found},
    }
    return {**options, "run": {**options["run"], "scenario": "scheduler-burst"}, "measurements": measured}


def test_a_burst_is_shown_tick_by_tick(small):
    text = text_of(burst(small))
    section = text[text.index("Scheduler Burst:") : text.index("Memory Usage:")]
    assert section.splitlines()[1:] == [
        "  Burst: 50 creates, 100 at a time, took 0.233s",
        "  Scheduled: 150 of 150 containers after 7.91s, in 2 scheduler ticks",
        "  Scheduling Rate: 1138 containers/min",
        "  Placement: all on worker-1 (of 2 ready nodes)",
        "  Tick    Began     Took  Services  Containers  Running  On",
        "     1     2.5s    0.41s        48         140        0  worker-1",
        "     2     7.5s    0.41s        48          10      140  worker-2 8 and 1 more",
        "",
    ]
    assert "The scheduler placed 150 containers in 2 ticks, 140 of them in the largest." in " ".join(text.split())
    assert "Scheduler Burst" not in text_of(small)


def test_a_long_burst_shows_its_first_ticks(small):
    text = text_of(burst(small, ticks=25))
    assert "  and 5 ticks more, see results.json\n" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_methods_have_a_line_each_where_there_are_several(small):
    latency = small["measurements"]["latency"]
    (reads,) = latency["methods"]
    latency["methods"] = [reads, {**reads, "method": "UpdateService", "write": True}]
    text = text_of(small)
    assert "  API Latency (all calls): p50 " in text
    assert "    ListServices: p50 " in text
    assert "    UpdateService: p50 " in text


def test_what_looking_costs_and_how_well_times_are_known(small):
    small["measurements"]["await"].update(
        polls=9,
        poll_time=0.04,
        poll_share=0.5,
        poll_cpu_estimate=0.01,
        create_to_running_resolution={"value": 1.02, "unit": "s"},
    )
    text = text_of(small)
    assert "  Create to Running, to within 1.02s: p50 " in text
    assert "  Polling: 9 looks, 0.5% of the time, about 10ms CPU of the managers\n" in text
    small["measurements"]["await"]["polls"] = 1
    assert "  Polling: 1 look, about 10ms CPU of the managers\n" in text_of(small)


def test_a_closed_loop_is_called_one(small):
    latency = small["measurements"]["latency"]
    latency.update(rate_planned=None, concurrency=10)
    text = text_of(small)
    assert "  API Latency (ListServices, closed loop): p50 " in text
    assert "  Measured Calls: 1000, 10 at a time, " in text
    assert "so no objective judges it" in " ".join(text.split())


def test_everything_fits_80_columns(small, large):
    for options in (small, large):
        assert max(len(line) for line in text_of(options).splitlines()) <= 80


def test_what_was_simulated_stands_at_the_top_and_in_every_row(small):
    text = text_of(small)
    assert text.index("The managers are the simulator") < text.index("Test Configuration")
    rows = [line for line in text.splitlines() if re.match(r"[✓✗?!] .*  (target|acceptable|missed|critical) +\S", line)]
    assert len(rows) == 11
    assert all("simulator" in line for line in rows)
    real = {**small["environment"], "program": {"name": "warren", "version": "v1.6.0", "simulator": False}}
    assert "simulator" not in text_of({**small, "marks": [], "judgement": {}, "environment": real})


def test_every_objective_is_there_and_missed_ones_bring_advice(large):
    text = text_of(large)
    assert re.search(r"^✗ Manager memory +611 MB  < 512    < 512    critical$", text, re.MULTILINE)
    assert re.search(r"^\? API latency p99 +512 ms  < 200    < 500 +missed$", text, re.MULTILINE)
    assert "needs about" in text
    assert text.count("Profile the manager's CPU") == 1
    assert "API latency p50, API latency p99, List average above target:" in text
    assert "✗ Manager memory over target: critical" in text
    assert "Verdict: ✗ FAIL" in text


def test_levels_have_colours_of_their_own(large):
    painted = render(banner(assemble(large)), lambda text, style: f"<{style}>{text}</>")
    for style in ("critical", "missed", "target", "inconclusive", "problem", "warning", "mark"):
        assert f"<{style}>" in painted
    bare = re.sub(r"<[a-z ]+>|</>", "", painted)
    assert [line.rstrip() for line in bare.splitlines()] == render(banner(assemble(large))).splitlines()
    assert len({STYLES[level] for level in ("target", "acceptable", "missed", "critical")}) == 4


def test_a_run_without_measurements_has_a_banner(small):
    early = {**small, "measurements": {}, "judgement": {}, "run": {"id": "x"}}
    text = text_of(early)
    assert "Services Created: none" in text
    assert "Manager: not measured" in text
    assert "Verdict: – NOT JUDGED" in text


def test_plan_lines_fit(small):
    facts = [("Cluster", "sandbox: " + "a word " * 30), ("Results", "/a/very/long/path" * 8)]
    lines = render(plan_lines(facts, ["A note " * 40], ["simulator"], "Plan")).splitlines()
    assert lines[0] == "Plan"
    assert max(len(line) for line in lines if "/a/very" not in line) <= 80


def broad(lines):
    return [line for line in lines if width(line) > 80]


def test_large_numbers_long_names_and_wide_characters_fit(large):
    """A banner that does not fit is one whose table cannot be read."""
    large["run"] |= {"scale": "massive", "services": 100000, "replicas": 1000, "cluster": "漢字" * 40}
    large["marks"] = ["simulator", "hollow", "shared-host"]
    rows = large["judgement"]["judgements"]
    for number, entry in enumerate(rows):
        entry["label"] = ["A label of 22 columns.", "漢字漢字漢字漢字漢字漢字漢字", "\x1b[31mred\x1b[0m"][number % 3]
        entry["marks"] = ["simulator", "hollow"]
        entry["limits"] = {level: limit * 1e6 for level, limit in entry["limits"].items()}
        if entry["value"] is not None:
            entry["value"] = 123456789.0
    large["phases"] = [{"name": "create", "status": "failed", "error": "/a/very/long/path" * 20 + "漢字" * 100}]
    large["measurements"]["latency"]["method"] = "+".join(["ListServices", "CreateService", "漢字GetService"] * 5)
    large["environment"]["hosts"] = [{"name": f"host-{'x' * 30}-{i}", "os": "y" * 100} for i in range(30)]
    lines = text_of(large).splitlines()
    assert broad(lines) == []
    assert "\x1b" not in "".join(lines)
    table = [line for line in lines if re.match(r"[✓✗?!] .* {2}(target|acceptable|missed|critical) ", line)]
    assert len(table) == sum(entry["verdict"] != "not judged" for entry in rows)
    assert all("hollow" in line and "123456789" in line for line in table)
    assert len({width(line[: line.index("sim")]) for line in table}) == 1


def test_severity_is_seen_without_colours(large):
    text = text_of(large)
    signs = {match[1] for match in re.finditer(r"^  ([✗!-]) ", text[text.index("Findings:") :], re.MULTILINE)}
    assert signs == {"✗", "!", "-"}


def test_what_is_known_of_findings_alike_is_said_once(large):
    large["findings"] = []
    document = assemble(large)
    same = {"severity": "warning", "because": "The reason of both."}
    document["findings"] = [{"id": name, "sentence": f"{name}.", **same} for name in "ab"]
    assert render(banner(document)).count("The reason of both.") == 1


def test_which_program_was_tested_on_what(small, large):
    simulated, real = text_of(small), text_of(large)
    assert "\n  Program: the simulator of warren.load, sha256 9f86d081884c\n" in simulated
    assert "\n  Program: warren v1.6.0, sha256 9f86d081884c\n" in real
    assert "\n  Hosts: generator, manager-1: Debian GNU/Linux 12 (bookworm), kernel" in real
    assert "\n  Controller: warren.load 0.1.0, ansible-core 2.19.14, Python 3.11.7\n" in real


def test_another_scenario_is_named(small):
    assert "Scenario" not in text_of(small)
    small["run"]["scenario"] = "api-throughput"
    assert "\n  Scenario: api-throughput\n" in text_of(small)


def test_what_voids_several_rows_is_said_once(small):
    document = assemble(small)
    for entry in document["judgement"]["objectives"][2:5]:
        entry.update(verdict="invalid", level="missed", value=1.0, note="the audit voids it: too busy")
    text = render(banner(document))
    assert text.count("invalid: the audit voids it: too busy") == 1
    assert text.count("invalid: as above") == 2


def test_a_soak_has_a_section_of_its_own(small):
    spread = {name: {"value": 2.5, "unit": "ms", "low": None, "high": None, "n": 70} for name in ("p50", "p95", "max")}
    spread["p99"] = spread["p95"]
    churn: dict[str, t.Any] = {
        "deleted": 70,
        "created": 70,
        "failed": 0,
        "cycles": 14,
        "records_left": 210,
        "records_purged": 210,
    }
    churn |= {"purge": True, "late": 0, "slow": 0, "create_time": spread, "to_running": spread}
    held = {"duration": 900.2, "looks": 180, "containers": 150, "running_least": {"value": 100.0, "unit": "%"}}
    growth = {"value": 0.061, "unit": "MB/min", "low": -0.03, "high": 0.159, "n": 152}
    resources = small["measurements"]["resources"] | {"memory_growth": growth, "goroutines_growth": None}
    more = {"hold": {**held, "churn": churn}, "resources": resources}
    text = text_of({**small, "measurements": {**small["measurements"], **more}})
    assert "Soak:\n  Held: 900s, looked at 180 times\n  Fewest Containers Running: 100% of 150\n" in text
    assert (
        "  Services Replaced: 70 deleted, 70 created in 14 times\n  Records They Left: 210, 210 of them purged\n"
        in text
    )
    assert "  Memory Grew By: 0.061 MB/min (-0.03 to 0.159)\n  Goroutines Grew By: not known\n" in text
    assert "Services Replaced" not in text_of(
        {**small, "measurements": {**small["measurements"], "hold": {**held, "churn": None}}}
    )


def test_leaks_have_a_section_of_their_own(small):
    def exact(value, unit):
        return {"value": value, "unit": unit, "low": value, "high": value, "n": 150}

    row = {"process": "manager-1", "what": "database", "unit": "KB", "before": 24.0, "after": 456.0, "grew": True}
    row["per_service"] = {"value": 2.856, "unit": "KB", "low": 2.507, "high": 3.205, "n": 150}
    found = {"rounds": 3, "churned": 150, "still_running": 450, "held": [row], "unavailable": []}
    found |= {"service_records": exact(0.0, "services"), "container_records": exact(3.0, "records")}
    text = text_of({**small, "measurements": {**small["measurements"], "leaks": found}})
    assert "Left by Each of 150 Deleted Services, in 3 rounds:\n  Services: 0\n" in text
    assert "  Container Records: 3; 450 of them should run, and do\n" in text
    assert "  manager-1  database                  2.86 KB (2.51 to 3.21); 24 → 456\n" in text
    stack = {
        "process": "worker-1",
        "function": "worker.monitor",
        "begun": "main.main",
        "counts": [1, 451],
        "grew": True,
    }
    stack["per_service"] = {"value": 3.0, "unit": "goroutines", "low": 2.9, "high": 3.1, "n": 150}
    found["goroutine_stacks"] = [stack, {**stack, "function": "worker.other", "grew": False}]
    text = text_of({**small, "measurements": {**small["measurements"], "leaks": found}})
    assert "  worker-1   goroutines in worker.monitor 3 (2.9 to 3.1)\n" in text
    assert "worker.other" not in text
    assert max(len(line) for line in text.splitlines()) <= 80
