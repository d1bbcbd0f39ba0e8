# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Flame graphs: one HTML page that needs nothing else, to look at in any browser.

The stacks hang from the top, callers above what they call; the width of a frame is its share, callees beside each other
by name. A click shows a frame at full width, a search marks frames and says their share. Without scripts the page still
shows everything; frames too narrow to be seen are left out.
"""

from __future__ import annotations

import html
import math
import typing as t

from ..objectives.units import number
from .profile import ProfileError
from .sampling import changes
from .views import origin, shortened

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from .profile import Profile, Sample, ValueType

NARROWEST = 0.001  # of the whole: a pixel of a screen
SURE = 3.0  # standard deviations of the sampling, from which on a difference is coloured
ROW = 19  # pixels
UNREADABLE = 0.015  # of the width: too narrow for a name


class Node:
    """A function below its callers. ``width``: what it is drawn by; ``value``, and ``before``, where two are compared.

    ``variance`` is that of the difference by the sampling of the profile.
    """

    __slots__ = ("before", "called", "name", "value", "variance", "width")

    def __init__(self, name: str) -> None:
        self.name = name
        self.width = self.value = self.before = 0
        self.variance = 0.0
        self.called: dict[str, Node] = {}

    def below(self, name: str) -> Node:
        """The node of a callee."""
        node = self.called.get(name)
        if node is None:
            node = self.called[name] = Node(name)
        return node

    def add(self, sample: Sample, width: int, value: int, before: int, variance: float) -> None:
        """Along the stack of a sample."""
        for node in (self, *self._path(sample)):
            node.width += width
            node.value += value
            node.before += before
            node.variance += variance

    def _path(self, sample: Sample) -> Iterable[Node]:
        node = self
        for location in reversed(sample.stack):
            for frame in reversed(location.frames):
                node = node.below(frame.function)
                yield node


def flame_graph(profile: Profile, sample_type: str = "", title: str = "", ours: str = "") -> str:
    """The page of one profile: modules, the standard library and the runtime in three colours.

    Functions whose name begins with ``ours`` have a fourth; its last part is what the page calls them. ProfileError for
    a type that the profile has not; of a profile without samples the page says so.
    """
    column = profile.column(sample_type)
    root = Node("all")
    for sample in profile.samples:
        root.add(sample, max(0, sample.values[column]), sample.values[column], 0, 0.0)
    return _page(root, profile.types[column], title, compared=False, ours=ours, seconds=profile.duration / 1e9)


def diff_flame_graph(before: Profile, after: Profile, sample_type: str = "", title: str = "") -> str:
    """The page of what changed from one profile to the other: red is more, blue is less.

    Frames are as wide as the larger of both. Grey is what did not change by more than 3 standard deviations of the
    sampling (of heap and CPU profiles; goroutines are counted, not sampled). ProfileError for profiles of two kinds,
    or heaps of two rates.
    """
    column = after.column(sample_type)
    if before.types != after.types:
        raise ProfileError("Profiles of two kinds cannot be compared: give two of the same kind.")
    kind = after.types[column]
    root = Node("all")
    if any(each.type == "inuse_space" for each in after.types):
        for change in changes(before, after, kind.type):
            root.add(change.sample, max(change.after, change.before), change.after, change.before, change.variance)
        return _page(root, kind, title, compared=True)
    sampled = any(each.type == "cpu" for each in after.types)
    stacks: dict[t.Any, list[t.Any]] = {}
    for side, profile in enumerate((before, after)):
        for sample in profile.samples:
            entry = stacks.setdefault((sample.stack, sample.labels), [sample, 0, 0])
            entry[side + 1] += sample.values[column]
    weight = (after.period if kind.type == "cpu" else 1) if sampled else 0
    for sample, old, new in stacks.values():
        root.add(sample, max(old, new), new, old, float(weight * (old + new)))
    return _page(root, kind, title, compared=True)


def _page(root: Node, kind: ValueType, title: str, *, compared: bool, ours: str = "", seconds: float = 0.0) -> str:
    name = html.escape(title or f"Flame graph of {kind.type}")
    if not root.width:
        return _PAGE.format(title=name, style=_STYLE, summary="The profile holds no samples.", frames="", script="")
    placed = list(_placed(root))
    hidden = _count(root) - len(placed)
    summary = f"{kind.type}: {html.escape(kind.text(root.value))}"
    if compared:
        summary += f", before {html.escape(kind.text(root.before))}; <b class=more>more</b>, <b class=less>less</b>, "
        summary += "<b class=same>no more than chance</b>"
    else:
        if seconds:
            summary += f" in {number(seconds)} s"
        summary += (
            f"; <b class=ours>{html.escape(ours.strip('/').rpartition('/')[2].capitalize())}</b>, " if ours else "; "
        )
        summary += "<b class=own>modules</b>, <b class=library>standard library</b>, <b class=runtime>Go's runtime</b>"
    if hidden:
        summary += f"; {hidden} frames are too narrow to be shown"
    frames = "\n".join(_frame(node, root, kind, (depth, left), compared, ours) for node, depth, left in placed)
    height = (max(depth for _node, depth, _left in placed) + 1) * ROW
    graph = f'<div id="graph" style="height:{height}px">\n{frames}\n</div>'
    return _PAGE.format(title=name, style=_STYLE, summary=summary, frames=graph, script=_SCRIPT)


def _placed(root: Node) -> Iterable[tuple[Node, int, float]]:
    """The nodes that are wide enough, with their depth and where they begin, 0 to 1."""
    waiting = [(root, 0, 0.0)]
    while waiting:
        node, depth, left = waiting.pop()
        yield node, depth, left
        for called in sorted(node.called.values(), key=lambda each: each.name):
            share = called.width / root.width
            if share >= NARROWEST:
                waiting.append((called, depth + 1, left))
            left += share


def _count(root: Node) -> int:
    count, waiting = 0, [root]
    while waiting:
        node = waiting.pop()
        count += 1
        waiting += [called for called in node.called.values() if called.width]
    return count


def _frame(node: Node, root: Node, kind: ValueType, at: tuple[int, float], compared: bool, ours: str) -> str:
    depth, left = at
    width = node.width / root.width
    text = f"{node.name}\n"
    if compared:
        change = node.value - node.before
        error = SURE * math.sqrt(node.variance)
        colour = "same" if abs(change) <= error or not change else "more" if change > 0 else "less"
        strength = min(0.75, 0.3 + abs(change) / root.width)
        text += f"{'+' if change > 0 else ''}{kind.text(change)}" + (f" ± {kind.text(error)}" if error else "")
        text += f", now {kind.text(node.value)}, before {kind.text(node.before)}"
        if change and colour == "same":
            text += "\nno more than the chance of the sampling"
        style = f"--s:{strength:.2f};"
    else:
        colour, style = ("ours" if ours and node.name.startswith(ours) else origin(node.name)), ""
        text += f"{kind.text(node.value)}, {node.value / root.value:.2%}" if root.value else kind.text(node.value)
    classes = f"f {colour}" + (" n" if width < UNREADABLE else "")
    style += f"left:{left:.4%};width:{width:.4%};top:{depth * ROW}px"
    shown = html.escape(shortened(node.name))
    return f'<div class="{classes}" style="{style}" title="{html.escape(text)}">{shown}</div>'


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
<p>{summary}</p>
<p><input id="search" type="search" placeholder="search functions" aria-label="search functions" hidden>
<button id="whole" hidden>show the whole</button> <output id="told"></output></p>
{frames}
<pre id="about"></pre>
<script>{script}</script>
</body>
</html>
"""

