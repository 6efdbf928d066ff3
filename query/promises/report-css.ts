// How the SLO report looks, on a screen and on paper.

export const REPORT_CSS = `
:root { color-scheme: light; }
body { font: 14px/1.5 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; color: #1a1f29; margin: 24px auto; max-width: 1240px; padding: 0 16px; }
h1 { font-size: 24px; margin: 0 0 8px; }
h2 { font-size: 18px; margin: 32px 0 8px; border-top: 2px solid #1a1f29; padding-top: 12px; }
h3 { font-size: 14px; margin: 16px 0 4px; }
dl { display: flex; flex-wrap: wrap; gap: 4px 32px; margin: 0 0 8px; }
dt { color: #5b6472; font-size: 12px; }
dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 6px 8px; border-bottom: 1px solid #d5dae2; overflow-wrap: anywhere; }
thead th { color: #5b6472; font-size: 12px; font-weight: 600; border-bottom: 2px solid #1a1f29; }
tbody th { font-weight: 600; min-width: 9em; }
.number { text-align: right; white-space: nowrap; }
thead th { overflow-wrap: normal; }
thead .number { white-space: normal; }
.gross, .group, .hint { color: #5b6472; font-weight: 400; }
.gross { font-size: 12px; }
.missed .sli { color: #b42318; font-weight: 700; }
.missed .gross .sli { font-weight: 400; }
.notice { background: #fff4dc; border-left: 4px solid #b7791f; padding: 8px 12px; margin: 8px 0; }
pre { background: #f3f5f8; padding: 8px 12px; margin: 4px 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 12px/1.45 ui-monospace, monospace; }
ul { margin: 4px 0; padding-left: 20px; }
a { color: inherit; }
@page { size: A4 landscape; margin: 12mm; }
@media print {
  body { margin: 0; max-width: none; padding: 0; font-size: 11px; }
  section:first-of-type { break-before: page; }
  h2, h3 { break-after: avoid; }
  tr, dl, li { break-inside: avoid; }
  thead { display: table-header-group; }
  a { text-decoration: none; }
}
`
