# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.plugin_utils.columns import clean, clip, pad, width, wrap


@pytest.mark.parametrize(("text", "columns"), [("", 0), ("abc", 3), ("é", 1), ("e\u0301", 1), ("漢字", 4), ("✓ 🚀", 4)])
def test_width(text, columns):
    assert width(text) == columns


def test_clean_is_one_line_without_colours():
    assert clean("a\x1b[31mb\x1b[0m\nc\td\x07") == "ab c d "


def test_clip_and_pad():
    assert clip("abcdef", 6) == "abcdef"
    assert clip("abcdefg", 6) == "abcde…"
    assert clip("漢字漢字", 6) == "漢字…"
    assert pad("ab", 4) == "ab  "
    assert pad("漢", 4, right=True) == "  漢"


def test_wrap():
    assert wrap("one two three", 9, "- ") == ["- one two", "  three"]
    assert wrap("abcdefghij", 6, "- ") == ["- abcd", "  efgh", "  ij"]
    assert wrap("a 漢字漢字", 6, "", "  ") == ["a", "  漢字", "  漢字"]
    assert wrap("", 6, "- ") == ["- "]


TEXT = st.text(st.characters(codec="utf-8"), max_size=60)


@given(TEXT, st.integers(8, 80), st.text("- ", max_size=4))
def test_every_line_fits_and_nothing_is_lost(text, columns, lead):
    lines = wrap(text, columns, lead)
    assert all(width(line) <= columns for line in lines)
    kept = "".join("".join(line[len(lead) :].split()) for line in lines)
    assert kept == "".join(clean(text).split())


@given(TEXT, st.integers(2, 40))
def test_a_padded_text_takes_just_its_columns(text, columns):
    assert width(pad(clean(text), columns)) == columns
