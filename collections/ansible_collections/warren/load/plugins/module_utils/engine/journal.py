# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal of a run: one line of JSON for each intent, before it is sent, and for each acknowledgement."""

from __future__ import annotations

import json
import os
import time
import typing as t
from pathlib import Path

if t.TYPE_CHECKING:
    from collections.abc import Iterator


class Journal:
    """Appends events to a file; every write() has reached the kernel when it returns, so a kill loses none of them.

    A journal that cannot be written (disk full) does not end the run: everything created carries the run's name and is
    found by it. What was lost is counted in ``lost`` and said in ``error``.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.lost = 0
        self.error: str | None = None
        self._torn = False  # the file may end within a line
        self._file: int | None = None
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            size = os.fstat(self._file).st_size
            self._torn = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"
        except OSError as error:
            self._failed(error, 0)

    def write(self, phase: str, *events: dict[str, t.Any]) -> None:
        """Append a batch of events; each gets ``t`` (Unix time in s) and ``phase`` in front."""
        now = round(time.time(), 6)
        lines = "".join(json.dumps({"t": now, "phase": phase, **event}, default=str) + "\n" for event in events)
        if self._file is None:
            self.lost += len(events)
            return
        data = (b"\n" if self._torn else b"") + lines.encode()
        try:
            while data:  # a write may be short where the disk is filling up
                data = data[os.write(self._file, data) :]
        except OSError as error:
            self._failed(error, len(events))
        self._torn = bool(data)

    def _failed(self, error: OSError, events: int) -> None:
        self.lost += events
        self.error = f"the journal {self.path} could not be written ({error.strerror})"

    def close(self) -> None:
        """Have the disk take what was written, and close."""
        if self._file is None:
            return
        try:
            os.fsync(self._file)
        except OSError as error:
            self._failed(error, 0)
        os.close(self._file)
        self._file = None


def read(path: str | os.PathLike[str]) -> Iterator[dict[str, t.Any]]:
    """The events of a journal in order; a line that was cut off is left out, and a missing file has no events."""
    if not Path(path).exists():
        return
    with Path(path).open("rb") as file:
        for line in file:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                yield event
