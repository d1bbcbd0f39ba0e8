# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import gzip
import json
import os
from pathlib import Path

import jsonschema
import pytest

from ansible_collections.warren.load.plugins.plugin_utils.redaction import Secrets
from ansible_collections.warren.load.plugins.plugin_utils.results import (
    LIMIT,
    ResultsError,
    assemble,
    bounded,
    cleared,
    encode,
    find_run,
    load,
    moment,
    plain,
    point_latest,
    prepare,
    run_folder,
    write,
)

SCHEMA = json.loads((Path(__file__).parents[4] / "docs/results.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_recorded_runs_fit_the_schema(small, large):
    for options in (small, large):
        VALIDATOR.validate(json.loads(encode(assemble(options))))


def test_a_run_with_a_fault_has_a_timeline(small):
    assert "timeline" not in assemble(small)
    probe = {
        "started": 1763900010.0,
        "ended": 1763900070.0,
        "writes": {"outages": [{"start": 1763900040.0, "end": 1763900041.0, "seconds": 1.0}]},
        "managers": [{"name": "manager-1", "outages": []}],
        "terms": [],
    }
    fault = {"kind": "kill", "target": "manager-1", "start": 1763900040.0, "end": None, "uncertainty": None}
    measurements = {"faults": {"count": 1, "faults": [fault]}, "probe": probe}
    run = {**small["run"], "started": 1763900000.0}
    document = json.loads(encode(assemble({**small, "run": run, "measurements": measurements})))
    VALIDATOR.validate(document)
    assert [(one["kind"], one["start"], one["end"]) for one in document["timeline"]["intervals"]] == [
        ("phase", 10.0, 70.0),
        ("fault", 40.0, None),
        ("outage", 40.0, 41.0),
    ]


def test_a_run_that_ended_before_it_measured_fits_the_schema(small):
    phases = [{"name": "create", "status": "failed", "duration": 3.0, "error": "no leader"}]
    early = {**small, "measurements": {}, "judgement": {}, "audit": {}, "phases": phases}
    early["run"] = {"id": "20261123-120102-4f1a"}
    document = assemble(early)
    VALIDATOR.validate(document)
    assert document["judgement"]["verdict"] == "error"
    assert not document["judgement"]["green"]
    assert document["findings"][0]["sentence"] == "The phase create failed: no leader."


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("run"),
        lambda d: d.update(schema=2),
        lambda d: d["run"].update(marks=["real"]),
        lambda d: d["judgement"].update(verdict="green"),
        lambda d: d["judgement"]["objectives"][0].pop("level"),
        lambda d: d["judgement"]["objectives"][0].update(verdict="not judged"),
        lambda d: d["measurements"]["create"]["rate"].update(mean=3),
        lambda d: d["findings"].append({"id": "x", "severity": "bad", "sentence": "x", "because": ""}),
        lambda d: d.update(extra=1),
    ],
)
def test_the_schema_refuses(small, change):
    document = assemble(small)
    change(document)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(document)


def test_a_failed_phase_is_never_green(small):
    assert assemble(small)["judgement"]["green"]
    document = assemble({**small, "phases": [{"name": "latency", "status": "failed", "error": "x"}]})
    assert not document["judgement"]["green"]
    assert document["judgement"]["verdict"] == "error"
    assert document["judgement"]["summary"].startswith("error: the phase latency failed; pass: ")
    VALIDATOR.validate(document)
    small["judgement"]["verdict"] = "fail"
    document = assemble(
        {**small, "phases": [{"name": name, "status": "failed", "error": "x"} for name in ("await", "cleanup")]}
    )
    assert document["judgement"]["verdict"] == "fail"
    assert document["judgement"]["summary"].endswith("; and the phases await and cleanup failed")


def test_times_and_duration(small):
    run = assemble(small)["run"]
    assert run["started"] == "2026-11-23T12:01:02+00:00"
    assert run["duration"] == pytest.approx(28.2)
    assert run["containers"] == 150
    assert moment("1795435262") == moment(1795435262) == moment("2026-11-23T12:01:02+00:00")
    assert moment("soon") is moment(None) is moment(True) is moment(1e300) is None


@pytest.mark.parametrize("wrong", [None, "", "../../etc", "a/b", ".hidden", "x" * 65])
def test_run_ids_that_are_no_folder_names_are_refused(small, wrong):
    small["run"]["id"] = wrong
    with pytest.raises(ResultsError, match="give the id of the run"):
        assemble(small)


