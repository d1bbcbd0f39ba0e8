# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Seeded defects (off unless asked for) and repairs of real ones (Warren's own findings are on unless repaired)."""

from __future__ import annotations

import dataclasses

# name: (default number, what it does with the number)
DEFECTS: dict[str, tuple[float, str]] = {
    "slow-list": (300, "ListServices takes this many ms longer"),
    "leak": (4, "memory grows by this many MiB a second"),
    "leak-threads": (1, "this many threads a second are started that never end"),
    "leak-files": (1, "this many files a second are opened and never closed"),
    "kept-memory": (64, "each deleted service leaves this many KiB in memory"),
    "kept-threads": (1, "each deleted service leaves this many threads that never end"),
    "kept-files": (1, "each deleted service leaves this many files open"),
    "crash": (100, "the manager dies when it has acknowledged this many creates"),
    "orphan": (10, "every so-manyth container record is never deleted"),
    "freeze": (500, "everything stands still for this many ms every 5 s"),
    "lost-write": (10, "every so-manyth create is acknowledged but not stored"),
    "duplicate-write": (10, "every so-manyth create is stored twice"),
    "refused-create": (10, "every so-manyth create is refused"),
    "refused-update": (10, "every so-manyth UpdateService is refused"),
    "undead": (10, "every so-manyth deleted service is back a second later, until it is deleted again"),
    "short-handed": (10, "services so many seconds old have a container less than they should"),
    "late-schedule": (12, "the scheduler leaves a service alone for its first so many seconds"),
    "unnoticed": (0, "nodes that are silent are never taken for down"),
    "stranded": (0, "containers of a node that is down are never given up, so nothing replaces them"),
    "no-leader": (0, "this manager never knows a leader"),
    "join-quorum-loss": (0, "a `manager join` of dialect containers reaches the leader before it fails"),
}
REPAIRS: dict[str, str] = {
    "placement": "replicas spread over the nodes, where Warren puts all of one tick on one",
    "orphans": "DeleteService shuts its containers down, where Warren leaves them for ever",
    "register-crash": "RegisterNode without resources is refused, where Warren's process dies",
}


@dataclasses.dataclass(frozen=True)
class Defects:
    """``switches``: the number of each defect that is on; ``repairs``: the real findings that are off."""

    switches: dict[str, float] = dataclasses.field(default_factory=dict)
    repairs: frozenset[str] = frozenset()

    def __contains__(self, name: str) -> bool:
        return name in self.switches

    def number(self, name: str) -> float:
        """The number that goes with the defect ``name``."""
        return self.switches[name]

    def hits(self, name: str, count: int) -> bool:
        """Whether the defect ``name`` strikes the ``count``-th (from 1) occasion."""
        return name in self.switches and count % max(1, int(self.switches[name])) == 0


def parse_defects(texts: list[str], repairs: list[str]) -> Defects:
    """Defects from the texts of the command line, NAME or NAME=NUMBER; ValueError with a sentence for the user."""
    switches: dict[str, float] = {}
    for text in texts:
        name, equals, number = text.partition("=")
        if name not in DEFECTS:
            raise ValueError(f"--defect {text}: there is no such defect; choose from {', '.join(sorted(DEFECTS))}")
        try:
            switches[name] = float(number) if equals else DEFECTS[name][0]
        except ValueError:
            raise ValueError(f"--defect {text}: {number!r} is not a number") from None
    unknown = sorted(set(repairs) - REPAIRS.keys())
    if unknown:
        raise ValueError(f"--repair {unknown[0]}: there is no such repair; choose from {', '.join(sorted(REPAIRS))}")
    return Defects(switches, frozenset(repairs))
