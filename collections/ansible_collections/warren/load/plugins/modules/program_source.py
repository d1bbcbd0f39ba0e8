#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: program_source
short_description: Find a Warren program on the controller, or load it from where it is released
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - Tells which programs O(source) names, for which architecture each was built, and their checksums.
  - What is loaded from a URL must have the checksum O(sha256), and is kept in O(dest) for the next time.
extends_documentation_fragment:
  - warren.load.attributes
  - warren.load.attributes.controller
attributes:
  check_mode:
    description: A look at files. In check mode nothing is loaded from a URL.
    support: full
options:
  source:
    description:
      - A file on the controller, or an C(https) or C(http) URL of a program or of a C(.tar.gz) that holds one.
      - V({arch}) in it stands for the architecture, V(amd64) or V(arm64).
    type: str
    required: true
  sha256:
    description:
      - Checksum of the file or of what lies at the URL, for which it is needed. With V({arch}) in O(source), a
        dictionary of checksums by architecture; only those architectures are loaded.
    type: raw
  dest:
    description: The folder on the controller that loaded programs are kept in.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Find the program
  warren.load.program_source:
    source: https://example.org/warren-{arch}.tar.gz
    sha256:
      amd64: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    dest: /var/tmp/programs
"""

RETURN = r"""
files:
  description: By architecture (V(any) where the file does not tell), the program's C(path) and C(sha256).
  returned: success
  type: dict
  sample:
    amd64:
      path: /builds/warren-amd64
      sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
"""
