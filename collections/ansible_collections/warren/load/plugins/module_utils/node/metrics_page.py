# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Warren process's own pages: /metrics of a manager, the goroutines of a worker that was started with --enable-pprof.

PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on cluster nodes, every few seconds,
beside what it measures. Hence a plain socket: http.client and its parsers cost more memory than all of the rest.
"""

from __future__ import annotations

import re
import socket
import time
from urllib.parse import urlsplit

LARGEST = 4 << 20  # bytes of a page
SAMPLE = re.compile(r"^([A-Za-z_:][\w:]*(?:\{[^}\n]*\})?) (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$", re.MULTILINE)
GOROUTINES = re.compile(r"^goroutine profile: total (\d+)")
# Buckets are most of a page, and what its runtime counts besides is Go's own business.
NOISE = re.compile(r"_bucket\{|^go_(?!goroutines|threads|memstats_(heap_(alloc|inuse)|sys)_bytes)|^promhttp_")


def get(url: str, timeout: float, *, first_line: bool = False, largest: int = LARGEST) -> str:
    """The text at an http:// address, within ``timeout`` seconds in all, ``largest`` bytes of it at most.

    Raises OSError or ValueError.
    """
    where = urlsplit(url)
    if where.scheme != "http" or not where.hostname:
        raise ValueError(f"{url} is no http:// address")
    deadline = time.monotonic() + timeout
    path = (where.path or "/") + (f"?{where.query}" if where.query else "")
    answer = bytearray()
    with socket.create_connection((where.hostname, where.port or 80), timeout=timeout) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: {where.netloc}\r\n\r\n".encode("ascii"))
        while len(answer) < largest:
            if time.monotonic() > deadline:
                raise TimeoutError("timed out")
            part = connection.recv(65536)
            if not part:
                break
            answer += part
            if first_line and b"\n" in bytes(answer).partition(b"\r\n\r\n")[2]:
                break
    head, _empty, body = bytes(answer).partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    if len(words) < 2 or words[1] != b"200":
        raise OSError(f"it answers {head.splitlines()[0].decode('ascii', 'replace') if head else 'nothing'}")
    return body.decode("utf-8", "replace")


def values(text: str) -> dict[str, float]:
    """``{name{labels}: value}`` of a manager's page. ValueError for the page of anything but Warren."""
    # Prometheus itself listens on 9090 too, and tells its own memory under the same name.
    if "\nwarren_" not in "\n" + text:
        raise ValueError("it is not the metrics page of a Warren manager")
    return {name: float(value) for name, value in SAMPLE.findall(text) if not NOISE.search(name)}


def goroutines(text: str) -> int:
    """The number in the first line of /debug/pprof/goroutine?debug=1. ValueError where it is not there."""
    found = GOROUTINES.match(text)
    if found is None:
        raise ValueError("it is not a goroutine profile")
    return int(found.group(1))