def test_nothing_secret_is_written(small):
    token = "5eC" + "0f" * 31
    small["environment"] |= {"join_token": "SWMTKN-1-secret", "managers": [{"private_key": "PEM", "tokens": 3}]}
    small["run"]["ca_password"] = "hunter2"
    small["measurements"]["create"]["causes"] = {"refused: correct horse": 1}
    small["measurements"]["resources"]["unavailable"] = [
        f"worker start --token {'0f' * 32} ended",
        "said correct horse",
    ]
    small["phases"] = [{"name": "create", "status": "failed", "error": "https://me:correct horse@10.0.0.1 refused"}]
    text = encode(assemble(small, Secrets(["correct horse"]))).decode()
    for secret in ("SWMTKN", "PEM", "hunter2", "correct horse", "0f0f0f", token):
        assert secret not in text
    assert "9f86d081884c7d65" * 4 in text
    assert plain({"token": {"id": 5}}) == {"token": {"id": 5}}


def test_samples_and_journal_hold_no_secret_either():
    secrets = Secrets(["correct horse"])
    journal = (
        b'{"t": 1, "event": "x"}\n'
        b'{"t": 2, "error": "said correct horse", "password": "hunter2!"}\n'
        b"broken correct horse\n"
    )
    found = cleared("journal.jsonl", journal, secrets)
    assert b"horse" not in found
    assert b"hunter2" not in found
    first, second, _third = found.splitlines()
    assert first == b'{"t": 1, "event": "x"}'
    assert json.loads(second) == {"t": 2, "error": "said (removed)", "password": "(removed)"}
    packed = gzip.compress(b"service,error\nwl-1,said correct horse\n")
    assert gzip.decompress(cleared("create-samples.csv.gz", packed, secrets)) == b"service,error\nwl-1,said (removed)\n"
    clean = gzip.compress(b"service,error\nwl-1,\n")
    assert cleared("create-samples.csv.gz", clean, secrets) is clean


def test_plain_is_strict_json():
    class Tagged(str):
        pass

    found = plain({1: Tagged("a"), "b": float("nan"), "c": (1, 2.5, None, True), "d": "x" * 3000})
    assert not isinstance(found["1"], Tagged)
    assert found["b"] is None
    assert found["c"] == [1, 2.5, None, True]
    assert len(found["d"]) == 2000
    json.dumps(found, allow_nan=False)


def test_large_results_are_cut_and_say_so(small):
    small["measurements"]["await"]["placement"] = {f"worker-{i:06}": i for i in range(60000)}
    small["measurements"]["create"]["causes"] = {f"cause {i}": 1 for i in range(20000)}
    document = assemble(small)
    assert len(encode(document)) <= LIMIT
    assert document["truncated"] == [
        {"path": "measurements.await.placement", "of": 60000, "kept": 15000},
        {"path": "measurements.create.causes", "of": 20000, "kept": 15000},
    ]
    assert len(document["measurements"]["await"]["placement"]) == 15000
    assert "measurements.await.placement (15000 of 60000 entries kept)" in document["findings"][0]["sentence"]
    assert len(document["judgement"]["objectives"]) == len(small["judgement"]["judgements"])
    VALIDATOR.validate(document)


def test_the_environment_is_cut_last_and_never_silently(small):
    small["environment"]["hosts"] = [{"name": f"host-{i}", "os": "x" * 100} for i in range(20000)]
    small["measurements"]["await"]["placement"] = {f"worker-{i:06}": i for i in range(1000)}
    document = assemble(small)
    kept = len(document["environment"]["hosts"])
    assert {"path": "environment.hosts", "of": 20000, "kept": kept} in document["truncated"]
    assert f"environment.hosts ({kept} of 20000 entries kept)" in document["findings"][0]["sentence"]
    assert len(encode(document)) <= LIMIT
    VALIDATOR.validate(document)
    light = {**small, "environment": {**small["environment"], "hosts": small["environment"]["hosts"][:1000]}}
    light["measurements"]["await"]["placement"] = {f"worker-{i:06}": i for i in range(60000)}
    document = assemble(light)
    assert [cut["path"] for cut in document["truncated"]] == ["measurements.await.placement"]
    assert len(document["environment"]["hosts"]) == 1000


def test_results_that_cannot_be_cut_are_one_sentence(small):
    small["run"] |= {f"extra{i}": {"deep": {"text": "x" * 1900}} for i in range(3)}
    with pytest.raises(ResultsError, match="do not fit into 5000 bytes"):
        bounded(assemble(small), 5000)


def test_small_results_are_not_touched(small):
    document = assemble(small)
    assert bounded(document) is document
    assert "truncated" not in document
    assert len(encode(document)) < 50_000


