"""A page of all runs: filter, compare, learning curves; opened from disk, without a network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from science.core.fragments import ENVIRONMENT
from science.core.glossary import term
from science.core.report import Report

_CURVES = 400  # points of one curve that the page carries
_COLUMNS = 6  # measures of a run that the table shows
_TEMPLATE = ENVIRONMENT.from_string(
    """<p><label>Show runs with <input id="runs-filter" type="search"
 placeholder="words in any column"></label> <span id="runs-count"></span></p>
<table id="runs-table"><thead><tr><th>Compare</th>{% for name in columns %}<th>{{ name }}</th>
{% endfor %}</tr></thead><tbody>{% for row in rows %}<tr data-run="{{ row.index }}">
<td><input type="checkbox" aria-label="compare {{ row.cells[0] }}"></td>
{% for cell in row.cells %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</tbody></table>
<p><label>Curve <select id="runs-curve">{% for name in curves %}<option>{{ name }}</option>
{% endfor %}</select></label></p>
<svg id="runs-plot" viewBox="0 0 720 300" role="img"
 aria-label="Learning curves of the runs that are ticked"></svg><ul id="runs-legend"></ul>"""
)
_HUES = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#777777")
_STYLE = """#runs-table{margin-bottom:1rem}
#runs-table th,#runs-table td{padding:.3rem .7rem .3rem 0;text-align:left;vertical-align:top}
#runs-table td:nth-child(4){white-space:nowrap}
#runs-plot{width:100%;height:auto;border:1px solid currentColor}
#runs-plot polyline{fill:none;stroke-width:2}#runs-legend{list-style:none;padding:0}
tr[hidden]{display:none}""" + "".join(
    f'#runs-legend li[data-hue="{number}"]{{color:{hue}}}' for number, hue in enumerate(_HUES)
)
_SCRIPT = """
const data = JSON.parse(document.getElementById('runs-data').textContent);
const hues = JSON.parse(document.getElementById('runs-hues').textContent);
const rows = [...document.querySelectorAll('#runs-table tbody tr')];
const filter = document.getElementById('runs-filter');
const plot = document.getElementById('runs-plot');
const legend = document.getElementById('runs-legend');
const pick = document.getElementById('runs-curve');
const make = name => document.createElementNS('http://www.w3.org/2000/svg', name);
function sift() {
  const words = filter.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every(word => text.includes(word));
    shown += row.hidden ? 0 : 1;
  }
  document.getElementById('runs-count').textContent = shown + ' of ' + rows.length;
}
function draw() {
  plot.replaceChildren(); legend.replaceChildren();
  const ticked = rows.filter(r => r.querySelector('input').checked);
  const lines = ticked.map(r => [r, (data[r.dataset.run] || {})[pick.value] || []]);
  const points = lines.flatMap(line => line[1]);
  if (!points.length) { return; }
  const xs = points.map(p => p[0]), ys = points.map(p => p[1]);
  const left = Math.min(...xs), right = Math.max(...xs, left + 1);
  const low = Math.min(...ys), high = Math.max(...ys, low + 1e-12);
  lines.forEach(([row, curve], i) => {
    const line = make('polyline');
    const at = curve.map(p => [60 + 640 * (p[0] - left) / (right - left),
      270 - 250 * (p[1] - low) / (high - low)]);
    line.setAttribute('stroke', hues[i % hues.length]);
    line.setAttribute('points', at.map(p => p.join(',')).join(' '));
    plot.append(line);
    if (at.length === 1) {
      const dot = make('circle');
      dot.setAttribute('cx', at[0][0]); dot.setAttribute('cy', at[0][1]);
      dot.setAttribute('r', 4); dot.setAttribute('fill', hues[i % hues.length]);
      plot.append(dot);
    }
    const item = document.createElement('li');
    item.textContent = '\\u25ac ' + row.cells[1].textContent;
    item.setAttribute('data-hue', i % hues.length);
    legend.append(item);
  });
  const marks = [[low.toPrecision(3), 4, 270], [high.toPrecision(3), 4, 20],
    ['epoch ' + left, 60, 292], [right, 690, 292], [pick.value, 60, 14]];
  marks.forEach(([said, x, y]) => {
    const text = make('text');
    text.setAttribute('x', x); text.setAttribute('y', y);
    text.setAttribute('font-size', 11); text.setAttribute('fill', 'currentColor');
    text.textContent = said; plot.append(text);
  });
}
filter.addEventListener('input', sift);
pick.addEventListener('change', draw);
rows.forEach(row => row.querySelector('input').addEventListener('change', draw));
const usual = [...pick.options].find(option => option.value === 'val/loss');
if (usual) { usual.selected = true; }
rows.slice(0, 3).forEach(row => { row.querySelector('input').checked = true; });
sift(); draw();
"""


def write(root: str | Path, rows: Sequence[dict[str, Any]], out: str | Path) -> Path:
    """Write the page of these rows of the index to ``out``."""
    root = Path(root)
    facts = [json.loads(row["facts"]) for row in rows]
    measures = _shared([fact["metrics"] for fact in facts])
    columns = ["Run", "Experiment", "Started", "State", "Seed", "CPU s"]
    columns += [term(name).label for name in measures] or ["Results"]
    cells = [
        {
            "index": index,
            "cells": [
                row["folder"],
                row["experiment"],
                row["started"][:16].replace("T", " "),
                row["state"],
                str(fact["seed"]),
                f"{row['cpu_s']:.0f}",
                *_results(fact["metrics"], measures),
            ],
        }
        for index, (row, fact) in enumerate(zip(rows, facts, strict=True))
    ]
    curves = {str(i): _curves(root / row["folder"]) for i, row in enumerate(rows)}
    names = sorted({name for found in curves.values() for name in found})
    page = Report("All runs", "Everything below one folder, read from the runs' own files.")
    page.section("Runs", "Tick runs to compare their learning curves.")
    html = _TEMPLATE.render(columns=columns, rows=cells, curves=names)
    page.html(Markup(html))  # noqa: S704 - made by an autoescaping template
    page.style(_STYLE).data("runs-data", curves).data("runs-hues", list(_HUES)).script(_SCRIPT)
    return page.write(out)


def _shared(every: Sequence[Mapping[str, float]]) -> list[str]:
    """Measures that all finished runs have, which are worth a column each."""
    having = [metrics for metrics in every if metrics]
    first = having[0] if having else {}
    return [name for name in first if all(name in metrics for metrics in having)][:_COLUMNS]


def _results(metrics: Mapping[str, float], measures: Sequence[str]) -> list[str]:
    if measures:
        return [f"{metrics[m]:.4g}" if m in metrics else "" for m in measures]
    some = list(metrics.items())[:_COLUMNS]
    return ["; ".join(f"{term(name).label} {value:.4g}" for name, value in some)]


def _curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Name -> (epoch, mean over the run's networks) of a run's history."""
    try:
        frame = pd.read_csv(folder / "history.csv")
        mean = frame.groupby(["name", "epoch"], sort=True)["value"].mean().dropna()
    except (OSError, ValueError, KeyError):
        return {}
    found: dict[str, list[tuple[int, float]]] = {}
    for name, epoch, value in mean.reset_index().to_numpy():
        found.setdefault(str(name), []).append((int(epoch), float(value)))
    return {name: points[:: max(1, len(points) // _CURVES)] for name, points in found.items()}
