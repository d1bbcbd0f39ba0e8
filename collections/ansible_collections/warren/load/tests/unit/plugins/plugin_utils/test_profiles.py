# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is made of the profiles of all hosts: rows, sentences, pages, a table."""

from __future__ import annotations

import json
import stat
import tarfile
from pathlib import Path

import jsonschema
import pytest

from ansible_collections.warren.load.plugins.module_utils.pprof import reading
from ansible_collections.warren.load.plugins.module_utils.pprof.profile import Frame, Location, Sample
from ansible_collections.warren.load.plugins.plugin_utils import profile_lines, profiles
from ansible_collections.warren.load.plugins.plugin_utils.banner import banner, render
from ansible_collections.warren.load.plugins.plugin_utils.results import assemble
from ansible_collections.warren.load.tests.unit.fixtures.pprof import made
from ansible_collections.warren.load.tests.unit.fixtures.pprof.record import HERE

SCHEMA = Path(__file__).parents[4] / "docs/results.schema.json"
FILES = {"cpu": "cpu", "heap": "heap-after", "allocs": "allocs", "goroutine": "goroutine", "mutex": "mutex"}
STORE = "github.com/cuemby/warren/pkg/storage.(*BoltStore).ListTasks"
SCHEDULER = "github.com/cuemby/warren/pkg/scheduler.(*Scheduler).scheduleService"
MANAGER = "github.com/cuemby/warren/pkg/manager.(*Manager).ListTasksByService"


def row(moment, profile, process="manager-1", kind="manager", **more):
    return {
        "process": process,
        "kind": kind,
        "moment": moment,
        "profile": profile,
        "pid": 7,
        "url": "http://127.0.0.1:9090/debug/pprof/heap",
        "began": 1000.0,
        "seconds": 30.0 if profile == "cpu" else 0.01,
        "bytes": 2048,
        "rss_before": 1 << 20,
        "rss_after": 2 << 20,
        "cpu": 0.02,
        "cost": None if profile == "cpu" else 0.004,
        "load": {"services": 50.0, "containers": 150.0},
        "error": "",
        "file": f"{process}-{moment}-{profile}.pb.gz",
        **more,
    }


def packed(tmp_path, rows, contents):
    """An archive as a node sends it."""
    archive = tmp_path / "sent.tar"
    with tarfile.open(archive, "w") as out:
        for one, content in zip(rows, contents, strict=True):
            path = tmp_path / "content"
            path.write_bytes(content)
            out.add(path, arcname=one["file"])
    return archive


def recorded(profile):
    return (HERE / f"{FILES[profile]}.pb.gz").read_bytes()


def unpacked(tmp_path, rows, contents=None):
    folder = tmp_path / "profiles"
    folder.mkdir(exist_ok=True)
    contents = contents or [recorded(one["profile"]) for one in rows]
    kept, notes = profiles.unpack(packed(tmp_path, rows, contents), folder, rows)
    return folder, [{"host": "node-1", **one} for one in kept], notes


def test_files_stay_as_they_were_served_for_their_owner_alone(tmp_path):
    folder, kept, notes = unpacked(tmp_path, [row("load", name) for name in ("cpu", "heap", "goroutine")])
    assert notes == []
    for one in kept:
        path = folder / one["file"]
        assert path.read_bytes() == recorded(one["profile"])
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert one["top"]["function"]
        assert 0 < one["top"]["share"] <= 100
    assert kept[2]["top"]["total"].endswith("goroutines")


def test_what_cannot_be_read_is_a_sentence_and_no_file(tmp_path):
    rows = [row("load", "heap"), row("load", "allocs")]
    folder, kept, notes = unpacked(tmp_path, rows, [recorded("heap"), recorded("allocs")[:-30]])
    assert [one["profile"] for one in kept] == ["heap"]
    assert notes == ["manager-1-load-allocs.pb.gz is cut short: capture it again."]
    assert not (folder / "manager-1-load-allocs.pb.gz").exists()


