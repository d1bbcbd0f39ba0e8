# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings: sentences that the run has evidence for. Each rule is a pure function of the measurements."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.warren.load.plugins.module_utils.api.timers import SCHEDULER_TICK
from ansible_collections.warren.load.plugins.module_utils.node.fault_kinds import FATAL
from ansible_collections.warren.load.plugins.module_utils.objectives.judging import audit_reasons
from ansible_collections.warren.load.plugins.module_utils.objectives.units import many, number

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEVERITIES = ("problem", "warning", "note")
"""Most serious first: something went wrong; something limits what the numbers mean; something to know."""

# MB/min from which growth of memory is worth a warning: the limits of the objectives that ask for it.
BOUNDED, PLATEAU = 4.0, 1.0
_OMISSION = "While the server stalls, a closed loop asks less, so that its times hide the stall (coordinated omission)."


@dataclasses.dataclass(frozen=True)
class Finding:
    """``sentence`` is what was seen, ``because`` what is known of the reason (or empty)."""

    id: str
    severity: str
    sentence: str
    because: str = ""


class Evidence:
    """The measurements and what belongs to them, with look-ups that survive what was not measured."""

    def __init__(self, document: dict[str, t.Any]) -> None:
        self.measurements: dict[str, t.Any] = document.get("measurements") or {}
        self.audit: dict[str, t.Any] = document.get("audit") or {}
        run = document.get("run") or {}
        self.marks: list[str] = run.get("marks") or []
        self.phases: list[dict[str, t.Any]] = run.get("phases") or []
        self.keep = bool(run.get("keep"))
        self.scenario = str(run.get("scenario") or "load")

    def get(self, path: str) -> t.Any:
        """What is at ``path`` (``await.placement``), or None."""
        return lookup(self.measurements, path)

    def value(self, path: str) -> float | None:
        """The number at ``path``, whether it stands alone or in ``{"value": ...}``."""
        return value_of(self.get(path))

    def count(self, path: str) -> int:
        """The number at ``path`` as a count, 0 where it was not measured."""
        return int(self.value(path) or 0)

    def counts(self, path: str) -> dict[str, int]:
        """The {text: count} at ``path``, largest first."""
        found = self.get(path)
        if not isinstance(found, dict):
            return {}
        pairs = [(str(name), int(value_of(entry) or 0)) for name, entry in found.items()]
        return dict(sorted((pair for pair in pairs if pair[1]), key=lambda pair: (-pair[1], pair[0])))


def lookup(tree: t.Any, path: str) -> t.Any:
    """What is at a dotted path of a tree of dicts, or None."""
    for name in path.split("."):
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree


def value_of(entry: t.Any) -> float | None:
    """The number in a measured value, which is a number or a dict with ``value``; None where there is none."""
    if isinstance(entry, dict):
        entry = entry.get("value")
    return float(entry) if isinstance(entry, (int, float)) and not isinstance(entry, bool) else None


def find(document: dict[str, t.Any]) -> list[Finding]:
    """All findings of a results document, most serious first."""
    evidence = Evidence(document)
    found = [
        dataclasses.replace(finding, sentence=finding.sentence.rstrip(".") + ".")
        for rule in RULES
        for finding in rule(evidence)
    ]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def phases_failed(evidence: Evidence) -> Iterator[Finding]:
    for phase in evidence.phases:
        if phase.get("status") == "failed":
            reason = " ".join(str(phase.get("error") or "no reason was given").split())
            yield Finding(
                f"phase-failed-{phase.get('name')}", "problem", f"The phase {phase.get('name')} failed: {reason}"
            )


def audit_void(evidence: Evidence) -> Iterator[Finding]:
    if reasons := audit_reasons(evidence.audit):
        yield Finding(
            "audit-void",
            "warning",
            f"The generator could not keep up with its plan: {'; '.join(reason.rstrip('.') for reason in reasons)}",
            "Its delay is in the response times: what passes all the same passes, the rest says nothing about Warren. "
            "Use a generator with an idle CPU of its own.",
        )


