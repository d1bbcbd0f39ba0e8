"""The quiet output knows whoever speaks for itself."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ACTIONS = ROOT / "collections/ansible_collections/warren/load/plugins/action"


def test_what_shows_progress_needs_no_sign_of_life() -> None:
    talking = set(runpy.run_path(str(ROOT / "plugins/callback/quiet.py"))["TALKING"])
    progressing = {path.stem for path in ACTIONS.glob("*.py") if re.search(r"\(ProgressAction\)", path.read_text())}
    assert progressing
    assert {f"warren.load.{name}" for name in progressing} <= talking