def test_a_profile_of_another_kind_costs_only_itself(tmp_path):
    rows = [row("load", "heap"), row("load", "cpu"), row("load", "allocs")]
    _folder, kept, notes = unpacked(tmp_path, rows, [recorded("heap"), recorded("heap"), recorded("allocs")])
    assert [one["profile"] for one in kept] == ["heap", "allocs"]
    (sentence,) = notes
    assert sentence.startswith("The profile holds no samples: it has alloc_objects")


def test_what_a_host_did_not_send_is_a_sentence(tmp_path):
    rows = [row("load", "heap"), row("load", "cpu")]
    kept, notes = profiles.unpack(packed(tmp_path, rows[:1], [recorded("heap")]), tmp_path, rows)
    assert len(kept) == 1
    assert notes == ["manager-1-load-cpu.pb.gz was not in what its host sent: capture it again."]


@pytest.mark.parametrize("name", ["../evil.pb.gz", "/tmp/evil.pb.gz", "a/b.pb.gz", ".hidden.pb.gz"])
def test_a_host_cannot_write_elsewhere(tmp_path, name):
    folder, kept, _notes = unpacked(tmp_path, [row("load", "heap", file=name)])
    assert kept == []
    assert list(folder.iterdir()) == []
    assert not (tmp_path / "evil.pb.gz").exists()


def test_mutexes_that_nobody_counts_are_left_out(tmp_path):
    empty = made.encoded(made.heap([]))
    _folder, kept, notes = unpacked(tmp_path, [row("now", "mutex"), row("now", "heap")], [empty, recorded("heap")])
    assert [one["profile"] for one in kept] == ["heap"]
    assert notes == []


def stack(*names):
    return tuple(Location(number, None, "", (Frame(name, "a.go", 1, 1),)) for number, name in enumerate(names, 1))


def test_reading_records_is_put_down_to_who_asked_for_it():
    names = ("encoding/json.Unmarshal", STORE, MANAGER, SCHEDULER)
    found = profiles.top_of(made.heap([Sample(stack(*names), (9, 900, 9, 900), ())]), "heap")
    assert found == {"function": "scheduler.(*Scheduler).scheduleService", "share": 100.0, "total": "900 B"}


def test_an_empty_profile_has_no_top():
    assert profiles.top_of(made.heap([]), "heap") is None


def result(rows, host="node-1", **more):
    return {"rows": rows, "unavailable": [], "item": {"host": host}, **more}


def test_rows_of_all_hosts_and_sentences_of_those_without():
    rows, notes = profiles.rows_of(
        [
            result([row("load", "heap", "worker-1", "worker")], "node-2", unavailable=["worker-2 has no profile."]),
            result([row("load", "heap"), row("baseline", "heap", began=1.0)]),
            {"skipped": True},
            {"unreachable": True, "msg": "timed out", "item": {"host": "node-3"}},
            {"failed": True, "msg": "No space left\non device.", "item": {"host": "node-4"}},
        ]
    )
    assert [(one["process"], one["moment"], one["host"]) for one in rows] == [
        ("manager-1", "baseline", "node-1"),
        ("manager-1", "load", "node-1"),
        ("worker-1", "load", "node-2"),
    ]
    assert notes == [
        "worker-2 has no profile.",
        "There are no profiles of node-3: Ansible cannot log in to it.",
        "There are no profiles of node-4: No space left on device.",
    ]


@pytest.fixture
def run(tmp_path):
    """The profiles of a run with a manager, from which an index was made."""
    rows = [row("load", "cpu"), row("load", "heap"), row("load", "goroutine")]
    folder, kept, notes = unpacked(tmp_path, rows)
    return folder, kept, profiles.index(kept, notes, profiles.study(kept, folder), 970.0)


def test_sentences_and_pages_of_a_run(run):
    _folder, kept, index = run
    assert {one["id"] for one in index["findings"]} == {"profile-cpu", "profile-heap"}
    assert all(" of manager-1 (" in one["sentence"] for one in index["findings"])
    assert index["pages"] == ["manager-1-load-cpu.html", "manager-1-load-heap.html"]
    assert [one["at"] for one in index["captures"]] == [30.0] * len(kept)
    (cost,) = index["overhead"]
    assert cost["cpu"] == {"value": 0.008, "unit": "s", "low": None, "high": None, "n": 2}
    assert cost["cpu_profiled"] == 30.0


