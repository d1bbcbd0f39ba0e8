"""What tarball.py must not pass over."""

from __future__ import annotations

import tarball


def test_what_git_ignores_and_what_is_missing_is_told() -> None:
    told = tarball.strangers({"README.md", "tests/output"}, {"README.md", "plugins/x.py"})
    assert [sentence.split()[0] for sentence in told] == ["tests/output", "plugins/x.py"]
    assert tarball.strangers({"README.md"}, {"README.md"}) == []


def test_warnings_are_found_among_the_news() -> None:
    log = "Linting collection via ansible-lint\nWARNING: no changelog\nLoading module error\nERROR: failed\n"
    assert tarball.warnings(log) == ["WARNING: no changelog", "ERROR: failed"]


def test_the_collections_own_files_are_expected_and_no_cache() -> None:
    wanted = tarball.expected()
    assert {"README.md", "MANIFEST.json", "plugins", "plugins/modules/judge.py"} <= wanted
    assert not any("__pycache__" in name or "tests/output" in name for name in wanted)
    assert "galaxy.yml" not in wanted
