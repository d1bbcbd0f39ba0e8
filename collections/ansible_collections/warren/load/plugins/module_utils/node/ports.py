# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that a program is going to listen on: `host:port`, or `udp:host:port`.

PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on cluster nodes.
"""

from __future__ import annotations

import errno
import os
import socket

from ansible_collections.warren.load.plugins.module_utils.node import process_table

UDP = "udp:"


def well_formed(address: str) -> bool:
    """Whether the address ends with a port."""
    number = address.rpartition(":")[2]
    return number.isascii() and number.isdigit() and 0 < int(number) < 65536


def taken(address: str) -> bool:
    """Whether somebody has the address. One that is not this host's, or that we may not use, counts as free."""
    datagrams = address.startswith(UDP)
    host, _colon, number = address[len(UDP) if datagrams else 0 :].rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM) as trial:
            if not datagrams:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what has just ended is no obstacle
            trial.bind((host, int(number)))
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return False


def owner(address: str) -> str:
    """Who has the address: `nginx (process 4711)`, or `another program` where that is not to be seen."""
    pid = process_table.listener(int(address.rpartition(":")[2]), datagrams=address.startswith(UDP))
    words = process_table.command_line(pid) if pid is not None else []
    return f"{os.path.basename(words[0])} (process {pid})" if words else "another program"