def test_heaps_are_compared_only_where_all_was_removed(tmp_path):
    rows = [row("baseline", "heap"), row("after", "heap"), row("baseline", "goroutine"), row("after", "goroutine")]
    before = (HERE / "heap-before.pb.gz").read_bytes()
    contents = [before, recorded("heap"), recorded("goroutine"), recorded("goroutine")]
    folder, kept, _notes = unpacked(tmp_path, rows, contents)
    grown = profiles.study(kept, folder, services=50)
    assert any(one["id"] == "profile-growth" for one in grown.findings)
    assert "for each of 50 services" in " ".join(one["sentence"] for one in grown.findings)
    assert list(grown.pages) == ["manager-1-heap-change.html"]
    kept_running = profiles.study(kept, folder, services=0)
    assert (kept_running.findings, kept_running.pages) == ([], {})


def beside(moment, at, services):
    """A heap that was taken so many seconds after the first create, of which one byte is told for each of these."""
    stem = "load" if moment == "load" else f"during-1200{at:02}"
    load = {"services": services, "containers": None}
    return row(moment, "heap", began=1000.0 + at, load=load, file=f"manager-1-{stem}-heap.pb.gz")


@pytest.mark.parametrize(
    ("looks", "chosen"),
    [
        # The load is removed at 3 s.
        ([("load", 2, 50.0), ("during", 6, 0.0)], 2),
        # Warren counts every 15 s.
        ([("load", 2, 0.0), ("during", 6, 0.0), ("during", 14, 50.0), ("during", 30, 50.0), ("during", 60, 0.0)], 30),
        # Where the load is not told the first look is certain.
        ([("load", 2, None), ("during", 6, None)], 2),
        # Its host learned of the load too early.
        ([("load", -3, 0.0), ("during", 1, 0.0)], 1),
        ([("during", -3, 0.0)], None),
    ],
)
def test_the_heap_of_the_load_is_that_of_most_services(tmp_path, looks, chosen):
    rows = [beside(*look) for look in looks]
    contents = [
        made.encoded(made.heap([Sample(stack(f"main.at{at}"), (9, 90 << 20, 9, 90 << 20), ())]))
        for _moment, at, _services in looks
    ]
    folder, kept, _notes = unpacked(tmp_path, rows, contents)
    found = profiles.study(kept, folder, first_create=1000.0)
    held = [one["sentence"].split()[0] for one in found.findings if one["id"] == "profile-heap"]
    assert held == ([] if chosen is None else [f"main.at{chosen}"])
    assert list(found.pages) == ([] if chosen is None else ["manager-1-load-heap.html"])
    if chosen is not None:
        title = f"manager-1: heap in use, during the load, {chosen} s after its first create"
        assert title in found.pages["manager-1-load-heap.html"]
    if chosen is not None and rows[0]["began"] > 1000.0:
        (_process, text) = next(profile_lines.summary(profiles.index(kept, [], found, 1000.0)))
        assert text == "90 MB of heap"


def test_the_load_of_workers_is_what_a_manager_told_nearest_in_time():
    silent = {"services": None, "containers": None}
    later = {"services": 9.0, "containers": 27.0}
    rows, _notes = profiles.rows_of(
        [
            result([row("load", "heap"), row("during", "heap", began=1030.0, load=later)]),
            result([row("during", "heap", "worker-1", "worker", began=1020.0, load=silent)], "node-2"),
        ]
    )
    assert rows[-1]["load"] == later
    (alone,), _notes = profiles.rows_of([result([row("load", "heap", "worker-1", "worker", load=silent)])])
    assert alone["load"] == silent