def creations(evidence: Evidence) -> Iterator[Finding]:
    services = evidence.count("create.services")
    failed, ambiguous = evidence.count("create.failed"), evidence.count("create.ambiguous")
    if failed:
        causes = _listed(evidence.counts("create.causes"))
        yield Finding("create-failed", "problem", f"{failed} of {services} creates failed{causes}")
    if ambiguous:
        yield Finding(
            "create-ambiguous",
            "problem",
            f"The outcome of {many(ambiguous, 'create')} is unknown: no answer came, and the name was not found",
        )
    if left_out := evidence.count("create.left_out"):
        yield Finding("create-left-out", "problem", f"{left_out} of {services} creates were not sent any more")
    if found := evidence.count("create.found"):
        yield Finding("create-found", "note", f"{many(found, 'service')} whose create got no answer had been created")
    if retries := evidence.count("create.retries"):
        yield Finding(
            "create-retries", "note", f"{many(retries, 'create')} had to be sent again, to another manager or later"
        )


def running(evidence: Evidence) -> Iterator[Finding]:
    expected, at_end = evidence.value("await.expected"), evidence.value("await.running")
    if expected is None or at_end is None or at_end >= expected:
        return
    states = {name: count for name, count in evidence.counts("await.states").items() if name != "running"}
    if missing := evidence.count("await.unscheduled"):
        states["without a record"] = missing
    duration = evidence.value("await.duration")
    after = f" after {number(duration)} s" if duration is not None else ""
    because = ""
    if evidence.count("hollow.missed_deadlines"):
        because = "Workers missed the deadlines of their heartbeats, which are all that tells the managers what runs."
    elif not evidence.count("await.nodes_ready"):
        because = "No node was ready, and Warren creates no containers without one."
    seen = evidence.get("await.missing")
    if isinstance(seen, list) and seen:
        because = " ".join([*map(str, seen), *([because] if because.startswith("Workers missed") else [])])
    yield Finding(
        "not-running",
        "problem",
        f"{int(at_end)} of {int(expected)} containers ran{after}{_listed(states, 'the others')}",
        because,
    )


def placement(evidence: Evidence) -> Iterator[Finding]:
    nodes = evidence.counts("await.placement")
    total = sum(nodes.values())
    ready = max(evidence.count("await.nodes_ready"), len(nodes))
    if total < 2 or ready < 2:
        return
    name = max(nodes, key=lambda node: nodes[node])
    most = nodes[name]
    because = (
        "Warren's scheduler gives all replicas that it places in one tick to the node that has the fewest of that "
        "service, and ties go to the smallest node id."
    )
    if most == total:
        yield Finding(
            "placement", "warning", f"{total} of {total} containers were placed on one node of {ready}", because
        )
    elif most >= 2 * total / ready or most > 0.6 * total:
        sentence = f"{most} of {total} containers were placed on {name}, one node of {ready}"
        yield Finding("placement", "warning", sentence, because)
    elif len(nodes) < ready:
        yield Finding("placement", "note", f"{total} containers were placed on {len(nodes)} nodes of {ready}")


def scheduling(evidence: Evidence) -> Iterator[Finding]:
    p99 = evidence.value("await.scheduling_latency.p99")
    if p99 is None:
        return
    if p99 <= SCHEDULER_TICK:
        sentence = f"Scheduling took {number(p99)} s at p99, which is within one 5 s tick of Warren's scheduler"
        yield Finding("scheduling", "note", sentence)
    else:
        sentence = (
            f"Scheduling took {number(p99)} s at p99, {number(p99 - SCHEDULER_TICK)} s more than one scheduler tick"
        )
        yield Finding("scheduling", "warning", sentence)


