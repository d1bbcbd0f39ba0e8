# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the seeded defects leak: memory, threads and open files that are kept for ever."""

from __future__ import annotations

import os
import threading
import typing as t

if t.TYPE_CHECKING:
    from .defects import Defects


class Leaks:
    """Keeps what ``defects`` say: with the time, and with each deleted service."""

    def __init__(self, defects: Defects) -> None:
        self._numbers = defects.switches
        self._memory: list[bytes] = []
        self._never = threading.Event()

    @property
    def with_time(self) -> bool:
        """Whether second() has anything to do."""
        return not self._numbers.keys().isdisjoint(("leak", "leak-threads", "leak-files"))

    async def second(self) -> None:
        """A second is over."""
        self._keep(self._number("leak") * 2**20, self._number("leak-threads"), self._number("leak-files"))

    def deleted_service(self) -> None:
        """A service was deleted."""
        self._keep(self._number("kept-memory") * 2**10, self._number("kept-threads"), self._number("kept-files"))

    def _number(self, name: str) -> float:
        return self._numbers.get(name, 0)

    def _keep(self, size: float, threads: float, files: float) -> None:
        if size:
            self._memory.append(b"\x01" * int(size))
        for _thread in range(int(threads)):
            threading.Thread(target=self._never.wait, daemon=True).start()
        for _file in range(int(files)):
            os.open(os.devnull, os.O_RDONLY)
