# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What every module that measures calls is told about them."""

    DOCUMENTATION = r"""
options:
  methods:
    description:
      - The RPCs to call, by their names in dialect V(containers), each with its parts of the calls, such as
        V(ListServices:8). Without a number it has one part. Their order is drawn from O(seed).
      - The reads are V(GetClusterInfo), V(GetService), V(ListContainers), V(ListNodes), V(ListSecrets),
        V(ListServices) and V(ListVolumes).
      - The writes are V(UpdateService), which sets services of the run to the replicas that they have, and
        V(DeleteSecret), which names an id that no secret has. Both are one Raft commit and change nothing.
    type: list
    elements: str
    default: [ListServices]
  arrivals:
    description: V(poisson) as from independent users, V(uniform) as by a metronome.
    type: str
    choices: [poisson, uniform]
    default: poisson
  seed:
    description: What the arrivals are drawn from. The same seed draws the same arrivals.
    type: int
    default: 1
  outstanding:
    description:
      - How many planned calls may be outstanding at a time. What is due beyond is counted as unsent and not sent late.
    type: int
    default: 1000
  timeout:
    description: After how many seconds a call is given up.
    type: float
    default: 10.0
  manager:
    description: The name of the manager to ask. By default the leader.
    type: str
  shares_host_with:
    description: What else runs on the host that sends, for the audit.
    type: list
    elements: str
    default: []
"""