def burst(evidence: Evidence) -> Iterator[Finding]:
    """How the scheduler took a burst of creates."""
    rows = evidence.get("await.scheduler.rows")
    if evidence.scenario != "scheduler-burst" or not isinstance(rows, list) or not rows:
        return
    ticks, largest = evidence.count("await.scheduler.ticks"), evidence.count("await.scheduler.largest")
    placed = evidence.count("await.expected") - evidence.count("await.unscheduled")
    sentence = f"The scheduler placed {many(placed, 'container')} in {many(ticks, 'tick')}"
    if ticks > 1:
        sentence += f", {largest} of them in the largest"
    yield Finding("burst", "note", sentence)
    longest = max(float(row["duration"]) for row in rows)
    if longest > SCHEDULER_TICK:
        yield Finding(
            "burst-long-tick",
            "warning",
            f"A tick of the scheduler took {number(longest)} s, and one is due every 5 s",
            "Warren scans every container once for every service, and commits each new record by itself; ticks that "
            "are due meanwhile are dropped.",
        )


def heartbeats(evidence: Evidence) -> Iterator[Finding]:
    if missed := evidence.count("hollow.missed_deadlines"):
        yield Finding(
            "heartbeats-missed",
            "problem",
            f"Hollow workers missed {many(missed, 'heartbeat deadline')}: the managers are overloaded",
            "A heartbeat commits once for every container on its node and has to end within 5 s.",
        )
    if errors := evidence.counts("hollow.errors"):
        yield Finding(
            "worker-errors", "warning", f"Hollow workers met {many(sum(errors.values()), 'error')}{_listed(errors)}"
        )


def latency(evidence: Evidence) -> Iterator[Finding]:
    calls = evidence.count("latency.calls")
    if errors := evidence.count("latency.error_count"):
        causes = _listed(evidence.counts("latency.errors"))
        yield Finding("latency-errors", "problem", f"{errors} of {calls} measured calls failed{causes}")
    if unsent := evidence.count("latency.unsent"):
        sentence = f"{unsent} of {calls} planned calls were not sent, because too many were outstanding"
        yield Finding("latency-unsent", "problem", sentence)
    planned, achieved = evidence.value("latency.rate_planned"), evidence.value("latency.rate_achieved")
    if planned and achieved is not None and achieved < 0.9 * planned:
        sentence = f"{number(achieved)} calls a second were made where {number(planned)} were planned"
        yield Finding("latency-rate", "warning", sentence)
    if evidence.count("latency.concurrency"):
        yield Finding(
            "closed-loop",
            "warning",
            f"Latency was measured in a closed loop of {evidence.count('latency.concurrency')} callers, so no "
            "objective judges it",
            _OMISSION,
        )
    lag, response = evidence.value("latency.send_lag.p99"), evidence.value("latency.response_time.p99")
    if lag is not None and response and lag > 1.0 and lag > 0.5 * response:
        yield Finding(
            "send-lag",
            "warning",
            f"{number(lag)} of the {number(response)} ms response time at p99 are the generator's own send lag",
        )


def throughput(evidence: Evidence) -> Iterator[Finding]:
    for part, what in (("ab", "with several outstanding"), ("parallel", "by parallel clients")):
        if errors := evidence.count(f"throughput.{part}.error_count"):
            causes = _listed(evidence.counts(f"throughput.{part}.errors"))
            calls = evidence.count(f"throughput.{part}.calls")
            yield Finding(f"throughput-errors-{part}", "problem", f"{errors} of {calls} calls {what} failed{causes}")
    highest = evidence.value("throughput.highest_rate")
    if highest:
        yield Finding(
            "throughput",
            "note",
            f"The server answered up to {highest:.0f} calls a second; objectives judge the planned calls at half of "
            "that rate, and no closed loop",
            _OMISSION,
        )


def writes_kept(evidence: Evidence) -> Iterator[Finding]:
    for defect, text in (
        ("lost", "acknowledged, and gone after the fault"),
        ("doubled", "there more than once after the fault"),
        ("resurrected", "refused, and there after the fault all the same"),
        ("unasked", "there after the fault, and never asked for"),
    ):
        if count := evidence.count(f"audit_writes.{defect}"):
            verb = "is" if count == 1 else "are"
            yield Finding(
                f"writes-{defect}",
                "problem",
                f"{many(count, 'service')} {verb} {text}",
                "Each create in the journal was looked for on the leader; measurements.audit_writes has names.",
            )


