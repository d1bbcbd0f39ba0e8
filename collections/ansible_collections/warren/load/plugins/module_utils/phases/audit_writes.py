# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""After a fault: is every acknowledged create there once, and no refused one at all?"""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.warren.load.plugins.module_utils.api.cluster import ENQUEUE_SLACK, ENQUEUE_TIMEOUT
from ansible_collections.warren.load.plugins.module_utils.api.run_names import run_id_of
from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from ansible_collections.warren.load.plugins.module_utils.engine import journal
from ansible_collections.warren.load.plugins.module_utils.engine.write_audit import (
    AMBIGUOUS,
    audit,
    measurements,
    sentences,
    writes,
)

from .observing import check_run_id

if t.TYPE_CHECKING:
    from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster
    from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter

LEADER_PATIENCE = 30.0  # seconds
SETTLES = ENQUEUE_TIMEOUT + ENQUEUE_SLACK  # seconds after which a write can take effect no more, and may be sent again


@dataclasses.dataclass(frozen=True)
class Options:
    """``run_id``: whose creates; its journal lies in the phase's work_dir."""

    run_id: str

    def __post_init__(self) -> None:
        check_run_id(self.run_id)


async def run(cluster: Cluster, options: Options, reporter: Reporter) -> dict[str, t.Any]:
    """Compare the journal with what the leader lists; measurements as M(audit_writes) documents them."""
    said = {
        name: write
        for name, write in writes(journal.read(reporter.work_dir / "journal.jsonl")).items()
        if run_id_of(name) == options.run_id
    }
    if not said:
        raise ValueError(f"the journal in {reporter.work_dir} knows no create of run {options.run_id}: create first")
    reporter.progress(0, len(said), "writes", f"{len(said)} creates to look for", now=True)
    # What was sent last and never answered may be proposed until then.
    unsettled = max((write.time for write in said.values() if write.said == AMBIGUOUS), default=0.0)
    await reporter.pause(unsettled + SETTLES - time.time())
    # A write without effect: its leader has taken all those before it once it is acknowledged.
    barrier = message("DeleteServiceRequest")(id=f"barrier-audit-{options.run_id}")
    deadline = max(1.0, min(LEADER_PATIENCE, reporter.time_left()))
    answer = await cluster.write("DeleteService", barrier, deadline)
    listed = (await cluster.read("ListServices", manager=answer.manager)).services
    found = audit(said, [(one.name, one.id) for one in listed if run_id_of(one.name) == options.run_id], SETTLES)
    reporter.problems.extend(sentences(found))
    verdict = "all as acknowledged" if found.kept else f"{measurements(found)['broken']} are not as acknowledged"
    reporter.progress(len(said), len(said), "writes", f"{len(said)} creates looked for, {verdict}", now=True)
    return {"manager": answer.manager, "listed": len(listed), **measurements(found)}
