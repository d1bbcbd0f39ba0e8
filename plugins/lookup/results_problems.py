# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: results_problems
short_description: What is wrong with the results of a run
description: Holds results against their schema and the strict rules of JUnit readers. Only for this repository.
options:
  _terms: {description: Folders of runs., required: true}
"""

RETURN = r"""
_raw: {description: A sentence for each problem., type: list, elements: str}
"""

from pathlib import Path
from typing import Any

from ansible.plugins.lookup import LookupBase

from ansible_collections.warren.load.tests.support.results_rules import results_problems


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: Any = None, **kwargs: Any) -> list[str]:
        """All problems of all folders."""
        return [problem for term in terms for problem in results_problems(Path(term))]
