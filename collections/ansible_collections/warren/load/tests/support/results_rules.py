# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds of the results of every run: their schema, the strict rules of JUnit readers, and that files are there."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema

SCHEMA = Path(__file__).parents[2] / "docs/results.schema.json"
FILES = ("results.json", "report.txt", "report.md", "junit.xml")

# What Jenkins' xunit plugin accepts (its junit-10.xsd), written down as far as our reports go: the attributes of each
# element (required ones with a *) and the elements that it may hold.
ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {
        "name*", "tests*", "failures*", "errors*", "group", "time", "skipped", "timestamp", "hostname", "id", "package",
        "file", "log", "url",
    },
    "testcase": {"name*", "time", "classname", "group"},
    "properties": set(),
    "property": {"name*", "value*"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set(),
    "system-err": set(),
}  # fmt: skip
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testsuite", "properties", "testcase", "system-out", "system-err"},
    "testcase": {"skipped", "error", "failure", "system-out", "system-err"},
    "properties": {"property"},
}
SUREFIRE_TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")


def strict_problems(element: ET.Element) -> list[str]:
    """Every breach of the rules above, as text."""
    allowed = {name.rstrip("*") for name in ATTRIBUTES[element.tag]}
    required = {name[:-1] for name in ATTRIBUTES[element.tag] if name.endswith("*")}
    found = [f"{element.tag} has {name}" for name in set(element.attrib) - allowed]
    found += [f"{element.tag} lacks {name}" for name in required - set(element.attrib)]
    if element.tag != "testcase" and "time" in element.attrib and not SUREFIRE_TIME.fullmatch(element.attrib["time"]):
        found.append(f"time is {element.attrib['time']}")
    for child in element:
        if child.tag not in CHILDREN.get(element.tag, set()):
            found.append(f"{child.tag} in {element.tag}")
        else:
            found += strict_problems(child)
    return found


def junit_problems(path: Path) -> list[str]:
    """What is wrong with a JUnit report: breaches of the strict rules, and cases that are there twice."""
    root = ET.parse(path).getroot()
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    twice = [f"{path.name} has {name} twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    return [*(f"{path.name}: {problem}" for problem in strict_problems(root)), *twice]


def results_problems(folder: Path) -> list[str]:
    """What is wrong with the results of a run in a folder."""
    missing = [f"{name} is missing" for name in FILES if not (folder / name).is_file()]
    if missing:
        return missing
    document = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    found = [f"results.json: {error.json_path}: {error.message[:200]}" for error in validator.iter_errors(document)]
    found += [f"{name} is missing" for name in document.get("files", []) if not (folder / name).is_file()]
    cases = {case.get("name", "") for case in ET.parse(folder / "junit.xml").getroot().iter("testcase")}
    objectives = document["judgement"]["objectives"]
    found += [f"junit.xml lacks {row['id']}" for row in objectives if f"{row['id']}: {row['sentence']}" not in cases]
    return [*found, *junit_problems(folder / "junit.xml")]
