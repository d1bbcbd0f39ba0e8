#!/usr/bin/python
# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lima_vms
short_description: Lima's VMs of an inventory are up, or gone
version_added: 0.1.0
author: warren.load contributors (@warren-load)
description:
  - Makes and starts VMs with C(limactl), one after another, and removes those that the same inventory made.
  - A VM that is half-made, stopped, or I(Broken) is repaired. One that is up is left as it is.
  - Whether a VM's SSH answers is not waited for. Use M(ansible.builtin.wait_for_connection).
  - Runs on the controller.
extends_documentation_fragment:
  - warren.load.attributes
  - warren.load.attributes.controller
attributes:
  check_mode:
    description: Can run in check mode. Then it says what it would do.
    support: full
options:
  state:
    description:
      - V(present) makes and starts O(vms). VMs that are not among them stay.
      - V(absent) removes every VM with this O(mark).
      - V(listed) only tells which VMs there are.
    type: str
    choices: [present, absent, listed]
    default: present
  mark:
    description: Whose the VMs are, such as the inventory's path. It is kept in C(env) of their C(lima.yaml).
    type: str
    required: true
  vms:
    description: The VMs that are to be. Needed for V(present).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The VM's name.
        type: str
        required: true
      role:
        description: Its role in Warren's cluster, V(manager), V(worker) or V(generator).
        type: str
        required: true
      definition:
        description: Its C(lima.yaml), with C(cpus), C(memory) and C(disk).
        type: dict
        required: true
  limactl:
    description: The program, as a path or a name on C(PATH).
    type: str
    default: limactl
  lima_home:
    description: The directory that Lima keeps its instances in. By default that in E(LIMA_HOME), else C(~/.lima).
    type: str
  state_dir:
    description: >-
      Where notes on VMs that are being made lie. By default C($XDG_STATE_HOME/warren-load) or
      C(~/.local/state/warren-load).
    type: str
  start_timeout:
    description: Seconds that the start of one VM may take.
    type: float
    default: 600
  list_timeout:
    description: Seconds that C(limactl list) may take.
    type: float
    default: 30
  clone_from:
    description: >-
      From how many new VMs on one VM is made, booted once, stopped and cloned, which is faster. V(0) is never. Lima can
      clone from 1.2 on.
    type: int
    default: 0
  golden:
    description: That VM's name.
    type: str
    default: warren-golden
  emulation:
    description: Whether to go on without KVM, or for another architecture than this machine's.
    type: bool
    default: false
  disk_each:
    description: How much disk a VM is expected to take.
    type: str
    default: 3GiB
"""

EXAMPLES = r"""
- name: A VM runs
  warren.load.lima_vms:
    mark: my-inventory
    vms:
      - name: warren-manager-1
        role: manager
        definition:
          images: [{location: "/srv/images/debian-13.qcow2"}]
          cpus: 1
          memory: 1GiB
          disk: 8GiB
          plain: true
          networks: [{lima: user-v2}]

- name: All that it made are gone
  warren.load.lima_vms:
    mark: my-inventory
    state: absent
"""

RETURN = r"""
done:
  description: What was done, or in check mode would be, in the order in which it was done.
  returned: success, with V(present) and V(absent)
  type: list
  elements: str
  sample: [warren-manager-1 was made, warren-manager-1 was started]
vms:
  description: The VMs that there are, those of others too.
  returned: with V(listed)
  type: list
  elements: dict
  contains:
    name:
      description: The VM's name.
      returned: always
      type: str
      sample: warren-manager-1
    status:
      description: Its status in Lima's words.
      returned: always
      type: str
      sample: Running
    role:
      description: Its role in Warren's cluster, empty for none.
      returned: always
      type: str
      sample: manager
    mark:
      description: Which inventory made it, empty for none.
      returned: always
      type: str
      sample: /home/me/warren/inventories/lima
    mine:
      description: Whether that is O(mark).
      returned: always
      type: bool
      sample: true
    cpus:
      description: Its CPUs, if they are known.
      returned: always
      type: int
      sample: 1
    memory:
      description: Its memory in bytes, if that is known.
      returned: always
      type: int
      sample: 1073741824
"""