def held(evidence: Evidence) -> Iterator[Finding]:
    """What became of a load that was held."""
    if short := evidence.count("hold.short_looks"):
        least = evidence.value("hold.running_least")
        sentence = f"At {short} of {many(evidence.count('hold.looks'), 'look')} not all containers of the load ran"
        yield Finding("load-short", "problem", f"{sentence}, {number(least or 0)} % of them at worst")
    churn = evidence.get("hold.churn")
    if not isinstance(churn, dict):
        return
    left, deleted = churn["records_left"], churn["deleted"]
    if left:
        rest = f"; the run removed {churn['records_purged']}" if churn["purge"] else ", where they stayed"
        yield Finding(
            "churn-records",
            "warning",
            f"{many(deleted, 'service')} that {'was' if deleted == 1 else 'were'} replaced left "
            f"{many(left, 'container record')} behind{rest}",
            "DeleteService removes only the service, and no call removes a container record.",
        )
    if churn["late"]:
        sentence = f"{churn['late']} of {many(churn['cycles'], 'churn')} took longer than the interval between them"
        yield Finding("churn-late", "note", f"{sentence}: give a longer warren_load_churn_interval")
    if churn["slow"]:
        sentence = f"The containers of {many(churn['slow'], 'replaced service')} did not run within 60 s"
        yield Finding("churn-slow", "warning", sentence)


def leaked(evidence: Evidence) -> Iterator[Finding]:
    """What a cluster keeps of services that were deleted."""
    churned, each = evidence.count("leaks.churned"), evidence.value("leaks.container_records")
    if not churned:
        return
    if each:
        running = evidence.count("leaks.still_running")
        still = f", and {running} of them are still to run" if running else ""
        yield Finding(
            "leaked-records",
            "problem",
            f"Warren leaks container records: {churned} services were deleted and {round(each * churned)} records of "
            f"theirs stayed, {number(each)} for each{still}",
            "DeleteService removes only the service. Nothing removes the records, or stops their containers.",
        )
    elif each == 0:
        yield Finding("no-leaked-records", "note", f"{churned} deleted services left no container record behind")
    rows = evidence.get("leaks.held")
    for row in rows if isinstance(rows, list) else []:
        if row["grew"] and row["what"] in _LEAKED:
            figure = row["per_service"]
            span = f" ({number(figure['low'])} to {number(figure['high'])})" if figure["low"] != figure["high"] else ""
            sentence = f"{row['process']} keeps {number(figure['value'])} {row['unit']}{span} {_LEAKED[row['what']]}"
            because = _WHY_DATABASE if row["what"] == "database" and each else ""
            yield Finding(f"leaked-{row['what'].replace('_', '-')}", "warning", sentence, because)
    notes = evidence.get("leaks.unavailable")
    for sentence in notes if isinstance(notes, list) else []:
        yield Finding("leaks-unavailable", "warning", str(sentence))


_LEAKED = {
    "heap": "more on its heap for each service that came and went",
    "goroutines": "more for each service that came and went",
    "open_files": "more open for each service that came and went",
    "database": "more in its database for each service that came and went",
    "containers": "running for each service that was deleted",
    "containers_known": "in containerd for each service that was deleted",
}
_WHY_DATABASE = "The records of containers of deleted services stay there."