_STYLE = """
:root { color-scheme: light; }
body { margin: 1em; background: #fff; color: #222; font: 14px/1.4 system-ui, sans-serif; }
h1 { font-size: 1.2em; margin: 0 0 .3em; }
p { margin: 0 0 .6em; }
b { font-weight: 600; padding: 0 .4em; border-radius: 3px; }
#graph { position: relative; overflow: hidden; }
.f { position: absolute; box-sizing: border-box; height: 18px; padding: 0 3px; border-right: 1px solid #fff;
  border-radius: 2px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; cursor: pointer;
  font: 12px/18px ui-monospace, monospace; color: #111; }
.f:hover { outline: 2px solid #222; outline-offset: -2px; }
.n { font-size: 0; }
.ours { background: #ee8a5f; }
.own { background: #f6c68a; }
.library { background: #f3dc8c; }
.runtime { background: #d5dbe3; }
.same { background: #e4e4e4; }
.more { background: rgba(220, 50, 47, var(--s, .6)); }
.less { background: rgba(38, 110, 210, var(--s, .6)); }
.found { box-shadow: inset 0 0 0 9px #b48cf0; }
.around { opacity: .45; }
#about { position: sticky; bottom: 0; margin: 0; min-height: 3em; background: #fffffff0; white-space: pre-wrap;
  font: 13px/1.4 ui-monospace, monospace; }
"""

_SCRIPT = """
(function () {
  var graph = document.getElementById("graph");
  if (!graph) { return; }
  var search = document.getElementById("search"), whole = document.getElementById("whole");
  var told = document.getElementById("told"), about = document.getElementById("about");
  var frames = Array.prototype.map.call(graph.children, function (element) {
    var style = element.style;
    return { element: element, left: parseFloat(style.left), width: parseFloat(style.width),
      top: parseFloat(style.top), name: element.title.split("\\n")[0].toLowerCase() };
  });
  function zoom(to) {
    frames.forEach(function (f) {
      var inside = f.left >= to.left - 1e-3 && f.left + f.width <= to.left + to.width + 1e-3 && f.top >= to.top;
      var above = f.top < to.top && f.left <= to.left + 1e-3 && f.left + f.width >= to.left + to.width - 1e-3;
      var style = f.element.style;
      style.display = inside || above ? "" : "none";
      style.left = above ? "0" : (f.left - to.left) / to.width * 100 + "%";
      style.width = above ? "100%" : f.width / to.width * 100 + "%";
      f.element.classList.toggle("around", above);
      f.element.classList.toggle("n", !above && f.width / to.width < 0.015);
    });
    whole.hidden = to === frames[0];
  }
  function find() {
    var wanted = search.value.toLowerCase(), ends = [], share = 0, count = 0;
    frames.slice().sort(function (a, b) { return a.top - b.top; }).forEach(function (f) {
      var found = wanted !== "" && f.name.indexOf(wanted) >= 0;
      f.element.classList.toggle("found", found);
      if (!found) { return; }
      count += 1;
      var counted = ends.some(function (e) {
        return f.left >= e.left - 1e-3 && f.left + f.width <= e.left + e.width + 1e-3;
      });
      if (!counted) { ends.push(f); share += f.width; }
    });
    told.textContent = wanted === "" ? "" : count + " frames, " + share.toFixed(2) + " % of the width";
  }
  graph.addEventListener("click", function (event) {
    var hit = frames.filter(function (f) { return f.element === event.target; })[0];
    if (hit) { zoom(hit); }
  });
  graph.addEventListener("mouseover", function (event) {
    if (event.target !== graph) { about.textContent = event.target.title; }
  });
  whole.addEventListener("click", function () { zoom(frames[0]); });
  search.addEventListener("input", find);
  document.addEventListener("keydown", function (event) { if (event.key === "Escape") { zoom(frames[0]); } });
  search.hidden = false;
}());
"""
