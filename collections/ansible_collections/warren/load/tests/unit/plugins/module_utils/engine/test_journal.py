# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.engine import journal

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
EVENTS = st.lists(
    st.dictionaries(st.text(min_size=1).filter(lambda key: key not in ("t", "phase")), VALUES, max_size=4)
)


@given(EVENTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_written_is_read_in_order(tmp_path, events):
    path = tmp_path / "journal.jsonl"
    path.unlink(missing_ok=True)
    book = journal.Journal(path)
    for event in events:
        book.write("create", event)
    back = list(journal.read(path))
    book.close()
    assert [{key: value for key, value in event.items() if key not in ("t", "phase")} for event in back] == events
    assert all(event["phase"] == "create" and event["t"] > 1e9 for event in back)


@given(st.integers(0, 400))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_journal_cut_off_anywhere_loses_one_event_at_most_and_goes_on(tmp_path, cut):
    path = tmp_path / "journal.jsonl"
    path.unlink(missing_ok=True)
    book = journal.Journal(path)
    book.write("create", *({"event": "sent", "index": index} for index in range(5)))
    book.close()
    whole = path.read_bytes()
    kept = whole[:cut]
    path.write_bytes(kept)
    book = journal.Journal(path)
    book.write("create", {"event": "after"})
    book.close()
    complete = kept.count(b"\n") + (whole[cut : cut + 1] == b"\n")
    events = list(journal.read(path))
    assert [event.get("index") for event in events[:-1]] == list(range(complete))
    assert events[-1]["event"] == "after"


def test_a_killed_writer_loses_nothing(tmp_path):
    script = (
        "import os, signal, sys\n"
        "from ansible_collections.warren.load.plugins.module_utils.engine.journal import Journal\n"
        "book = Journal(sys.argv[1])\n"
        "for index in range(100): book.write('create', {'index': index})\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, "-c", script, tmp_path / "j"], env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert [event["index"] for event in journal.read(tmp_path / "j")] == list(range(100))


def test_a_missing_journal_has_no_events(tmp_path):
    assert list(journal.read(tmp_path / "none")) == []


@pytest.mark.parametrize("path", ["no/such/folder/journal.jsonl", "."])
def test_a_journal_that_cannot_be_opened_is_said_and_ends_nothing(tmp_path, path):
    book = journal.Journal(tmp_path / path)
    book.write("create", {"event": "sent"}, {"event": "done"})
    book.close()
    assert book.lost == 2
    assert "could not be written" in str(book.error)


def test_a_full_disk_is_said_and_ends_nothing(tmp_path):
    book = journal.Journal(tmp_path / "journal.jsonl")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
        for _event in range(5):
            book.write("create", {"event": "sent"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    book.write("create", {"event": "later"})
    book.close()
    assert book.lost > 0
    assert "could not be written" in str(book.error)
    assert list(journal.read(tmp_path / "journal.jsonl"))[-1]["event"] == "later"
