# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
import os
from pathlib import Path

import jsonschema
import pytest

from ansible_collections.warren.load.plugins.plugin_utils.results import (
    LIMIT,
    ResultsError,
    assemble,
    bounded,
    encode,
    moment,
    plain,
    point_latest,
    prepare,
    run_folder,
    write,
)

SCHEMA = json.loads((Path(__file__).parents[4] / "docs/results.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def finished(document):
    """As the action plugin writes it."""
    return {**document, "environment": {"controller": {}}, "files": []}


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_recorded_runs_fit_the_schema(small, large):
    for options in (small, large):
        VALIDATOR.validate(json.loads(encode(finished(assemble(options)))))


def test_a_run_that_ended_before_it_measured_fits_the_schema(small):
    phases = [{"name": "create", "status": "failed", "duration": 3.0, "error": "no leader"}]
    early = {**small, "measurements": {}, "judgement": {}, "audit": {}, "phases": phases}
    early["run"] = {"id": "20261123-120102-4f1a"}
    document = assemble(early)
    VALIDATOR.validate(finished(document))
    assert document["judgement"]["verdict"] == "not judged"
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
    document = finished(assemble(small))
    change(document)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(document)


def test_a_failed_phase_is_never_green(small):
    assert assemble(small)["judgement"]["green"]
    document = assemble({**small, "phases": [{"name": "latency", "status": "failed", "error": "x"}]})
    assert not document["judgement"]["green"]
    assert document["judgement"]["summary"].endswith("but the phase latency failed")


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
    small["environment"] = {"join_token": "SWMTKN-1-secret", "managers": [{"private_key": "PEM", "tokens": 3}]}
    small["run"]["ca_password"] = "hunter2"
    text = encode(assemble(small)).decode()
    for secret in ("SWMTKN", "PEM", "hunter2"):
        assert secret not in text
    assert plain({"token": {"id": 5}}) == {"token": {"id": 5}}


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
    document = finished(assemble(small))
    assert len(encode(document)) <= LIMIT + 1000
    assert document["truncated"] == ["measurements.await.placement"]
    assert len(document["judgement"]["objectives"]) == 14
    VALIDATOR.validate(document)


def test_small_results_are_not_touched(small):
    document = assemble(small)
    assert bounded(document) is document
    assert "truncated" not in document
    assert len(encode(document)) < 40_000


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
