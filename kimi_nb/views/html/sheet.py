"""How a run's page looks, beyond what its parts bring along: see `page.STYLE`.

A long answer scrolls by itself, so that the pictures stay near; on paper all of it is there.
"""

from __future__ import annotations

__all__ = ["SHEET"]

SHEET = """
:root { color-scheme: light dark; --paper: #fff; }
body { margin: 0; background: var(--paper); color: #1f2328;
  font-family: system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif; }
main.knb { margin: 0 auto; padding: 1.5em 1.5em 4em; }
.knb.knb h1 { font-size: 1.35em; line-height: 1.3; margin: 0 0 .4em; overflow-wrap: anywhere; }
.knb.knb h2 { font-size: 1.12em; margin: 1.8em 0 .4em; padding-bottom: .15em;
  border-bottom: 1px solid var(--line); }
.knb.knb .answer, .knb.knb .agents, .knb.knb .flow, .knb.knb details { overflow-x: auto; }
.knb.knb .answer { max-height: 32em; overflow-y: auto; }
.knb.knb .agents table { width: 100%; font-size: .93em; }
.knb.knb .agents td { overflow-wrap: anywhere; }
.knb.knb .agents td:nth-child(3) { min-width: 11em; width: 45%; }
.knb.knb .agents th[scope=row] { min-width: 8em; overflow-wrap: anywhere; }
.knb.knb .agents thead .n { white-space: normal; }
.knb.knb thead th { vertical-align: bottom; }
.knb.knb .findings td:nth-child(2) { min-width: 16em; }
.knb.knb td.state { white-space: nowrap; font-weight: 400; }
.knb.knb tbody th[scope=row] { font-weight: 400; }
.knb.knb .images td { overflow-wrap: anywhere; }
.knb.knb .images td:last-child { min-width: 170px; }
.knb.knb .images img { max-width: 160px; max-height: 160px; border: 1px solid var(--line); }
.knb.knb details { margin: .4em 0; }
.knb.knb summary { cursor: pointer; opacity: .75; font-size: .92em; }
.knb.knb .chart { display: block; overflow: visible; width: calc(100% - 4em);
  margin: 2.4em 0 3em 3em; }
.knb.knb .chart text, .knb.knb .flow text { font-size: 11.5px; fill: currentColor;
  font-variant-numeric: tabular-nums; }
.knb.knb .middle { text-anchor: middle; }
.knb.knb .end { text-anchor: end; }
.knb.knb .halo { paint-order: stroke; stroke: var(--paper); stroke-width: 4px;
  stroke-linejoin: round; font-weight: 600; }
.knb.knb .grid { stroke: var(--line); }
.knb.knb .mean, .knb.knb .edge { fill: none; stroke: currentColor; stroke-width: 1.2;
  vector-effect: non-scaling-stroke; }
.knb.knb .mean { stroke-dasharray: 6 4; }
.knb.knb .band { fill: var(--call); opacity: .25; }
.knb.knb circle { fill: var(--crit); stroke: var(--paper); }
.knb.knb .flow { display: flex; flex-wrap: wrap; row-gap: .8em; margin: .6em 0; }
.knb.knb .flow svg { flex: none; display: block; }
.knb.knb .flow .edge { stroke: var(--wait); }
.knb.knb .flow .edge.critical { stroke: currentColor; stroke-width: 3; }
.knb.knb .tip { fill: var(--wait); }
.knb.knb .box { fill: var(--paper); stroke: var(--wait); }
.knb.knb .box.main { fill: color-mix(in srgb, var(--call) 16%, var(--paper)); }
.knb.knb .box.critical { stroke: currentColor; stroke-width: 3; fill: var(--paper); }
.knb.knb .box.main.critical { fill: color-mix(in srgb, var(--call) 16%, var(--paper)); }
.knb.knb .box.stack { stroke-dasharray: 4 3; }
.knb.knb .slowest { fill: none; stroke: currentColor; vector-effect: non-scaling-stroke; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181c; } body { color: #e3e6ea; } }
@media print {
  main.knb { max-width: none; padding: 0; }
  .knb.knb .answer { max-height: none; }
  .knb.knb .figure, .knb.knb tr { break-inside: avoid; }
  .knb.knb .flow svg { max-width: 100%; height: auto; }
  .knb.knb details::details-content { content-visibility: visible; block-size: auto; }
}
"""
