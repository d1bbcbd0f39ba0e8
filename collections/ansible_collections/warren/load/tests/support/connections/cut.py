# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""This machine as a host of its own, which cannot be reached while the file exists that CONNECTION_CUT names."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cut
short_description: This machine as a host that a test can cut off
description:
  - Runs commands here, as P(ansible.builtin.local#connection) does. Only for these tests.
"""

import os
import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as Local


class Connection(Local):
    transport = "cut"

    def _check(self) -> None:
        if os.path.exists(os.environ["CONNECTION_CUT"]):
            raise AnsibleConnectionFailure("Failed to connect to the host via ssh: No route to host")

    def exec_command(self, *args: t.Any, **options: t.Any) -> t.Any:
        self._check()
        return super().exec_command(*args, **options)

    def put_file(self, *args: t.Any) -> None:
        self._check()
        super().put_file(*args)

    def fetch_file(self, *args: t.Any) -> None:
        self._check()
        super().fetch_file(*args)
