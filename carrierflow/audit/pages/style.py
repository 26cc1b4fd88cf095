"""The style sheet of the pages: ink on paper first; colour only helps."""

from __future__ import annotations


__all__ = ["STYLE"]

STYLE = """
:root {
  --ink: #16202b; --soft: #55616e; --line: #c9d0d8; --faint: #eef1f4; --paper: #fff;
  --main: #1f4e79; --light: #a9c4de; --grey: #9aa5b1; --desk: #e6e9ed;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --ink: #e4e9ee; --soft: #a3afbb; --line: #3c4753; --faint: #232c36; --paper: #161c23;
    --main: #7db3e6; --light: #2f5678; --grey: #75818d; --desk: #0c1015;
  }
}
* { box-sizing: border-box; }
html { background: var(--desk); -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; color: var(--ink); font: 15px/1.5 "Segoe UI", "Noto Sans", "Helvetica Neue", Roboto,
  "DejaVu Sans", Arial, sans-serif; font-variant-numeric: tabular-nums lining-nums;
}
main { max-width: 1040px; margin: 24px auto; padding: 40px 40px 28px; background: var(--paper); }
h1, header p { overflow-wrap: anywhere; }
h1 { font-size: 28px; line-height: 1.2; font-weight: 650; margin: 0 0 6px; }
h2 { font-size: 19px; line-height: 1.3; font-weight: 650; margin: 0 0 4px; }
header { border-bottom: 2px solid var(--ink); padding-bottom: 14px; margin-bottom: 8px; }
header p { margin: 4px 0 0; color: var(--soft); }
section { margin: 34px 0 0; }
.vi { color: var(--soft); font-weight: 400; font-size: .86em; white-space: nowrap; }
.lead { margin: 0 0 12px; max-width: 46em; }
.empty { color: var(--soft); margin: 6px 0; }
.facts { display: grid; grid-template-columns: repeat(4, 1fr); gap: 0; margin: 18px 0 0;
  border-top: 1px solid var(--line); border-left: 1px solid var(--line); }
.facts div { padding: 10px 14px 12px; border-right: 1px solid var(--line);
  border-bottom: 1px solid var(--line); }
.facts dt { color: var(--soft); font-size: 13px; line-height: 1.3; }
.facts dd { margin: 4px 0 0; font-size: 19px; font-weight: 650; line-height: 1.25; }
.facts dd small { display: block; font-size: 13px; font-weight: 400; color: var(--soft); }
figure { margin: 8px 0 14px; }
figcaption { color: var(--soft); font-size: 13px; max-width: 60em; margin-top: 4px; }
svg { display: block; width: 100%; height: auto; font: 13px "Segoe UI", "Noto Sans",
  "Helvetica Neue", Roboto, "DejaVu Sans", Arial, sans-serif; }
.narrow { display: none; }
.scroll { overflow-x: auto; }
.basis { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 6px 0;
  font-size: 13.5px; }
.basis dt { color: var(--soft); }
.basis dd { margin: 0; overflow-wrap: anywhere; }
code { font: 12.5px/1.4 "DejaVu Sans Mono", "Cascadia Mono", Menlo, monospace; }
svg text { fill: var(--ink); }
svg .soft { fill: var(--soft); }
svg .small { font-size: 12px; }
svg .tight { font-size: 12px; }
svg .strong { font-weight: 650; }
svg .halo { paint-order: stroke; stroke: var(--paper); stroke-width: 5px; stroke-linejoin: round; }
table { border-collapse: collapse; width: 100%; margin: 6px 0 14px; font-size: 13.5px;
  line-height: 1.4; }
caption { text-align: left; font-weight: 650; padding: 8px 0 2px; }
th { text-align: left; font-weight: 650; border-bottom: 1px solid var(--ink);
  padding: 4px 14px 4px 0; vertical-align: bottom; }
td { border-bottom: 1px solid var(--line); padding: 4px 14px 4px 0; vertical-align: top; }
.free { overflow-wrap: anywhere; }
th:last-child, td:last-child { padding-right: 0; }
.number { text-align: right; white-space: nowrap; }
.life td { border-bottom: 0; padding-top: 0; padding-bottom: 0; height: 40px;
  vertical-align: middle; }
.life tr.day td { height: 30px; vertical-align: bottom; font-weight: 650; }
.life td.lanes { width: 132px; padding: 0 16px 0 0; }
.life td.lanes svg { width: 120px; height: 40px; }
.life tr.day td.lanes svg { height: 30px; }
.life th svg.letters { width: 120px; height: 16px; }
.life td.clock { width: 7.2em; line-height: 1.25; }
.life .why { color: var(--soft); display: block; font-size: 12.5px; line-height: 1.3; }
.life .key { font-weight: 650; }
footer { margin-top: 36px; padding-top: 10px; border-top: 1px solid var(--line);
  color: var(--soft); font-size: 12.5px; }
@media screen and (max-width: 900px) {
  main { padding: 20px 16px; margin: 0; }
  .wide { display: none; }
  .narrow { display: block; max-width: 480px; }
  .facts { grid-template-columns: repeat(2, 1fr); }
  .vi { white-space: normal; }
  .basis { grid-template-columns: 1fr; }
  .basis dd { margin-bottom: 6px; }
  .scroll td { min-width: 4em; }
  .life thead, .life td.lanes { display: none; }
  .life, .life tbody, .life tr, .life td { display: block; }
  .life tr { padding: 6px 0; border-bottom: 1px solid var(--line); }
  .life tr td, .life tr.day td { height: auto; padding: 0; }
  .life td.clock { display: inline-block; width: auto; margin-right: 12px; color: var(--soft); }
}
@page { size: A4; margin: 14mm 13mm 15mm; }
@media print {
  html { background: none; }
  body { font-size: 9.5pt; line-height: 1.4; }
  main { max-width: none; margin: 0; padding: 0; }
  h1 { font-size: 19pt; } h2 { font-size: 13pt; }
  table { font-size: 8.5pt; }
  section { margin-top: 20pt; }
  h2, .lead { break-after: avoid; }
  figure, .facts, .opening, tr { break-inside: avoid; }
  .opening { break-after: avoid; }
  thead { display: table-header-group; }
  .facts dd { font-size: 13pt; }
  .facts dd small, .facts dt, figcaption, footer { font-size: 8pt; }
  .scroll { overflow: visible; }
  svg, td, th { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
"""Pages carry it whole; their policy allows this text and no other."""
