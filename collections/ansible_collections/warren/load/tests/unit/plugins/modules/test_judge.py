# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.warren.load.plugins.modules import judge

ROW = {
    "id": "failed-creations",
    "sentence": "Nothing fails.",
    "source": "guide",
    "statistic": "count",
    "path": "create.failed",
    "unit": "creations",
    "direction": "equal",
    "limits": {"target": 0},
}


def run(capfd, **options):
    with patch_module_args(options), pytest.raises(SystemExit):
        judge.main()
    return json.loads(capfd.readouterr().out)


def test_it_judges(capfd):
    result = run(capfd, objectives=[ROW], measurements={"create": {"failed": 2}}, scale="small")
    assert (result["verdict"], result["green"], result["changed"]) == ("fail", False, False)
    assert "failed" not in result
    assert set(result) >= {"judgements", "counts", "summary"}


def test_without_measurements_it_only_checks(capfd):
    assert run(capfd, objectives=[ROW])["summary"] == "1 objectives are well formed"


def test_a_wrong_row_is_one_sentence(capfd):
    result = run(capfd, objectives=[{**ROW, "path": "create.faild"}])
    assert result["failed"]
    assert "did you mean 'failed'" in result["msg"]
    assert "exception" not in result


def test_a_missing_library_is_named(capfd, monkeypatch):
    monkeypatch.setattr(judge, "jmespath", None)
    result = run(capfd, objectives=[ROW])
    assert "lacks the library jmespath" in result["msg"]
    assert "-m pip install jmespath" in result["msg"]
    assert "exception" not in result
