"""What could go wrong in stages.py without a stage turning red."""

from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path

import pytest
import stages

PLAIN = {"PATH": "/usr/bin:/bin"}


def test_variables_of_pip_win_over_its_files() -> None:
    listed = """\
:env:.index-url='http://127.0.0.1:1/variable'
global.index-url='http://127.0.0.1:2/file'
global.find-links='\\n/a\\n/b'
install.no-warn-script-location='1'
a warning that is no setting
"""
    parser = configparser.RawConfigParser()
    parser.read_string(stages.pip_settings(listed))
    assert parser["global"]["index-url"] == "http://127.0.0.1:1/variable"
    assert parser["global"]["find-links"].split() == ["/a", "/b"]
    assert parser["install"]["no-warn-script-location"] == "1"


def test_pip_reads_back_what_was_written(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text(stages.pip_settings(":env:.find-links='/some/folder'\nglobal.timeout='7'\n"), encoding="utf-8")
    read = stages.run_text("env", "-i", f"PIP_CONFIG_FILE={file}", sys.executable, "-m", "pip", "config", "list")
    assert "global.find-links='/some/folder'" in read
    assert "global.timeout='7'" in read


def test_a_failed_stage_is_told_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = [
        stages.run(stages.Stage("good", "true"), PLAIN, live=False),
        stages.run(stages.Stage("bad", "echo broken; exit 3"), PLAIN, live=False),
    ]
    assert [outcome.returncode for outcome in outcomes] == [0, 3]
    shown = capsys.readouterr().out
    assert "broken" in shown
    assert "FAILED (exit code 3)" in shown
    assert stages.summary(outcomes, 61).splitlines()[-2:] == ["stages done in 1 min 1 s", "1 passed, 1 failed"]


def test_what_failed_stands_again_under_the_summary(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever came after it: the end of a log is all that some people see."""
    tests = "echo 'FAILED a/test_b.py::test_c[1] - assert 1 == 2'; echo 'ERROR a/test_d.py - no such module'"
    outcomes = [
        stages.run(stages.Stage("unit", f"{tests}; echo '1 failed, 1 error'; exit 1"), PLAIN, live=True),
        stages.run(
            stages.Stage("sanity", "echo ERROR: a.py:1; echo FATAL: 1 failed; echo; echo pylint; exit 1"),
            PLAIN,
            live=False,
        ),
        stages.run(stages.Stage("silent", "echo last; echo; exit 1"), PLAIN, live=True),
        stages.run(stages.Stage("green", "echo 'FAILED a/test_b.py::test_e'"), PLAIN, live=True),
    ]
    assert "green: passed" in capsys.readouterr().out
    assert stages.summary(outcomes, 1).rpartition("=" * 60)[2].splitlines() == [
        "",
        "unit: FAILED a/test_b.py::test_c[1] - assert 1 == 2",
        "unit: ERROR a/test_d.py - no such module",
        "sanity: FATAL: 1 failed",
        "sanity: pylint",
        "silent: last",
        "stages done in 0 min 1 s",
        "1 passed, 3 failed",
    ]


def test_a_live_stage_is_shown_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second half of the stage waits until the first one was shown."""
    seen = tmp_path / "seen"
    shown: list[str] = []

    def show(text: str, **_options: object) -> None:
        shown.append(text)
        if text == "first":
            seen.touch()

    monkeypatch.setattr("builtins.print", show)
    command = f"echo first; for i in $(seq 200); do test -e {seen} && exec echo second; sleep 0.05; done; echo never"
    stages.run(stages.Stage("live", command), PLAIN, live=True)
    assert shown[1:3] == ["first", "second"]


def test_what_a_stage_leaves_running_does_not_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "LEFT_BEHIND", 0.1)
    outcome = stages.run(stages.Stage("left", "sleep 5 & echo done"), PLAIN, live=False)
    assert outcome.result == "passed"
    assert outcome.seconds < 4


def test_a_pipe_whose_first_part_fails_is_a_failure() -> None:
    assert stages.run(stages.Stage("pipe", "false | cat"), PLAIN, live=False).returncode == 1


def test_a_skipped_stage_is_neither_passed_nor_failed(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = stages.run(stages.Stage("leg", "echo skipped: no Python; exit 77"), PLAIN, live=False)
    assert outcome.result == "skipped"
    assert "leg: skipped in" in capsys.readouterr().out
    assert stages.summary([outcome], 1).splitlines()[-1] == "0 passed, 0 failed, 1 skipped"


def test_every_group_names_stages_that_exist() -> None:
    known = {stage.name for stage in stages.STAGES}
    for name, members in stages.GROUPS.items():
        assert set(members) <= known, name
    assert [stage.name for stage in stages.chosen(["all"])] == [
        stage.name for stage in stages.STAGES if not stage.extra
    ]


def test_an_unknown_stage_is_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, stages.__file__, "uint"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode != 0
    assert done.stderr.startswith("uint is no stage")
    assert len(done.stderr.splitlines()) == 1
