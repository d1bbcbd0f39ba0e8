# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: hosts
short_description: What the warren_load variables say about the hosts to make
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - Derives which hosts C(hosts_up) makes, how, and how they are marked as this inventory's, from the public
    C(warren_load_*) variables.
  - Changes nothing and looks at no host.
options:
  _terms:
    description: None.
    required: false
"""

EXAMPLES = r"""
- name: Show what would be made
  ansible.builtin.debug:
    msg: "{{ lookup('warren.load.hosts').managers + lookup('warren.load.hosts').workers }}"
"""

RETURN = r"""
_raw:
  description: >-
    One dictionary with C(provider), C(managers) and C(workers) (names such as C(manager-1)), C(mark) (whose the hosts
    are), C(latency) and C(loss) of their network, C(confirm), and C(errors), a sentence for each wrong setting.
  type: list
  elements: dict
"""

import typing as t

from ansible.plugins.lookup import LookupBase

from ansible_collections.warren.load.plugins.plugin_utils import host_facts
from ansible_collections.warren.load.plugins.plugin_utils.public_variables import public_variables


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[dict[str, t.Any]]:
        """One dictionary; see plugin_utils/host_facts."""
        sources = [str(source) for source in variables.get("ansible_inventory_sources") or []]
        return [host_facts.derive(public_variables(self._templar, self._loader, variables), sources)]