def outages(evidence: Evidence) -> Iterator[Finding]:
    if evidence.get("probe.writes.recovered") is False:
        yield Finding("writes-never-again", "problem", "No write was acknowledged any more after the fault")
    seconds = evidence.value("failover.write_outage")
    election = evidence.value("failover.election")
    if seconds:
        elected = "" if election is None else f"; another leader was there after {election:.2f} s"
        sentence = f"After the loss of {evidence.get('failover.was')} nothing was written for {seconds:.2f} s{elected}"
        yield Finding("write-outage", "note", sentence)
    later = evidence.value("failover.later_outage")
    if later and later >= 1:
        sentence = f"Later nothing was written for {later:.2f} s again, which the fault itself does not explain"
        yield Finding("later-outage", "warning", sentence)
    if evidence.count("failover.wrong_target"):
        yield Finding(
            "wrong-target",
            "problem",
            f"The leadership had just moved when {evidence.get('failover.was')} was hit: no leader was lost",
        )


def moved(evidence: Evidence) -> Iterator[Finding]:
    """A leadership that nobody took away, and went all the same."""
    found = evidence.get("probe.terms")
    terms = found if isinstance(found, list) else []
    was, rows = evidence.get("failover.was"), evidence.get("faults.faults")
    hit = min((one["start"] for one in rows or [] if one.get("target") == was), default=0.0)
    before = [term for term in terms if not was or term["start"] <= hit]
    parts = {"before the fault": before, "after another one led": terms[len(before) :]}  # between them the fault's move
    if not before or before[-1]["leader"] != was:
        parts = {"though the fault did not hit the leader": terms}
    for words, part in parts.items():
        leaders = [str(term["leader"]) for term in part]
        if len(leaders) > 1:
            yield Finding(
                "leader-moved",
                "warning",
                f"The leadership moved by itself, from {' to '.join(leaders[:5])}, {words}",
                "A stall of 250 ms of the leader's CPU or disk is enough. Workers stay with the manager that led "
                "before: what became of them says nothing about the fault.",
            )


def lost(evidence: Evidence) -> Iterator[Finding]:
    """What a fault did to workers and their containers."""
    down, workers = evidence.count("loss.down"), evidence.count("loss.workers")
    detection, restored = evidence.value("loss.detection"), evidence.value("loss.restored")
    hit = evidence.get("loss.targets")
    names = " and ".join(map(str, hit)) if isinstance(hit, list) else ""
    if down and not evidence.count("loss.ready_end"):
        replaced = evidence.count("loss.replaced")
        anew = f", and {replaced} were placed anew on workers that went down as well" if replaced else ""
        yield Finding(
            "workers-lost",
            "problem",
            f"After the loss of {names} all {many(workers, 'worker')} went down, the first after "
            f"{number(detection or 0)} s, and none came back: {many(evidence.count('loss.missing'), 'container')} ran "
            f"nowhere in the end{anew}",
            "A worker of Warren knows one manager for its life. When that one does not lead any more, its heartbeats "
            "are refused, and it never turns to another one.",
        )
    elif down:
        one = not isinstance(hit, list) or len(hit) < 2
        again = f", and all {'its' if one else 'their'} replicas ran elsewhere " if restored is not None else ""
        again += f"after {number(restored)} s" if restored is not None else ""
        when = f"was taken for down {number(detection or 0)} s after the fault"
        if not one:
            when = (
                f"were hit, and {down} taken for down, at the latest {number(detection or 0)} s after the fault of each"
            )
            again += " from the first fault on" if again else ""
        yield Finding("workers-down", "note", f"{names} {when}{again}")
        if missing := evidence.count("loss.missing"):
            sentence = f"{many(missing, 'container')} did not run again ({evidence.get('loss.why') or 'in time'})"
            yield Finding("containers-missing", "problem", sentence)
    if placed := evidence.count("loss.placed_on_lost"):
        yield Finding(
            "placed-on-lost",
            "note",
            f"{many(placed, 'container')} were placed on a worker that was gone already",
            "Warren counts a worker as ready until 30 s after its last heartbeat.",
        )