def test_heaps_of_a_process_that_was_started_anew_are_not_compared(tmp_path):
    rows = [row("baseline", "heap"), row("after", "heap", pid=8), row("baseline", "heap", "manager-2")]
    rows.append(row("after", "heap", "manager-2"))
    before = (HERE / "heap-before.pb.gz").read_bytes()
    folder, kept, _notes = unpacked(tmp_path, rows, [before, recorded("heap")] * 2)
    found = profiles.study(kept, folder, services=50)
    assert found.notes == ["manager-1 was started anew in between: its heaps are not compared."]
    assert list(found.pages) == ["manager-2-heap-change.html"]
    assert not any("manager-1" in one["sentence"] for one in found.findings)


def test_of_a_hundred_workers_not_all_get_pages(tmp_path):
    rows = [row("baseline", "heap", f"worker-{number}", "worker") for number in range(20)]
    rows += [row("after", "heap", f"worker-{number}", "worker") for number in range(20)]
    folder, kept, _notes = unpacked(tmp_path, rows)
    found = profiles.study(kept, folder, services=50)
    assert len(found.pages) == profiles.DRAWN
    assert found.notes == ["Flame graphs are of the first 12 processes: the others' profiles are there as files."]


def test_the_table(run):
    _folder, _kept, index = run
    index["unavailable"].append("worker-1 has no profile.")
    text = render(profiles.table(index, "results/profiles-1"))
    lines = text.splitlines()
    assert lines[0].startswith("manager-1: 0.02 s of CPU in 30 s (0.0667 % of a core), 34 MB of heap, ")
    assert "- main.cpu holds" in text
    assert "! worker-1 has no profile." in text
    assert "3 profiles of 1 process; they cost it 8 ms of CPU, besides its profile of CPU." in " ".join(lines)
    assert lines[-1] == "Everything is in results/profiles-1"
    assert max(map(len, lines)) <= 80


def test_a_table_of_nothing():
    index = profiles.index([], ["Simulated managers have no profiles."], profiles.Found([], {}, []), None)
    assert render(profiles.table(index, "x")) == "! Simulated managers have no profiles."


def test_of_many_processes_those_that_work_most_have_a_line(tmp_path):
    rows = [row("now", "cpu", f"worker-{number}", "worker", cpu=float(number)) for number in range(9)]
    _folder, kept, _notes = unpacked(tmp_path, rows)
    lines = list(profile_lines.summary(profiles.index(kept, [], profiles.Found([], {}, []), None)))
    assert [process for process, _text in lines] == [*(f"worker-{number}" for number in range(8, 3, -1)), "Others"]
    assert lines[-1][1] == "4 processes more, see index.json"


def earlier(tmp_path, moment="after", **more):
    """A folder of results with a run that has a heap, of which now is another."""
    rows = [row(moment, "heap", began=100.0, **more)]
    folder, kept, _notes = unpacked(tmp_path, rows, [(HERE / "heap-before.pb.gz").read_bytes()])
    index = profiles.index(kept, [], profiles.Found([], {}, []), None)
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")
    return folder


def test_a_capture_is_compared_with_the_last_one_of_the_same_process(tmp_path):
    (tmp_path / "old").mkdir()
    old = earlier(tmp_path / "old")
    folder, kept, _notes = unpacked(tmp_path, [row("now", "heap", load={"services": 0.0, "containers": 0.0})])
    found = profiles.earlier_of([old, tmp_path / "none"], kept)
    assert found is not None
    assert profiles.since(kept, found) == (
        f"Heaps are compared with those of 15 min before in {old} (50 services, 150 running containers then, "
        "0 services now)."
    )
    told = profiles.study(kept, folder, earlier=found)
    (grown,) = [one["sentence"] for one in told.findings if one["id"] == "profile-growth"]
    assert grown.startswith("main.heaps of manager-1 holds 2")
    assert "services" not in grown
    assert "manager-1-heap-change.html" in told.pages
    assert not any(one["id"] == "profile-growth" for one in profiles.study(kept, folder).findings)


def test_without_a_heap_of_now_nothing_is_said_of_earlier_ones(tmp_path):
    (tmp_path / "old").mkdir()
    old = earlier(tmp_path / "old")
    _folder, kept, _notes = unpacked(tmp_path, [row("now", "goroutine")])
    found = profiles.earlier_of([old], kept)
    assert found is not None
    assert profiles.since(kept, found) == ""


