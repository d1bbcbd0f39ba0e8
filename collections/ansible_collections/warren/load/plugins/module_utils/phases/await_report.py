# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the containers of a run came, tick by tick, and why some are missing, as far as it can be seen from the API.

Pure functions of the records of a cluster. Warren's timers: the scheduler looks every 5 s, a worker reports every 5 s.
"""

from __future__ import annotations

import math
import typing as t
from collections import Counter

from ansible_collections.warren.load.plugins.module_utils.api.timers import HEARTBEAT, SCHEDULER_TICK
from ansible_collections.warren.load.plugins.module_utils.objectives.units import many

from .observing import is_running, nanoseconds, ready_workers

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_TICKS = 200  # rows; a longer wait has longer ones
MOST_NODES = 3  # that are named in a sentence each
PAUSE = 1.0  # seconds without a new record that part two ticks: within one they are some ms apart

Row = dict[str, t.Any]


def tick_length(seconds: float) -> float:
    """Seconds of a row: a tick of Warren's scheduler, or so many of them that no more than MOST_TICKS rows come out."""
    return SCHEDULER_TICK * max(1, math.ceil(seconds / SCHEDULER_TICK / MOST_TICKS))


def ticks(created: Sequence[tuple[float, int]], assigned: Sequence[float], running: Sequence[float]) -> list[Row]:
    """Rows ``{t, created, assigned, running}``: how many containers were so far ``t`` s after the first create.

    ``created``: when each service was created, and of how many containers; ``assigned``: when each got its record and
    node (one step in Warren); ``running``: when each was first seen running. All in s since the first create.
    """
    last = max((0.0, *(moment for moment, _count in created), *assigned, *running))
    step = tick_length(last)
    rows = []
    for number in range(1, max(1, math.ceil(last / step)) + 1):
        end = number * step
        rows.append(
            {
                "t": end,
                "created": sum(count for moment, count in created if moment <= end),
                "assigned": sum(moment <= end for moment in assigned),
                "running": sum(moment <= end for moment in running),
            }
        )
    return rows


def scheduler_ticks(placed: Iterable[tuple[float, str, str]], running: Sequence[float]) -> dict[str, t.Any]:
    """``{count, largest, rows}``: what each tick of the scheduler itself did, told by the records that it made.

    ``placed``: when each container got its record, of which service (its id), and its node; ``running`` as for
    ticks(). Rows are ``{t, duration, containers, services, nodes: {name: containers}, running}``: begun ``t`` s after
    the first create, ``running`` in all by its end; the first MOST_TICKS of them. A tick goes through the services in
    the order of their ids, so that a new one has begun where that order does, or after a pause.
    """
    groups: list[list[tuple[float, str, str]]] = []
    for one in sorted(placed, key=lambda each: each[0]):
        last = groups[-1][-1] if groups else None
        if last is None or one[1] < last[1] or one[0] - last[0] > PAUSE:
            groups.append([])
        groups[-1].append(one)
    rows = [
        {
            "t": group[0][0],
            "duration": group[-1][0] - group[0][0],
            "containers": len(group),
            "services": len({service for _at, service, _node in group}),
            "nodes": dict(sorted(Counter(node for _at, _service, node in group).items())),
            "running": sum(moment <= group[-1][0] for moment in running),
        }
        for group in groups[:MOST_TICKS]
    ]
    return {"count": len(groups), "largest": max((len(group) for group in groups), default=0), "rows": rows}


def missing(
    records: Iterable[t.Any],
    nodes: Sequence[t.Any] | None,
    *,
    unscheduled: int,
    lost: int,
    silent: float,
    now: float,
) -> list[str]:
    """Sentences on what is missing and why, as far as it can be seen.

    ``records``: the run's, as last seen; ``nodes``: None where they could not be read; ``unscheduled``: containers
    without a record; ``lost``: acknowledged services that the cluster does not have; ``silent``: s since a new record
    was seen; ``now``: Unix s.
    """
    wanted = [one for one in records if one.desired_state == "running" and not is_running(one)]
    down = {node.id for node in nodes or () if node.status == "down"}
    failed = [one for one in records if one.actual_state == "failed" and not (one.node_id in down and not one.error)]
    ready = None if nodes is None else ready_workers(list(nodes))
    found = []
    if lost:
        found.append(f"{many(lost, 'acknowledged service')} cannot be found on the cluster any more.")
    if unscheduled:
        found.append(_unscheduled(unscheduled, ready, silent))
    unassigned = sum(not one.node_id for one in wanted)
    if unassigned:
        found.append(f"{many(unassigned, 'container')} with a record but no node: the scheduler did not assign them.")
    waiting = Counter(one.node_id for one in wanted if one.node_id and one.actual_state != "failed")
    by_id = {node.id: node for node in nodes or ()}
    for name, count in waiting.most_common(MOST_NODES):
        trouble = _node_trouble(by_id.get(name), nodes is not None, now)
        found.append(f"{many(count, 'container')} on {name} not running yet{trouble}.")
    if len(waiting) > MOST_NODES:
        others = sum(count for _name, count in waiting.most_common()[MOST_NODES:])
        found.append(f"{many(others, 'container')} on {len(waiting) - MOST_NODES} other nodes not running yet.")
    found += [_down(node, now) for node in nodes or () if node.id not in waiting and node.status == "down"][:MOST_NODES]
    if nodes and not ready:
        found.append(
            f"None of {many(len(nodes), 'node')} is ready: a worker reports to one manager for its life, and only the "
            "leader takes that, so all are lost once another manager leads; playbook cluster-up starts them anew."
        )
    return found + _failures(failed)


def _unscheduled(count: int, ready: list[str] | None, silent: float) -> str:
    what = f"{many(count, 'container')} without a record"
    if ready == []:
        return f"{what}: no worker is ready, and Warren creates no containers without one."
    if silent > SCHEDULER_TICK:
        return f"{what}: the scheduler is behind, it has created none for {silent:.0f} s, and its tick is 5 s."
    return f"{what}: the scheduler was still creating them."


def _node_trouble(node: t.Any, known: bool, now: float) -> str:
    """What ails a node whose containers do not run, as the end of a sentence."""
    if not known:
        return ""
    if node is None:
        return ": the node is not registered any more"
    age = now - nanoseconds(node.last_heartbeat) / 1e9
    if node.status != "ready":
        return f": the node is {node.status}, and its last heartbeat was {age:.0f} s ago"
    if age > 2 * HEARTBEAT:
        return f": its last heartbeat was {age:.0f} s ago and one is due every 5 s, so what runs there is not told"
    return ", though its heartbeats are in time"


def _down(node: t.Any, now: float) -> str:
    age = now - nanoseconds(node.last_heartbeat) / 1e9
    return f"{node.id} is {node.status}: its last heartbeat was {age:.0f} s ago."


def _failures(failed: list[t.Any]) -> list[str]:
    """A sentence for each text of an error, the most frequent three, and one for those without a text."""
    texts = Counter(" ".join(one.error.split()) for one in failed)
    silent = texts.pop("", 0)
    found = [f"{many(count, 'container')} failed: {text[:200].rstrip('.')}." for text, count in texts.most_common(3)]
    if silent:
        images = sorted({one.image for one in failed if not one.error.split() and one.image})
        of = f" of {images[0]}" if len(images) == 1 else ""
        found.append(
            f"{many(silent, 'container')}{of} failed without a text: Warren tells why only in the worker's log, and "
            "an image that cannot be pulled is its most frequent reason (is warren_load_image fully qualified?)."
        )
    return found
