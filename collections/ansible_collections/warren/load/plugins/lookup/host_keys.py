# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: host_keys
short_description: SSH arguments that accept a host's key once and pin it, in a file of the inventory's own
version_added: 0.1.0
author:
  - warren.load contributors (@warren-load)
description:
  - For C(ansible_ssh_common_args) of inventories whose hosts are made anew, and so have keys that nobody knows yet.
  - The key that a host shows first is accepted and kept below C(warren_load_state_dir); another one later is refused.
  - Makes the folder of that file, since ssh would go on without pinning if it were missing.
options:
  _terms:
    description: V(arguments) for the arguments, V(file) for the path of the file.
    default: [arguments]
"""

EXAMPLES = r"""
# group_vars/all.yml of an inventory
- name: Log in with pinned keys
  ansible.builtin.ping:
  vars:
    ansible_ssh_common_args: "{{ lookup('warren.load.host_keys') }}"
"""

RETURN = r"""
_raw:
  description: The arguments, or the path.
  type: list
  elements: str
"""

import os
import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.warren.load.plugins.plugin_utils import host_facts
from ansible_collections.warren.load.plugins.plugin_utils.cluster_facts import controller_state_dir
from ansible_collections.warren.load.plugins.plugin_utils.host_keys import known_hosts_file, ssh_arguments
from ansible_collections.warren.load.plugins.plugin_utils.public_variables import public_variables


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[str]:
        """The arguments or the path; see plugin_utils/host_keys."""
        public = public_variables(self._templar, self._loader, variables)
        sources = [str(source) for source in variables.get("ansible_inventory_sources") or []]
        path = known_hosts_file(controller_state_dir(public, os.environ), host_facts.derive(public, sources)["mark"])
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        except OSError as error:
            raise AnsibleLookupError(
                f"The keys of SSH hosts cannot be kept in {os.path.dirname(path)} ({error.strerror}): "
                "set warren_load_state_dir to a place that can be written to."
            ) from error
        found = {"file": path, "arguments": ssh_arguments(path, str(public.given("warren_load_host_id") or ""))}
        return [found[term] for term in terms or ["arguments"]]