def leftovers(evidence: Evidence) -> Iterator[Finding]:
    if evidence.keep:
        stayed = many(evidence.count("create.created") + evidence.count("create.found"), "service")
        if evidence.get("settle"):  # which deleted them again
            records = many(evidence.count("settle.records_left"), "container record")
            stayed = f"{many(evidence.count('settle.services_left'), 'service')} and {records} of deleted ones"
        yield Finding("kept", "note", f"{stayed} stayed on the cluster as asked (keep)")
        return
    purged, left = evidence.count("cleanup.containers_purged"), evidence.count("cleanup.containers_left")
    if services := evidence.count("cleanup.services_left"):
        yield Finding("services-left", "problem", f"{many(services, 'service')} of the run could not be deleted")
    if left:
        yield Finding(
            "records-left",
            "problem",
            f"{many(left, 'container record')} of the run could not be removed: Warren leaks them",
            "DeleteService removes only the service, and no call removes a container record.",
        )
    if stuck := evidence.count("cleanup.stuck"):
        sentence = f"{many(stuck, 'container record')} cannot go, because their node is gone"
        yield Finding("records-stuck", "warning", sentence)
    if failures := evidence.counts("cleanup.failures"):
        sentence = f"{many(sum(failures.values()), 'call')} of the cleanup failed{_listed(failures)}"
        yield Finding("cleanup-failures", "warning", sentence)
    orphans = evidence.count("cleanup.orphans_found")
    if orphans and not evidence.get("leaks"):
        sentence = f"Cleanup found {many(orphans, 'container record')} whose service had been deleted before"
        yield Finding("orphans", "note", sentence)
    if purged:
        duration = evidence.value("cleanup.duration")
        within = f" in {number(duration)} s" if duration is not None else ""
        yield Finding(
            "records-purged",
            "note",
            f"DeleteService left {many(purged + left, 'container record')} behind; the run removed {purged}{within}",
        )


def generator(evidence: Evidence) -> Iterator[Finding]:
    shared: list[str] = []
    for part in [evidence.audit, *evidence.audit.values()]:
        if isinstance(part, dict) and isinstance(part.get("shares_host_with"), list):
            shared += [str(name) for name in part["shares_host_with"] if str(name) not in shared]
    if shared:
        names = shared[0] if len(shared) == 1 else f"{', '.join(shared[:3])}{' and more' if len(shared) > 3 else ''}"
        yield Finding("shared-host", "warning", f"The generator shared its host, and so its CPU, with {names}")


def crashes(evidence: Evidence) -> Iterator[Finding]:
    faults = evidence.get("faults.faults")
    hit = {one.get("target") for one in faults if one.get("kind") in FATAL} if isinstance(faults, list) else set()
    for row in _processes(evidence):
        if row.get("name") in hit:
            continue  # that was us
        if row.get("restarts"):
            times = "once" if row["restarts"] == 1 else f"{row['restarts']} times"
            yield Finding("process-restarted", "problem", f"{row.get('name')} ended and was started again, {times}")
        if row.get("ended"):
            yield Finding("process-ended", "problem", f"{row.get('name')} ended while the run went on")


def logs(evidence: Evidence) -> Iterator[Finding]:
    reason = "Scheduler and reconciler run on every manager of Warren, and what they write on a follower is refused."
    kinds = (("error", "warning", ""), ("warning", "note", ""), ("refused", "note", reason))
    for level, severity, because in kinds:
        counts = [(int(value_of(lookup(row, f"log.{level}")) or 0), row) for row in _processes(evidence)]
        told = sorted((each for each in counts if each[0]), key=lambda each: -each[0])
        if not told:
            continue
        most, row = told[0]
        lines = many(sum(count for count, _row in told), "refused write" if level == "refused" else level)
        who = f"{row.get('name')} logged {lines}; the first"
        if len(told) > 1:
            who = f"{len(told)} processes logged {lines}, the most of them ({most}) {row.get('name')}; its first"
        yield Finding(f"log-{level}", severity, f"{who}: {lookup(row, f'log.first_{level}')}", because)


