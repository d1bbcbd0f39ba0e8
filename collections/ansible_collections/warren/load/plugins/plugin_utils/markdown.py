# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render a results document as GitHub Markdown: short enough for a comment on a pull request."""

from __future__ import annotations

import re
import typing as t

from .banner import figure_lines, render
from .columns import clean
from .wording import MARK_SENTENCES, SIGNS, environment_facts, limit_text, touching, value_text, verdict_parts

LIMIT = 60_000  # characters; GitHub takes 65536 in a comment
MOST_FINDINGS = 15
_LONGEST = 600  # characters of one text
_MOST_FIGURES = 10_000
_SPECIAL = re.compile(r"([\\`*_\[\]|~])")
# "@name" would tell a person, "#12" would point at an issue: a character that takes no room parts them.
_MENTION = re.compile(r"([@#])(?=\w)")
_SEVERITY_SIGNS = {"problem": "❌", "warning": "⚠️", "note": "ℹ️"}
_VERDICT_SIGNS = {"pass": "✅", "fail": "❌", "inconclusive": "❔", "invalid": "⚠️", "not judged": "➖", "error": "❌"}


def markdown(document: dict[str, t.Any]) -> str:
    """The report: verdict, objectives, findings, and folded away the figures and the environment."""
    run = document["run"]
    verdict, reason = verdict_parts(document)
    sign = _VERDICT_SIGNS.get(document["judgement"]["verdict"], "➖")
    what = f"scale {run.get('scale') or 'custom'}"
    if run.get("scenario") not in (None, "load"):
        what = f"{run['scenario']}, {what}"
    size = f", {run['services']} services of {run['replicas']}" if run.get("services") and run.get("replicas") else ""
    lines = [f"### {sign} Warren load test: {verdict.partition(' ')[2]}", "", f"**{escaped(reason)}**", ""]
    duration = run.get("duration")
    took = f", {duration:.0f} s" if isinstance(duration, (int, float)) else ""
    lines += [f"Run `{clean(run.get('id')).replace('`', '')}`: {escaped(what + size + took)}.", ""]
    for mark in run.get("marks") or []:
        lines += [f"> {escaped(MARK_SENTENCES.get(mark, mark))}"]
    if run.get("marks"):
        lines.append("")
    lines += [*_table(document["judgement"]["objectives"]), *_findings(document["findings"])]
    figures = render(figure_lines(document)).replace("```", "")[:_MOST_FIGURES]
    lines += ["<details><summary>Figures</summary>", "", "```text", figures, "```", "", "</details>", ""]
    lines += ["<details><summary>Environment</summary>", "", "| | |", "|---|---|"]
    lines += [f"| {escaped(name)} | {escaped(text)} |" for name, text in environment_facts(document)]
    if run.get("started"):
        lines.append(f"| Started | {escaped(run['started'])} |")
    lines += ["", "</details>", ""]
    return "\n".join(lines)


def escaped(text: t.Any, longest: int = _LONGEST) -> str:
    """A text that Markdown shows as it is, in one line of at most ``longest`` characters."""
    bare = " ".join(clean(text).split())
    if len(bare) > longest:
        bare = bare[: longest - 1] + "…"
    bare = _SPECIAL.sub(r"\\\1", bare.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    return _MENTION.sub("\\1\u200b", bare)


def _table(rows: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    if not rows:
        return []
    marked = any(touching(entry) for entry in rows)
    head = ["", "Objective", "Value", "Target", "Acceptable", "Level", "Verdict", *(["On"] if marked else [])]
    lines = [f"| {' | '.join(head)} |", "|:-:|---|--:|---|---|---|---|" + ("---|" if marked else "")]
    for entry in rows:
        verdict = f"{entry['verdict']}: {entry['note']}" if entry["note"] else entry["verdict"]
        cells = [
            SIGNS.get(entry["verdict"], "–"),
            entry["label"],
            value_text(entry),
            limit_text(entry, "target"),
            limit_text(entry, "acceptable"),
            entry["level"] or "–",
            verdict,
            *(["+".join(touching(entry))] if marked else []),
        ]
        lines.append(f"| {' | '.join(escaped(cell, 200) for cell in cells)} |")
    return [*lines, ""]


def _findings(findings: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    if not findings:
        return []
    lines = ["**Findings**", ""]
    lines += [
        f"- {_SEVERITY_SIGNS.get(finding['severity'], '-')} {escaped(finding['sentence'])}"
        for finding in findings[:MOST_FINDINGS]
    ]
    if len(findings) > MOST_FINDINGS:
        lines.append(f"- and {len(findings) - MOST_FINDINGS} more in report.txt")
    return [*lines, ""]
