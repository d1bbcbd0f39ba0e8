# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.warren.load.plugins.module_utils.node.namespaces import mounted_below

MOUNTS = [
    "21 1 8:1 / / rw,relatime - ext4 /dev/sda rw",
    "22 21 0:5 / /run rw,nosuid master:3 - tmpfs tmpfs rw",
    "23 22 0:6 / /run/netns rw master:4 - tmpfs tmpfs rw",
    "24 23 0:4 net:[1] /run/netns/blue rw master:4 - nsfs nsfs rw",
    r"25 22 0:7 / /run/a\040b rw - tmpfs tmpfs rw",
    "26 21 0:8 / /runner rw shared:9 - tmpfs tmpfs rw",
]


def test_what_is_mounted_in_a_folder_is_told_from_the_inside_out() -> None:
    assert mounted_below("/run", MOUNTS) == ["/run/a b", "/run/netns/blue", "/run/netns"]
    assert mounted_below("/var", MOUNTS) == []


def test_what_is_shared_with_the_machine_is_never_unmounted() -> None:
    with pytest.raises(OSError, match="the mount is shared with the machine"):
        mounted_below("/run", [*MOUNTS, "27 22 0:9 / /run/lock rw shared:7 - tmpfs tmpfs rw"])
