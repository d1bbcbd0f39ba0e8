# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures as sentences."""

from __future__ import annotations

import pytest

from ansible_collections.warren.load.plugins.module_utils.phases.wiring import sentence


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no worker is ready", "No worker is ready."),
        ("worker-1 has no room.", "worker-1 has no room."),
        ("warren_load_image is nginx", "warren_load_image is nginx."),
        ("services: 0 is too few", "services: 0 is too few."),
        ("10.0.0.1:8080 speaks plaintext", "10.0.0.1:8080 speaks plaintext."),
    ],
)
def test_a_sentence_begins_large_unless_a_name_begins_it(text: str, said: str) -> None:
    assert sentence(RuntimeError(text)) == said
