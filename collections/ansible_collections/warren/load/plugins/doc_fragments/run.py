# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What every phase of a run is told."""

    DOCUMENTATION = r"""
options:
  run_id:
    description:
      - The id of the run, such as V(20261123-120102-4f1a). The names of its services carry it.
    type: str
    required: true
  work_dir:
    description:
      - The run's folder on the host that runs the module.
      - The module keeps C(status.json) there, appends to C(journal.jsonl), and writes its samples.
      - It stops when the file C(lease) there, if it is there at all, has not been touched for 30 s.
    type: path
    required: true
  deadline:
    description: After how many seconds the phase ends with what it has.
    type: float
    default: 300.0
attributes:
  check_mode:
    description: Can run in check mode and changes nothing there.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
"""
