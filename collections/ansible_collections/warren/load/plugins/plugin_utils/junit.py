# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JUnit XML as CI servers read it, Jenkins' strict junit-10.xsd included.

``failure`` is a missed objective, ``error`` something that could not be measured or done, ``skipped`` what was not
judged or not decided. Names are the same in every run: no numbers, no run id.
"""

from __future__ import annotations

import dataclasses
import re
import sys
import typing as t
import xml.etree.ElementTree as ET

from ansible_collections.warren.load.plugins.module_utils.objectives.units import number, quantity

try:
    from junit_xml import TestCase, TestSuite
except ImportError as error:
    TestCase, TestSuite = None, object
    MISSING = (
        f"No junit.xml is written: the controller's Python ({sys.executable}) has no junit-xml ({error}); "
        "install it with pip install junit-xml."
    )
else:
    MISSING = ""

PHASES, OBJECTIVES = "warren.load.phases", "warren.load.objectives"
PLAYBOOK, TASKS, HOSTS = "warren.load.playbook", "warren.load.tasks", "warren.load.hosts"
"""Classnames."""
ATTACHED = ("report.md", "report.txt", "results.json")
STATES = ("passed", "skipped", "failure", "error")
RED = ("failure", "error")

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_STATE_OF_VERDICT = {
    "pass": "passed",
    "fail": "failure",
    "invalid": "error",
    "inconclusive": "skipped",
    "not judged": "skipped",
}


@dataclasses.dataclass
class Case:
    """One test case. ``kind`` is the type attribute of a failure or error, ``properties`` are left out if strict."""

    classname: str
    name: str
    state: str = "passed"
    seconds: float = 0.0
    kind: str = ""
    message: str = ""
    text: str = ""
    output: str = ""
    properties: dict[str, str] = dataclasses.field(default_factory=dict)


class StrictSuite(TestSuite):
    """A junit-xml suite without what junit-10.xsd refuses, and with a time on every case, which some readers need."""

    def build_xml_doc(self, encoding: str | None = None) -> ET.Element:
        """The suite as an element."""
        element: ET.Element = super().build_xml_doc(encoding)
        element.attrib.pop("disabled", None)
        element.set("time", f"{sum(case.elapsed_sec or 0.0 for case in self.test_cases):.3f}")
        for case in element.iter("testcase"):
            case.set("time", f"{float(case.get('time', '0')):.3f}")
        return element


def build(
    cases: t.Sequence[Case],
    *,
    name: str,
    timestamp: str = "",
    hostname: str = "",
    properties: t.Mapping[str, str] | None = None,
    case_properties: bool = False,
) -> bytes:
    """The document. ``case_properties`` adds what junit-10.xsd refuses and newer readers show.

    RuntimeError (MISSING) without junit-xml.
    """
    if MISSING:
        raise RuntimeError(MISSING)
    suite = StrictSuite(
        _clean(name),
        [_test_case(case) for case in cases],
        timestamp=_clean(timestamp) or None,
        hostname=_clean(hostname) or None,
        properties={_clean(key): _clean(value) for key, value in (properties or {}).items()} or None,
    )
    element = suite.build_xml_doc()
    if case_properties:
        for case, node in zip(cases, element.iter("testcase"), strict=True):
            _add_properties(node, case.properties)
    root = ET.Element("testsuites", {"name": "warren.load"})
    for attribute in ("tests", "failures", "errors", "time"):
        root.set(attribute, element.get(attribute, "0"))
    root.append(element)
    ET.indent(root)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="utf-8") + b"\n"


def suite_name(run: t.Mapping[str, t.Any]) -> str:
    """The suite of a run: its scenario, or its scale where it is the load test."""
    scenario = str(run.get("scenario") or "load")
    return f"warren.load.{run.get('scale') or 'custom'}" if scenario == "load" else f"warren.load.{scenario}"


def suite_properties(document: t.Mapping[str, t.Any], folder: str = "") -> dict[str, str]:
    """What the run was, for those who look at the suite: which program, how much, on what."""
    run, environment = document["run"], document["environment"]
    program = environment.get("program")
    program = program if isinstance(program, dict) else {"name": program}
    managers = environment.get("managers")
    found = {
        "results": folder,
        "run_id": run.get("id"),
        "scenario": run.get("scenario"),
        "scale": run.get("scale"),
        "services": run.get("services"),
        "replicas": run.get("replicas"),
        "seed": run.get("seed"),
        "dialect": run.get("dialect"),
        "marks": " ".join(run.get("marks") or []),
        "program": program.get("name"),
        "program_sha256": program.get("sha256"),
        "program_version": program.get("version"),
        "managers": len(managers) if isinstance(managers, list) else None,
        "workers": environment.get("workers_ready"),
        "verdict": document["judgement"]["verdict"],
    }
    return {name: str(value) for name, value in found.items() if value not in (None, "")}


def document_cases(document: t.Mapping[str, t.Any], folder: str = "") -> list[Case]:
    """The cases of a results document: its phases, and its objectives."""
    judgement = document["judgement"]
    cases = []
    for phase in document["run"]["phases"]:
        state = {"ok": "passed", "failed": "error"}.get(str(phase.get("status")), "skipped")
        message = str(phase.get("error") or "") or ("the phase was not reached" if state == "skipped" else "")
        cases.append(
            Case(
                PHASES,
                str(phase.get("name")),
                state,
                float(phase.get("duration") or 0.0),
                "phase-failed" if state == "error" else "",
                message if state != "passed" else "",
            )
        )
    objectives = [objective_case(entry) for entry in judgement["objectives"]]
    judge = Case(PHASES, "judge")
    red = any(case.state in RED for case in (*cases, *objectives))
    if not objectives or not (red or judgement["green"]):
        # A run that ends with exit code 2 is never green here either.
        judge = Case(PHASES, "judge", "error", 0.0, judgement["verdict"], judgement["summary"])
    return [*cases, judge, Case(PHASES, "report", output=report_output(document, folder)), *objectives]


def report_output(document: t.Mapping[str, t.Any], folder: str) -> str:
    """What the case of the report prints: verdict, findings, and the reports as attachments."""
    lines = [str(document["judgement"]["summary"])]
    lines += [str(finding["sentence"]) for finding in document["findings"]]
    if folder:
        lines += [f"[[ATTACHMENT|{folder.rstrip('/')}/{name}]]" for name in ATTACHED]
    return "\n".join(lines)


def foreign_cases(content: bytes) -> list[Case]:
    """The cases of an earlier report that only its playbook can know: hosts, tasks, and how the playbook ended."""
    try:
        root = ET.fromstring(content)
    except ET.ParseError:
        return []
    cases = []
    for element in root.iter("testcase"):
        if element.get("classname") not in (PLAYBOOK, TASKS, HOSTS):
            continue
        case = Case(str(element.get("classname")), str(element.get("name")))
        try:
            case.seconds = float(element.get("time") or 0.0)
        except ValueError:
            case.seconds = 0.0
        for child in element:
            if child.tag in STATES:
                case.state, case.kind = child.tag, child.get("type") or ""
                case.message, case.text = child.get("message") or "", child.text or ""
        cases.append(case)
    return cases


def objective_case(judgement: t.Mapping[str, t.Any]) -> Case:
    """The case of a judgement: the numbers are in message and text, never in the name."""
    verdict = str(judgement.get("verdict"))
    state = _STATE_OF_VERDICT.get(verdict, "error")
    value, unit, limit = judgement.get("value"), str(judgement.get("unit", "")), judgement.get("limit")
    shown = quantity(value, unit) if isinstance(value, (int, float)) else "not measured"
    wanted = _limit(judgement)
    note = str(judgement.get("note") or "")
    message = f"{judgement.get('statistic')} {shown}, limit {wanted}" if limit is not None else shown
    if state != "passed":
        message = f"{verdict}: {note}" if note else f"{message}, level {judgement.get('level')}"
    lines = [f"value      {shown}"]
    if judgement.get("low") is not None or judgement.get("high") is not None:
        ends = [
            number(end) if isinstance(end, (int, float)) else "?"
            for end in (judgement.get("low"), judgement.get("high"))
        ]
        lines.append(f"interval   {ends[0]} to {ends[1]} {unit} (95 %)")
    if judgement.get("n") is not None:
        lines.append(f"samples    {judgement['n']}")
    lines += [f"{level:<11}{number(bound)} {unit}" for level, bound in (judgement.get("limits") or {}).items()]
    lines.append(f"level      {judgement.get('level') or 'none'}")
    lines += [f"verdict    {verdict}", f"source     {judgement.get('source')}"]
    if judgement.get("marks"):
        lines.append(f"marks      {', '.join(judgement['marks'])}")
    lines += [f"- {advice}" for advice in judgement.get("advice") or []]
    text = "\n".join(lines)
    return Case(
        classname=OBJECTIVES,
        name=f"{judgement.get('id')}: {judgement.get('sentence')}",
        state=state,
        kind="objective" if state == "failure" else verdict,
        message="" if state == "passed" else message,
        text="" if state == "passed" else text,
        output=text if state == "passed" else "",
        properties={
            key: "" if judgement.get(key) is None else str(judgement.get(key))
            for key in ("level", "verdict", "value", "unit", "limit", "statistic")
        },
    )


def _limit(judgement: t.Mapping[str, t.Any]) -> str:
    limit = judgement.get("limit")
    if not isinstance(limit, (int, float)):
        return "none"
    sign = {"below": "<", "above": ">", "equal": "="}.get(str(judgement.get("direction")), "")
    if judgement.get("inclusive") and sign in "<>":
        sign += "="
    return f"{sign} {quantity(limit, str(judgement.get('unit', '')))}"


def _test_case(case: Case) -> t.Any:
    made = TestCase(
        _clean(case.name),
        classname=_clean(case.classname),
        elapsed_sec=max(case.seconds, 0.0),
        stdout=_clean(case.output) or None,
    )
    message, text = _clean(case.message) or case.state, _clean(case.text)
    if case.state == "failure":
        made.add_failure_info(message, text, _clean(case.kind))
    elif case.state == "error":
        made.add_error_info(message, text, _clean(case.kind))
    elif case.state == "skipped":
        made.add_skipped_info(message, text)
    return made


def _add_properties(node: ET.Element, properties: t.Mapping[str, str]) -> None:
    if properties:
        group = ET.Element("properties")
        for name, value in properties.items():
            ET.SubElement(group, "property", {"name": _clean(name), "value": _clean(value)})
        node.insert(0, group)


def _clean(text: t.Any) -> str:
    """Text without the characters that XML does not allow, and without colours."""
    return _ILLEGAL.sub("", re.sub("\x1b\\[[0-9;]*m", "", str(text)))
