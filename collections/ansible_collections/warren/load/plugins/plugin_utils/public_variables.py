# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The public variables as a lookup sees them: templated, with what the command line said told apart."""

from __future__ import annotations

import functools
import os
import re
import typing as t

from ansible.utils.vars import load_extra_vars

from .cluster_facts import SHORT_NAMES, Public
from .places import COLLECTION


@functools.cache
def known() -> frozenset[str]:
    """Their names: those that role cluster documents."""
    with open(os.path.join(COLLECTION, "roles/cluster/meta/argument_specs.yml"), encoding="utf-8") as stream:
        return frozenset(re.findall(r"^ +(warren_load_\w+):", stream.read(), re.MULTILINE))


def public_variables(templar: t.Any, loader: t.Any, variables: t.Mapping[str, t.Any]) -> Public:
    """Those among a host's variables; ``templar`` and ``loader`` are the lookup's."""
    given = {
        name: templar.template(value)
        for name, value in variables.items()
        if name.startswith("warren_load_") or name in SHORT_NAMES
    }
    return Public(given, known(), frozenset(load_extra_vars(loader)))
