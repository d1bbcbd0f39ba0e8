# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run will do and how long it should take, from Warren's own timers. Pure: options in, data and lines out.

Warren's timers: the scheduler looks every 5 s, a worker asks for its containers every 3 s and reports every 5 s, the
reconciler looks every 10 s. What work costs was measured on a real cluster of three managers on one small machine:
a sequential create takes 2 to 4 ms, a call 0.3 ms of an idle manager and 10 ms of a busy one, the scheduler's scan 7 us
a service and container, a purge of 600 records 13 s and of 3000 records 60 s.
"""

from __future__ import annotations

import math
import typing as t

from ansible_collections.warren.load.plugins.module_utils.api.timers import (
    HEARTBEAT,
    RECONCILER_TICK,
    SCHEDULER_TICK,
    WORKER_POLL,
)
from ansible_collections.warren.load.plugins.module_utils.objectives.judging import samples_needed
from ansible_collections.warren.load.plugins.module_utils.objectives.units import number
from ansible_collections.warren.load.plugins.module_utils.scenarios import PHASES

from . import fault_plans

CREATE = (0.0015, 0.02)  # seconds a create, fast and slow
CALL = (0.0003, 0.01)  # seconds of the manager a call, fast and slow
SCHEDULE = 0.01  # seconds a container record at most: one commit
SCAN = 7e-6  # seconds a service and container, each tick
PURGE = (0.003, 0.015)  # seconds a record
HEAVY_NODE = 1000
"""Containers on one node from which a heartbeat, one commit each, comes near its deadline of 5 s."""
SHARP_P99 = 3000
PROFILE = 500_000  # bytes of the profiles of a process at one moment, at the finest rate of sampling
STEADY = 90.0  # seconds from which on a trend of memory says something, see node/sampler.py
AB_CALLS, AB_CONCURRENCY, CLIENTS, CALLS_EACH = 1000, 10, 10, 100  # the guide's API Throughput Test

Options = dict[str, t.Any]
Span = tuple[float, float]


def make_plan(options: Options) -> dict[str, t.Any]:
    """The plan as data, from the arguments of the module ``plan``: what, how long, how many samples, what to expect."""
    containers = options["services"] * options["replicas"]
    return {
        "services": options["services"],
        "replicas": options["replicas"],
        "containers": containers,
        "seconds": {name: [round(end, 1) for end in span] for name, span in durations(options).items()},
        "samples": samples(options),
        "notes": notes(options),
    }


def durations(options: Options) -> dict[str, Span]:
    """Seconds that each phase should take, shortest and longest, and their total."""
    services, containers = options["services"], options["services"] * options["replicas"]
    factor = max(options["clock_factor"], 0.001)
    at_once = min(max(options["create_concurrency"], 1), 4)  # Raft commits concurrent creates together, up to a point
    planned = services / options["create_rate"] if options["create_rate"] else 0.0
    create = (max(planned, services * CREATE[0] / at_once), max(planned, services * CREATE[1] / at_once))
    timers = (SCHEDULER_TICK + WORKER_POLL + HEARTBEAT) / factor
    scans = 0.0 if options["costs"] == "ideal" else 4 * services * containers * SCAN
    running = (0.0, min(timers + containers * SCHEDULE + scans, options["await_deadline"]))
    calls = options["latency_calls"]
    spans: dict[str, Span] = {"create": create, "await": running}
    if options.get("fault"):
        spans = {"create": create, "recovery": fault_plans.recovering(options["fault"], factor, containers * SCHEDULE)}
    elif options["scenario"] == "api-throughput":
        # At half the highest rate a call takes twice the time.
        spans["throughput"] = calls_in_turn(2 * calls + AB_CALLS + CLIENTS * CALLS_EACH)
    elif "latency" not in PHASES[options["scenario"]]:
        pass
    elif options["latency_concurrency"]:
        spans["latency"] = calls_in_turn(calls)
    else:
        spans["latency"] = (calls / options["latency_rate"], calls / options["latency_rate"])
    if options["scenario"] == "soak":
        churn = 30.0 if options["churn"] else 0.0  # a churn that has begun is brought to its end
        held = (options["hold"], options["hold"] + churn)
        spans = {name: span for name, span in spans.items() if name != "latency"} | {"hold": held} | spans
    if options["scenario"] == "leak-detection":
        spans = {name: (options["rounds"] * low, options["rounds"] * high) for name, (low, high) in spans.items()}
        spans["settle"] = (options["settle"], options["settle"] + 30 * options["rounds"])
        containers *= options["rounds"]
    if not options["keep"]:
        deletes = services * CREATE[0]
        spans["cleanup"] = (
            deletes + RECONCILER_TICK / factor + containers * PURGE[0],
            deletes + 2 * RECONCILER_TICK / factor + containers * PURGE[1],
        )
    spans["total"] = (sum(low for low, high in spans.values()), sum(high for low, high in spans.values()))
    return spans


def room(services: int, replicas: int, calls: int) -> int:
    """MB that the results of a run may take: a sample of each call, create and container, a journal, and a reserve."""
    samples = calls * 60 + services * 1500 + services * replicas * 300
    return 20 + samples // 1_000_000


def room_held(seconds: float, replaced: float, processes: int, profiled: int) -> int:
    """MB more that a load takes which is held for so long: a line of each process each second, or 7200 in all, its
    profiles, and the journal of ``replaced`` services."""
    samples = processes * min(seconds, 7200.0) * 150  # with what the managers' pages tell
    return math.ceil((samples + profiled * 30 * PROFILE + replaced * 700) / 1_000_000) if seconds else 0


def replaced(services: int, churn: float, hold: float, interval: float) -> int:
    """How many of its services a load replaces that is held, with a churn of so many percent each ``interval``."""
    share = max(1, round(churn * services / 100)) if churn else 0
    return share * max(0, math.ceil(hold / interval) - 1)


def calls_in_turn(calls: int) -> Span:
    """Seconds that so many calls take where nothing but the manager limits them."""
    return calls * CALL[0], calls * CALL[1]


def samples(options: Options) -> list[dict[str, t.Any]]:
    """For every objective on a percentile: how many samples it will have, and needs for an upper bound."""
    closed = options["latency_concurrency"] and options["scenario"] == "load"
    counts = {
        **({} if closed else {"latency": options["latency_calls"]}),
        "await": options["services"] * options["replicas"],
        "create": options["services"],
    }
    found = []
    for row in options["objectives"]:
        statistic, phase = str(row.get("statistic", "")), str(row.get("path", "")).partition(".")[0]
        needed = samples_needed(statistic)
        elsewhere = row.get("scenarios") and options["scenario"] not in row["scenarios"]
        if needed == 1 or phase not in counts or elsewhere:
            continue
        exact = bool(row.get("exact"))
        found.append(
            {
                "id": row.get("id"),
                "label": row.get("label") or row.get("id"),
                "statistic": statistic,
                "of": row.get("samples", "calls"),
                "n": counts[phase],
                "needed": needed,
                "exact": exact,
                "enough": exact or counts[phase] >= needed,
            }
        )
    return found


def notes(options: Options) -> list[str]:
    """What a person should know before it happens."""
    containers = options["services"] * options["replicas"]
    if options["scenario"] == "leak-detection":
        containers *= options["rounds"]
    found = list(options["notes"])
    if options["keep"]:
        found.append("The services stay (keep): run cleanup.yml when you no longer need them.")
    else:
        found.append(
            f"Warren keeps the container records of deleted services: the run leaves about {containers} of them behind "
            "when it deletes its services, purges them, and counts what is left."
        )
    if options["scenario"] == "leak-detection" and options["rounds"] < 3:
        found.append(
            "How sure a leak is takes two rounds, and better three (warren_load_rounds): of one only the difference is "
            "known."
        )
    if options["scenario"] == "soak" and options["hold"] < STEADY:
        found.append(
            f"Whether memory keeps growing takes {STEADY:.0f} s of steady load to tell: hold it for longer "
            "(warren_load_hold)."
        )
    if options["scenario"] == "soak" and options["churn"] and not options["churn_purge"]:
        found.append(
            f"Each replaced service leaves its {_count(options['replicas'], 'container record')} behind, which add up "
            "to more than the load that is held (warren_load_churn_purge is false)."
        )
    if 0 < options["create_rate"] <= 1 and not options.get("fault"):
        found.append(
            f"Services are created at {number(options['create_rate'])}/s as asked (warren_load_create_rate), which is "
            "no more than the target of Service creation: plan a higher rate to have it judged."
        )
    if options["latency_concurrency"] and options["scenario"] == "load":
        found.append(
            "Latency is measured in a closed loop (warren_load_latency_concurrency), which hides stalls: it is "
            "reported, and not judged."
        )
    if options["scenario"] == "scheduler-burst" and options["create_concurrency"] < options["services"]:
        found.append(
            f"The creates come {options['create_concurrency']} at a time and not all {options['services']} at once: a "
            "larger warren_load_create_concurrency makes a steeper burst."
        )
    if options.get("fault"):
        found += fault_plans.meaning(options["fault"])
    if not options["workers"]:
        found.append("No worker is ready: no container will be created, and none will run.")
    if (
        containers > HEAVY_NODE
        and options["workers"]
        and options["heartbeats"] == "full"
        and options["costs"] != "ideal"
    ):
        found.append(
            f"Warren puts the {containers} containers on one node, whose heartbeat commits once for each; with more "
            f"than about {HEAVY_NODE} it passes its deadline of 5 s, and the run may end at its own deadline instead."
        )
    found += [
        f"{entry['label']} will have {entry['n']} {entry['of']} and needs {entry['needed']} for an upper bound: "
        "it can fail, but not pass."
        for entry in samples(options)
        if not entry["enough"]
    ]
    return found


def span_text(span: t.Sequence[float]) -> str:
    """Seconds as a person plans with them: ``5 s``, ``10 to 23 s``, ``2 to 5 min``."""
    low, high = span
    if high >= 180:
        low, high, unit = low / 60, high / 60, "min"
    else:
        unit = "s"
    shortest, longest = number(_rounded(low)), number(_rounded(high))
    return f"{longest} {unit}" if shortest == longest else f"{shortest} to {longest} {unit}"


def plan_facts(options: Options, plan: dict[str, t.Any]) -> list[tuple[str, str]]:
    """The plan as (name, text) pairs, in the order in which they are shown."""
    marks, seconds = options["marks"], plan["seconds"]
    managers, workers = len(options["managers"]), options["workers"]
    kind = " (simulator)" if "simulator" in marks else ""
    hollow = "hollow " if "hollow" in marks else ""
    at_a_time = options["create_concurrency"]
    order = "one after another" if at_a_time == 1 else f"{at_a_time} at a time"
    if options["create_rate"]:
        order = f"planned at {number(options['create_rate'])}/s, {order if at_a_time == 1 else 'at most ' + order}"
    facts = [
        ("Cluster", f"{options['cluster']}: " if options["cluster"] else ""),
        ("Creates", f"{plan['services']} services x {plan['replicas']} = {plan['containers']} containers, {order}"),
        ("Image", options["image"]),
        ("Needs", _needs(options["memory"])),
        ("Fault", fault_plans.what(options["fault"]) if options.get("fault") else ""),
        ("Holds", _holds(options)),
        ("Repeats", _repeats(options)),
        ("Measures", "" if options["scenario"] == "leak-detection" else _measures(options)),
        ("Profiles", _profiles(options["profiles"])),
    ]
    facts[0] = ("Cluster", f"{facts[0][1]}{_count(managers, 'manager')}{kind}, {_count(workers, hollow + 'worker')}")
    parts = [f"{name} {span_text(span)}" for name, span in seconds.items() if name != "total"]
    facts.append(("Takes", f"about {span_text(seconds['total'])}: {', '.join(parts)}"))
    factor = max(options["clock_factor"], 0.001)
    timers = (
        ("scheduler", SCHEDULER_TICK),
        ("worker poll", WORKER_POLL),
        ("heartbeat", HEARTBEAT),
        ("reconciler", RECONCILER_TICK),
    )
    facts.append(("Warren's timers", ", ".join(f"{name} {number(seconds / factor)} s" for name, seconds in timers)))
    facts += [(entry["label"], _sample_text(entry)) for entry in plan["samples"]]
    facts.append(("Results", options["results_path"]))
    return [(name, text) for name, text in facts if text]


def _needs(memory: dict[str, t.Any]) -> str:
    """Memory of real containers, which Warren places on one node."""
    if not memory:
        return ""
    return f"{memory['needed']} MB for containers on {memory['name']}, which has {memory['available']} MB"


def _profiles(profiles: dict[str, t.Any]) -> str:
    managers, workers = (profiles.get(kind, 0) for kind in ("managers", "workers"))
    if not managers + workers:
        return ""
    whose = [_count(number, kind) for number, kind in ((managers, "manager"), (workers, "worker")) if number]
    interval = f", every {number(profiles['interval'])} s" if profiles["interval"] else ""
    cpu = f"; {number(profiles['seconds'])} s of the managers' CPU" if managers else ""
    return f"heap and goroutines of {' and '.join(whose)} before{interval} and after{cpu}"


def _holds(options: Options) -> str:
    """How long a soak holds its load, and what it replaces meanwhile."""
    if options["scenario"] != "soak":
        return ""
    told = f"that load for {span_text((options['hold'],) * 2)}"
    if options["churn"]:
        share = max(1, round(options["churn"] * options["services"] / 100))
        each = span_text((options["churn_interval"],) * 2)
        told += f", replacing {_count(share, 'service')} each {each}, {_replaced(options)} in all"
    return told


def _replaced(options: Options) -> int:
    return replaced(options["services"], options["churn"], options["hold"], options["churn_interval"])


def _repeats(options: Options) -> str:
    """How often leak detection creates and deletes its load."""
    if options["scenario"] != "leak-detection":
        return ""
    each = span_text((options["settle"] / options["rounds"],) * 2)
    rounds = _count(options["rounds"], "time")
    return f"that {rounds}: deletes it as a user does, lets the cluster settle for {each}, and looks what is left"


def _measures(options: Options) -> str:
    mix = [word.partition(":")[::2] for word in options["latency_methods"]]
    methods = mix[0][0] if len(mix) == 1 else ", ".join(f"{name} x {parts or 1}" for name, parts in mix)
    calls, rate, at_a_time = options["latency_calls"], options["latency_rate"], options["latency_concurrency"]
    if options["scenario"] == "scheduler-burst":
        return (
            "when the scheduler gave each container a node, tick by tick, by the leader's clock, and when it was seen "
            "running"
        )
    if options.get("fault"):
        rate = options["fault"]["probe_rate"]
        what = (
            f"writes, reads and the leader of every manager, each {number(rate)} times a second (to within "
            f"{1000 / rate:.0f} ms); nodes and containers; afterwards every acknowledged create"
        )
    elif options["scenario"] == "api-throughput":
        what = (
            f"{AB_CALLS} calls of {methods}, {AB_CONCURRENCY} at a time on one connection; {CLIENTS} clients x "
            f"{CALLS_EACH} calls on connections of their own; then {calls} calls planned at half of the highest rate"
        )
    elif at_a_time:
        what = f"{calls} calls of {methods}, {at_a_time} at a time"
    else:
        what = f"{calls} calls of {methods} at {number(rate)}/s"
    return f"{what}, from {options['generator']}"


def _sample_text(entry: dict[str, t.Any]) -> str:
    have = f"{entry['n']} {entry['of']}"
    if entry["exact"]:
        return f"{have}, all of them counted"
    if not entry["enough"]:
        return f"{have}, too few: {entry['needed']} give an upper bound"
    if entry["statistic"] == "p99" and entry["n"] < SHARP_P99:
        return f"{have}, enough for an upper bound ({entry['needed']}); {SHARP_P99} make it sharp"
    return f"{have}, enough (an upper bound takes {entry['needed']})"


def _count(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _rounded(value: float) -> float:
    return round(value) if value >= 1 else round(value, 1)
