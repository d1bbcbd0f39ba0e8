"""Writes the tables of README.md that say what other files decide: the settings and the objectives.

    .venv/bin/python scripts/readme.py

A table lies between `<!-- begin NAME -->` and `<!-- end -->`. test_readme.py fails while one is out of date.
"""

from __future__ import annotations

import re
import sys
import typing as t
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "collections"))

from ansible_collections.warren.load.plugins.module_utils.objectives.judging import limit_text

README = ROOT / "README.md"
ROLES = ROOT / "collections/ansible_collections/warren/load/roles"

OTHER_SIDE = {"below": "above", "above": "below", "equal": "equal"}


def plain(text: str) -> str:
    """Ansible's markup as Markdown: V(x), C(x), O(x) and I(x) are code."""
    return re.sub(r"\b[VCOI]\(([^)]*)\)", r"`\1`", " ".join(text.split())).replace("|", "\\|")


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def default(option: dict[str, t.Any]) -> str:
    if "default" not in option:
        return ""
    value = option["default"]
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def settings() -> str:
    """A row for each public variable, in the order of the role's argument_specs.yml."""
    specs = yaml.safe_load((ROLES / "cluster/meta/argument_specs.yml").read_text(encoding="utf-8"))
    rows = []
    for name, option in specs["argument_specs"]["main"]["options"].items():
        said = option["description"]
        sentences = said if isinstance(said, list) else [said]
        rows.append([f"`{name}`", default(option), " ".join(map(plain, sentences))])
    return table(["variable", "default", "what it sets"], rows)


def limit(row: dict[str, t.Any], level: str) -> str:
    """Such as `< 256 MB; large and massive < 512 MB`; where a limit is an expression, the expression."""
    value = row["limits"].get(level)
    if value is None:
        return ""
    if isinstance(value, str):
        return f"= `{value}`"

    def words(number: float) -> str:
        if level == "critical":  # begins on the wrong side of its limit
            return limit_text(number, row["unit"], OTHER_SIDE[row["direction"]])
        return limit_text(number, row["unit"], row["direction"], inclusive=row.get("inclusive", False))

    scales: dict[float, list[str]] = {}
    for scale, limits in (row.get("scales") or {}).items():
        if level in limits:
            scales.setdefault(limits[level], []).append(scale)
    others = [f"{' and '.join(names)} {words(other)}" for other, names in scales.items()]
    return "; ".join([words(value), *others])


def _judged() -> list[tuple[list[str], list[str]]]:
    """For each objective, in the order of objectives.yml, the scenarios that it is confined to, and its cells."""
    found = []
    for row in yaml.safe_load((ROLES / "load/files/objectives.yml").read_text(encoding="utf-8")):
        source = row["source"].removeprefix("load testing guide, ")
        limits = [limit(row, level) for level in ("target", "acceptable", "critical")]
        found.append((row.get("scenarios") or [], [f"`{row['id']}`", row["statistic"], *limits, plain(source)]))
    return found


def objectives() -> str:
    """A row for each objective of the load test."""
    rows = [cells for scenarios, cells in _judged() if not scenarios or "load" in scenarios]
    return table(["objective", "judged by", "target", "acceptable", "critical", "source"], rows)


def scenario_objectives() -> str:
    """A row for each objective that other scenarios alone have."""
    rows = [
        [cells[0], ", ".join(scenarios), *cells[1:]]
        for scenarios, cells in _judged()
        if scenarios and "load" not in scenarios
    ]
    return table(["objective", "of", "judged by", "target", "acceptable", "critical", "source"], rows)


TABLES = {"settings": settings, "objectives": objectives, "scenario-objectives": scenario_objectives}


def written(text: str) -> str:
    """The text with every table as it should be. ValueError if one has no place in it."""
    for name, make in TABLES.items():
        place = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not place.search(text):
            raise ValueError(f"README.md has no place for the table {name!r}: <!-- begin {name} --> … <!-- end -->")
        content = make()
        text = place.sub(lambda found, content=content: f"{found[1]}{content}\n{found[2]}", text)  # type: ignore[misc]
    return text


def main() -> None:
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
