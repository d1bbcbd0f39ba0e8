#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: simulator_archive
short_description: Put the simulator of Warren on a host, as one file
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Packs the simulator's managers and hollow workers, and what they need of this collection, into one file
    that a Python runs (C(python warren-simulator.pyz --help)).
  - The same sources always give the same bytes, so a second run changes nothing.
  - The Python that runs it needs grpcio, protobuf, pysyncobj and cryptography; the role P(warren.load.generator#role)
    provides one.
extends_documentation_fragment:
  - warren.load.attributes
attributes:
  check_mode:
    description: Can run in check mode and says whether the file would change.
    support: full
  action:
    description: Has an action plugin that packs the file on the controller.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
options:
  dest:
    description: Where the file goes. Its folder must exist.
    type: path
    required: true
  mode:
    description: The file's permissions.
    type: str
    default: "0644"
seealso:
  - module: warren.load.process
"""

EXAMPLES = r"""
- name: The simulator is in place
  warren.load.simulator_archive:
    dest: /var/tmp/warren-simulator.pyz
"""

RETURN = r"""
dest:
  description: Where the file is.
  returned: success
  type: str
  sample: /var/tmp/warren-simulator.pyz
sha256:
  description: The file's checksum.
  returned: success
  type: str
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
size:
  description: The file's size in bytes.
  returned: success
  type: int
  sample: 150000
"""