def test_the_folder_and_latest(tmp_path):
    for run_id in ("one", "two"):
        folder = run_folder(str(tmp_path / "results"), run_id)
        prepare(folder)
        write(folder / "results.json", b"{}")
        assert point_latest(folder)
        assert os.readlink(tmp_path / "results/latest") == run_id
        assert os.listdir(folder) == ["results.json"]
    assert sorted(os.listdir(tmp_path / "results")) == ["latest", "one", "two"]


def test_a_latest_of_one_s_own_is_left_alone(tmp_path):
    (tmp_path / "latest").mkdir()
    prepare(tmp_path / "one")
    assert not point_latest(tmp_path / "one")
    assert not (tmp_path / "latest").is_symlink()


def test_what_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="set warren_load_results_dir"):
        prepare(tmp_path / "file" / "run")
    with pytest.raises(ResultsError, match="cannot be written"):
        write(tmp_path / "missing" / "results.json", b"")


def test_why_nothing_was_judged_is_said(small):
    document = assemble({**small, "judgement": {"msg": "Objective 'x' has no 'path': add it.", "failed": False}})
    assert document["judgement"]["summary"] == "not judged: Objective 'x' has no 'path': add it."
    assert not document["judgement"]["green"]


def test_given_findings_are_added_once(large):
    said = "worker-1: its process could not be read (no permission)"
    document = assemble({**large, "findings": [said, "Two services of others are there", f"{said}."]})
    sentences = [finding["sentence"] for finding in document["findings"]]
    assert sentences.count(f"{said}.") == 1
    assert sentences[-1] == "Two services of others are there."


def test_assembling_changes_nothing_that_was_given(small):
    before = copy.deepcopy(small)
    assemble(small)
    assert small == before


def keep(home, run_id, **changes):
    folder = run_folder(str(home), run_id)
    prepare(folder)
    write(folder / "results.json", encode({"schema": 1, "id": run_id, **changes}))
    return folder


def test_runs_are_found_by_what_a_person_types(tmp_path):
    home = tmp_path / "results"
    for run_id in ("20261123-100000-aaaa", "20261123-110000-bbbb", "20261123-120000-cccc"):
        folder = keep(home, run_id)
    point_latest(folder)
    (home / "20261123-130000-dddd").mkdir()  # a run that is going on

    def found(wanted):
        return find_run(str(home), wanted).parent.name

    assert found("latest") == "20261123-120000-cccc"
    assert found("previous") == "20261123-110000-bbbb"
    assert found("20261123-100000-aaaa") == "20261123-100000-aaaa"
    for path in (folder, folder / "results.json", home / "latest"):
        assert found(str(path)) == "20261123-120000-cccc"
    (home / "latest").unlink()
    assert (found("latest"), found("previous")) == ("20261123-120000-cccc", "20261123-110000-bbbb")


def test_previous_is_the_one_before_the_latest_even_if_older_ones_were_copied_later(tmp_path):
    for run_id in ("20261123-120000-cccc", "20261123-100000-aaaa"):
        folder = keep(tmp_path, run_id)
    point_latest(folder)
    with pytest.raises(ResultsError, match=r"no run before the latest .*: there is 20261123-120000-cccc, 2026"):
        find_run(str(tmp_path), "previous")


def test_a_run_that_is_not_there_is_one_sentence_that_lists_what_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # two folders up nothing is called etc
    with pytest.raises(ResultsError, match=r"no results of the run 'x' in .*: no run is there yet; name one of them"):
        find_run(str(tmp_path / "none"), "x")
    for number in range(7):
        keep(tmp_path, f"20261123-10000{number}-aaaa")
    with pytest.raises(ResultsError, match=r"there is 20261123-100006-aaaa, .*100002-aaaa and 2 older; name"):
        find_run(str(tmp_path), "../../etc/passwd")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("{", "is not JSON"),
        ("[]", "is not a results document"),
        ('{"schema": 2}', "this version of warren.load reads schema 1"),
        ('{"schema": 1, "run": {}}', "lacks environment, measurements, findings, judgement"),
        (
            '{"schema": 1, "run": {}, "environment": {}, "measurements": {}, "findings": [], "judgement": {}}',
            "lacks objectives",
        ),
    ],
)
def test_what_is_no_results_document_is_one_sentence(tmp_path, content, said):
    path = tmp_path / "results.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ResultsError, match=said):
        load(path)


def test_what_was_written_is_read(tmp_path, small):
    document = assemble(small)
    write(tmp_path / "results.json", encode(document))
    assert load(tmp_path / "results.json") == document
