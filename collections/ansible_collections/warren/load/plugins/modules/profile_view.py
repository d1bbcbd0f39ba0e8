#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: profile_view
short_description: Show what a profile of a Go program says
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Prints what C(go tool pprof) answers to C(-top), C(-top -cum), C(-list) and C(-peek), and the same by package and by
    stack, with the same numbers. Go is not needed, nor the source; lines are named by their numbers.
  - A heap profile is a sample. So each of its figures stands with its 95 % interval, and growth that is more than
    chance is told. Of a profile less itself it is said that nothing changed.
  - Runs on the controller, with Python's standard library alone.
extends_documentation_fragment:
  - warren.load.attributes
  - warren.load.attributes.controller
attributes:
  check_mode:
    description: Can run in check mode.
    support: full
options:
  file:
    description: The profile, as M(warren.load.profile) fetched it or any Go program served it.
    type: path
    default: ""
  view:
    description:
      - V(top) has the functions by what they took themselves, V(cum) by what they and all that they called took.
      - V(packages) has the packages, V(stacks) the stacks, as for goroutines.
      - V(list) has the lines of O(function), V(peek) its callers and what it calls.
    type: str
    choices: [top, cum, packages, list, peek, stacks]
    default: top
  function:
    description: Which functions V(list) and V(peek) show, a regular expression.
    type: str
    default: ""
  base:
    description: A profile of the same kind that is subtracted. Shares are of the difference, as with C(-base).
    type: path
    default: ""
  diff_base:
    description: The same, with shares of this profile, as with C(-diff_base).
    type: path
    default: ""
  sample_type:
    description: Which of the values is shown, such as V(alloc_space). By default the one that the profile names.
    type: str
    default: ""
  rows:
    description: How many rows are printed at most. V(0) prints all.
    type: int
    default: 20
"""

EXAMPLES = r"""
- name: What holds the manager's CPU
  warren.load.profile_view:
    file: results/latest/profiles/manager-1-load-cpu.pb.gz
    view: cum

- name: What grew
  warren.load.profile_view:
    file: results/latest/profiles/manager-1-after-heap.pb.gz
    base: results/latest/profiles/manager-1-baseline-heap.pb.gz
"""

RETURN = r"""
rows:
  description: >-
    All rows of the view, whole numbers in the sample type's unit. In those of a heap C(low) and C(high) are the
    interval of C(flat) or C(value), C(cum_low) and C(cum_high) that of C(cum), and of what lives in two heaps
    C(significant) says whether C(flat) grew by more than chance. View V(stacks) has C(labels).
  returned: success
  type: list
  elements: dict
  sample:
    - name: github.com/cuemby/warren/pkg/storage.(*BoltStore).ListContainers.func1
      flat: 1048576
      cum: 4194304
      inlined: ""
      low: 524288.0
      high: 1835008.0
      cum_low: 3145728.0
      cum_high: 5505024.0
"""
