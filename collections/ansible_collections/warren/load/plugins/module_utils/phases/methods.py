# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be called to measure latency: reads, and the writes that change nothing.

Both writes are one Raft commit each and leave the cluster as it was, in both dialects (read in Warren's source, tried
on both programs). UpdateService sets a service of the run to the number of replicas that it has: Warren writes the
record again with a new updated_at, which neither its scheduler nor its reconciler looks at. DeleteSecret names an id
that no secret has: Warren commits the deletion of nothing. Creating is no such write: it would have to be undone.
"""

from __future__ import annotations

import itertools
import random
import typing as t

from ansible_collections.warren.load.plugins.module_utils.api.schema import message

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

READS = (
    "GetClusterInfo",
    "GetService",
    "ListContainers",
    "ListNodes",
    "ListSecrets",
    "ListServices",
    "ListVolumes",
)
WRITES = ("DeleteSecret", "UpdateService")
METHODS = (*READS, *WRITES)
DEFAULT = "ListServices"

Mix = dict[str, int]
"""How many parts of the calls each method has."""


def parse_mix(words: Iterable[str]) -> Mix:
    """A mix from words such as ``ListServices:8`` (``:1`` may be left out); ValueError says what is wrong with one."""
    mix: Mix = {}
    for word in words:
        name, _colon, weight = word.strip().partition(":")
        if name not in METHODS:
            raise ValueError(f"{name!r} is none of {', '.join(METHODS)}")
        if name in mix:
            raise ValueError(f"{name} is named twice")
        if weight and not (weight.isascii() and weight.isdigit() and 0 < int(weight) <= 1_000_000):
            raise ValueError(f"{word.strip()!r} must end in a whole number of parts, 1 or more, such as {name}:8")
        mix[name] = int(weight or 1)
    if not mix:
        raise ValueError(f"no method is named; name one of {', '.join(METHODS)}")
    return mix


def joined(mix: Iterable[str]) -> str:
    """The methods of a mix as one text."""
    return "+".join(mix)


def interleaved(mix: Mix, calls: int, seed: int) -> list[str]:
    """The method of each of ``calls`` calls, in an order drawn from ``seed``.

    The shares are those of the mix as exactly as whole calls allow.
    """
    total = sum(mix.values())
    ends = [calls * part // total for part in itertools.accumulate(mix.values())]
    starts = [0, *ends[:-1]]
    plan = [name for name, start, end in zip(mix, starts, ends, strict=True) for _call in range(end - start)]
    random.Random(seed).shuffle(plan)
    return plan


def requests(run_id: str, services: Sequence[t.Any]) -> dict[str, list[bytes]]:
    """The encoded requests that each method takes turns with; empty where it needs a service and there is none.

    ``services``: those of the run, and no others.
    """
    get, update = message("GetServiceRequest"), message("UpdateServiceRequest")
    special = {
        "GetService": [get(name=one.name).SerializeToString() for one in services],
        "UpdateService": [update(id=one.id, replicas=one.replicas).SerializeToString() for one in services],
        "DeleteSecret": [message("DeleteSecretRequest")(id=f"wl-{run_id}-no-secret").SerializeToString()],
    }
    return {name: special.get(name, [b""]) for name in METHODS}
