# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: cloud_hosts
short_description: What the settings, the inventory's file and a cloud's answer say about hosts in that cloud
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - Derives how many hosts C(hosts_up) makes in a cloud, of which types, where, whose and until when, from the public
    C(warren_load_*) variables and from the inventory's own file, and what is missing of them.
  - Changes nothing and asks no cloud.
options:
  _terms:
    description: None.
    required: false
  machines:
    description: What the cloud's info module returned. With it the result says what is missing.
    type: list
    elements: dict
  pricing:
    description: Hetzner's page of prices. The settings win.
    type: dict
    default: {}
  image:
    description: The image that the settings' one turned out to be.
    type: str
  ssh_from:
    description: From where SSH is allowed, if the settings do not say.
    type: list
    elements: str
  refused:
    description: What a cloud's module failed with. With it the result has a sentence about that.
    type: str
  where:
    description: What was looked through, in words.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show what would be made
  ansible.builtin.debug:
    msg: "{{ lookup('warren.load.cloud_hosts', machines=found.instances).plan.text }}"
"""

RETURN = r"""
_raw:
  description: >-
    One dictionary, among others with C(name), C(place), C(owner), C(counts), C(types), C(tags), and C(errors), a
    sentence for each wrong setting or missing library; with O(machines) also C(there) (a row a host),
    C(plan) and C(table), and with O(refused) C(sentence).
  type: list
  elements: dict
"""

import datetime as dt
import getpass
import os
import socket
import typing as t

from ansible.plugins.lookup import LookupBase

from ansible_collections.warren.load.plugins.plugin_utils import cloud_hosts
from ansible_collections.warren.load.plugins.plugin_utils.public_variables import public_variables


def owner() -> str:
    """Who calls, on which machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}.{socket.gethostname().partition('.')[0]}"


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[dict[str, t.Any]]:
        """One dictionary; see plugin_utils/cloud_hosts."""
        self.set_options(var_options=variables, direct=kwargs)
        now = dt.datetime.now(dt.UTC)
        around = cloud_hosts.Around(
            sources=[str(source) for source in variables.get("ansible_inventory_sources") or []],
            environment=os.environ,
            owner=owner(),
            now=now,
            read=lambda path: self._loader.load_from_file(path) or {},
        )
        facts = cloud_hosts.derive(public_variables(self._templar, self._loader, variables), around)
        machines = self.get_option("machines")
        there = None if machines is None else cloud_hosts.rows(facts["provider"], machines)
        refused = self.get_option("refused")
        if refused is not None:
            facts["sentence"] = cloud_hosts.refusal(facts, refused, there)
        if there is None:
            return [facts]
        facts["prices"] = {
            **cloud_hosts.hetzner_prices(self.get_option("pricing"), facts["place"]),
            **facts["prices"],
        }
        facts["image"] = self.get_option("image") or facts["image"]
        facts["ssh_from"] = facts["ssh_from"] or self.get_option("ssh_from") or []
        facts["there"] = there
        facts["plan"] = cloud_hosts.plan(facts, there, now)
        facts["table"] = cloud_hosts.table(there, now, self.get_option("where"))
        return [facts]