def memory(evidence: Evidence) -> Iterator[Finding]:
    reasons: dict[str, str] = {}
    for row in _processes(evidence, "managers", "workers"):
        growth = row.get("growth")
        if not isinstance(growth, dict):
            continue
        rate, low, high = (value_of(lookup(growth, path)) for path in ("rate", "rate.low", "rate.high"))
        if rate is None:
            reasons.setdefault(str(growth.get("why")), str(row.get("name")))
        elif low is not None and high is not None and low > 0.1:
            yield Finding(
                "memory-grows",
                "warning" if low >= (PLATEAU if evidence.scenario == "soak" else BOUNDED) else "note",
                f"The memory of {row.get('name')} grew by {number(rate)} MB a minute ({number(low)} to {number(high)}) "
                "while the load was steady",
                "Memory that a file backs is not counted.",
            )
    # Where the load is not held, no objective asks for it.
    asked = evidence.scenario in ("load", "api-throughput", "soak")
    if asked and evidence.get("resources.memory_growth") is None:
        for reason, name in list(reasons.items())[:1]:
            sentence = f"Whether the memory of {name} keeps growing is not known: {reason}"
            because = (
                "A larger warren_load_latency_calls, or a lower warren_load_latency_rate, lengthens the steady load."
            )
            if evidence.get("hold"):
                because = "A longer warren_load_hold lengthens the steady load."
            yield Finding("memory-unknown", "note", sentence, because)


def sampling(evidence: Evidence) -> Iterator[Finding]:
    samplers = evidence.get("resources.sampler")
    for row in samplers if isinstance(samplers, list) else []:
        share = value_of(row.get("cpu_share"))
        if share is not None and share > 1.0:
            sentence = f"The sampler on {row.get('host')} used {number(share)} % of a core: it was a load of its own"
            yield Finding("sampler-cost", "warning", sentence)


def resources(evidence: Evidence) -> Iterator[Finding]:
    unavailable = evidence.get("resources.unavailable")
    for sentence in unavailable if isinstance(unavailable, list) else []:
        yield Finding("resources-unavailable", "warning", str(sentence))


def polling(evidence: Evidence) -> Iterator[Finding]:
    spent, duration = evidence.value("await.poll_time"), evidence.value("await.duration")
    if evidence.count("await.polls") > 1 and spent is not None and duration and spent > 0.1 * duration:
        yield Finding(
            "polling",
            "warning",
            f"Looking for running containers took {number(spent)} of {number(duration)} s: it was a load of its own",
        )


def profiles(evidence: Evidence) -> Iterator[Finding]:
    """What the functions of Warren hold, see profiles.py."""
    for found in evidence.get("profiles.findings") or []:
        yield Finding(found["id"], "note", found["sentence"], found["because"])
    missing = evidence.get("profiles.unavailable") or []
    for sentence in missing[:3]:
        yield Finding("profile-missing", "warning", sentence)
    if len(missing) > 3:
        yield Finding("profile-missing", "warning", f"{len(missing) - 3} profiles more are missing, see results.json")


RULES: tuple[Callable[[Evidence], Iterator[Finding]], ...] = (
    phases_failed,
    audit_void,
    creations,
    running,
    heartbeats,
    latency,
    throughput,
    writes_kept,
    outages,
    held,
    leaked,
    moved,
    lost,
    leftovers,
    placement,
    scheduling,
    burst,
    generator,
    crashes,
    logs,
    memory,
    sampling,
    resources,
    polling,
    profiles,
)


def _processes(evidence: Evidence, *kinds: str) -> list[dict[str, t.Any]]:
    """The rows of the processes that were watched."""
    found: list[dict[str, t.Any]] = []
    for kind in kinds or ("managers", "workers", "others"):
        rows = evidence.get(f"resources.{kind}")
        found += [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return found


def _listed(counts: dict[str, int], what: str = "") -> str:
    """`` (3 x no leader, 1 x timed out)``, at most three, or nothing."""
    if not counts:
        return ""
    shown = [f"{count} {name}" if what else f"{count} x {name}" for name, count in list(counts.items())[:3]]
    more = f", {len(counts) - 3} more kinds" if len(counts) > 3 else ""
    return f" ({what + ': ' if what else ''}{', '.join(shown)}{more})"