@pytest.mark.parametrize("more", [{"pid": 8}, {"moment": "load"}, {"host": "node-2"}, {"pid": None}])
def test_what_is_not_the_same_process_is_not_compared(tmp_path, more):
    (tmp_path / "old").mkdir()
    old = earlier(tmp_path / "old", **{name: value for name, value in more.items() if name != "host"})
    _folder, kept, _notes = unpacked(tmp_path, [row("now", "heap")])
    rows = [{**one, "host": more.get("host", one["host"])} for one in kept]
    assert profiles.earlier_of([old], rows) is None


def test_what_profiling_itself_holds_is_no_finding(tmp_path):
    big = Sample(stack("runtime/pprof.StartCPUProfile", "net/http/pprof.Profile"), (9, 90 << 20, 9, 90 << 20), ())
    _folder, kept, _notes = unpacked(tmp_path, [row("now", "heap")], [made.encoded(made.heap([big]))])
    assert profiles.study(kept, _folder).findings == []


def test_the_report_of_a_run_with_profiles(run, small):
    _folder, _kept, index = run
    index["unavailable"] += [f"worker-{number} has no profile." for number in range(5)]
    options = {**small, "run": {**small["run"], "profiling": True}}
    options["measurements"] = {**small["measurements"], "profiles": index}
    document = assemble(options)
    jsonschema.validate(json.loads(json.dumps(document)), json.loads(SCHEMA.read_text(encoding="utf-8")))
    text = render(banner(document))
    assert "  Profiling: true\n" in text
    assert "Profiles:\n  manager-1: 0.02 s of CPU in 30 s (0.0667 % of a core), 34 MB of heap, " in text
    assert "  Flame Graphs: profiles/manager-1-load-cpu.html and 1 more\n" in text
    found = [one for one in document["findings"] if one["id"].startswith("profile-")]
    assert [one["severity"] for one in found[:4]] == ["warning"] * 4
    assert found[3]["sentence"] == "2 profiles more are missing, see results.json."
    assert any("holds" in one["sentence"] and one["severity"] == "note" for one in found)


def test_the_document_of_a_run_with_rounds_or_a_hold_is_valid(tmp_path, small):
    rows = [row("baseline", "heap"), row("settled", "heap")]
    _folder, kept, _notes = unpacked(tmp_path, rows)
    figure = {"value": 1.5, "unit": "KB/h", "low": 1.0, "high": 2.0, "n": 9}
    grown = {"process": "manager-1", "function": "main.heaps", "per_hour": figure}
    index = profiles.index(kept, [], profiles.Found([], {}, [], [grown]), None)
    document = assemble({**small, "measurements": {**small["measurements"], "profiles": index}})
    jsonschema.validate(json.loads(json.dumps(document)), json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_heaps_after_each_round_are_compared_before_ours_is_purged(tmp_path):
    before = (HERE / "heap-before.pb.gz").read_bytes()
    moments = [("baseline", before), ("settled", before), ("settled", recorded("heap")), ("after", before)]
    rows = [row(moment, "heap", file=f"manager-1-{number}.pb.gz") for number, (moment, _content) in enumerate(moments)]
    folder, kept, _notes = unpacked(tmp_path, rows, [content for _moment, content in moments])
    # With keep nothing is purged, but what a round made is deleted all the same.
    found = profiles.study(kept, folder, services=150)
    (grown,) = found.growth
    assert (grown["process"], grown["function"]) == ("manager-1", "main.heaps")
    assert grown["per_service"]["low"] < grown["per_service"]["value"] < grown["per_service"]["high"]
    assert grown["per_service"]["n"] == 150
    assert any(one["id"] == "profile-growth" for one in found.findings)
    assert profiles.index(kept, [], found, None)["growth"] == [grown]


def held_heaps(tmp_path, contents, moments=4):
    """Heaps of a run with a hold: one before, and so many within 30 minutes."""
    rows = [row("baseline", "heap", file="b.pb.gz")]
    rows += [row("during", "heap", file=f"d{at}.pb.gz", began=2000.0 + 600 * at) for at in range(moments)]
    return unpacked(tmp_path, rows, contents)


def test_heaps_while_a_load_was_held_are_compared_with_each_other(tmp_path):
    before = (HERE / "heap-before.pb.gz").read_bytes()
    # What grew before the load was held is none of this.
    folder, kept, _notes = held_heaps(tmp_path, [before, *[recorded("heap")] * 4])
    found = profiles.study(kept, folder, services=50, held=profiles.Held(2000.0, 3800.0))
    assert found.growth == []
    assert "profile-no-growth" in [one["id"] for one in found.findings]


@pytest.mark.parametrize("services", [50, 0])
def test_what_grew_while_a_load_was_held_is_told_by_the_hour(tmp_path, services):
    before = (HERE / "heap-before.pb.gz").read_bytes()
    folder, kept, _notes = held_heaps(tmp_path, [before, before, before, recorded("heap"), recorded("heap")])
    # Growth between the second and the third of four goes on to the end, for all that four can say.
    found = profiles.study(kept, folder, services=services, held=profiles.Held(1900.0, 3900.0))
    (grown,) = found.growth
    assert (grown["process"], grown["function"]) == ("manager-1", "main.heaps")
    # Nothing came and went, whatever was created before.
    assert set(grown) == {"process", "function", "per_hour"}
    (sentence,) = [one["sentence"] for one in found.findings if one["id"] == "profile-growth"]
    assert sentence.endswith(" an hour, and grew to the end.")
    rate = grown["per_hour"]
    assert (rate["unit"], rate["n"]) == ("KB/h", 4)
    assert rate["low"] < rate["value"] < rate["high"]
    # Half an hour lies between the first and the last.
    pair = [{**kept[1], "moment": "baseline"}, {**kept[-1], "moment": "after"}]
    (whole,) = profiles.study(pair, folder, services=1).growth
    assert rate["value"] == pytest.approx(2 * whole["per_service"]["value"], rel=1e-4)


def test_what_grew_with_churn_is_told_for_each_service_that_was_replaced_meanwhile(tmp_path):
    before = (HERE / "heap-before.pb.gz").read_bytes()
    folder, kept, _notes = held_heaps(tmp_path, [before, before, before, recorded("heap"), recorded("heap")])
    # The captures span 1800 of 3600 s.
    found = profiles.study(kept, folder, services=90, held=profiles.Held(1000.0, 4600.0, replaced=40))
    (grown,) = found.growth
    assert grown["per_service"]["n"] == 20
    assert grown["per_service"]["value"] == pytest.approx(grown["per_hour"]["value"] / 2 / 20, rel=1e-4)
    assert "for each of 20 services" in " ".join(one["sentence"] for one in found.findings)


def goroutines(count):
    waits = Sample(stack("github.com/cuemby/warren/pkg/worker.(*Worker).monitor", "main.main"), (count,), ())
    return made.encoded(made.heap([waits])._replace(types=reading.read(HERE / "goroutine.pb.gz").types))


def test_goroutines_by_stack_are_told_for_each_service(tmp_path):
    moments = ["baseline", "settled", "settled", "settled"]
    rows = [row(moment, "goroutine", "worker-1", "worker", file=f"g{at}.pb.gz") for at, moment in enumerate(moments)]
    folder, kept, _notes = unpacked(tmp_path, rows, [goroutines(1 + 2 * at) for at in range(4)])
    found = profiles.study(kept, folder, services=6)
    assert found.stacks == [
        {
            "process": "worker-1",
            "function": "worker.(*Worker).monitor",
            "begun": "main.main",
            "counts": [1, 3, 5, 7],
            "per_service": {"value": 1.0, "unit": "goroutines", "low": 1.0, "high": 1.0, "n": 6},
            "grew": True,
        }
    ]
    (sentence,) = [one["sentence"] for one in found.findings if one["id"] == "profile-goroutines"]
    assert sentence.endswith("begun as main.main), 1 (1 to 1) for each of 6 services.")
    assert profiles.study(kept, folder).stacks == []
