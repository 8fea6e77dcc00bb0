/** The report's style sheet: two colour schemes, and one column on narrow screens. */
export const STYLE: string = `
:root { --ground: #fbfaf7; --ink: #1d1f24; --faint: #626873; --line: #dcdad3; --ours: #0b7a5c; --theirs: #9a9fa9; --range: #1d1f24; --warn: #a33a12; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #15171b; --ink: #e9e8e4; --faint: #9aa0ab; --line: #33373f; --ours: #3fcf9f; --theirs: #646b78; --range: #e9e8e4; --warn: #ff9a6b; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; overflow-x: clip; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 3rem 0 .25rem; }
p { margin: .25rem 0 1rem; max-width: 44rem; }
.lead { font-size: 1.1rem; }
.unit, figcaption { color: var(--faint); font-size: .85rem; }
.warning { color: var(--warn); font-weight: 600; }
.bars { list-style: none; margin: 1rem 0 0; padding: 0; }
.bars li, .scale { display: grid; grid-template-columns: minmax(0, 17rem) 1fr 6rem; gap: 0 1rem; align-items: center; }
.bars li { padding: .2rem 0; }
.name { overflow-wrap: anywhere; }
.track { position: relative; height: 1.1rem; border-left: 1px solid var(--line); }
.bar { position: absolute; inset: 0 auto 0 0; border-radius: 0 3px 3px 0; background: var(--theirs); }
.ours .bar { background: var(--ours); }
.ours .name { font-weight: 600; }
.range { position: absolute; top: 50%; height: 1px; background: var(--range); min-width: 1px; }
.value { text-align: right; font-variant-numeric: tabular-nums; }
.ticks { grid-column: 2; position: relative; height: 1.4rem; border-top: 1px solid var(--line); font-size: .75rem; color: var(--faint); }
.ticks span { position: absolute; transform: translateX(-50%); }
figure { margin: 1rem 0; }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--faint); font: 13px system-ui, sans-serif; }
.grid line { stroke: var(--line); }
.curve path { fill: none; stroke: var(--theirs); stroke-width: 2.5; stroke-linejoin: round; }
.curve circle { fill: var(--theirs); }
.curve.ours path { stroke: var(--ours); }
.curve.ours circle { fill: var(--ours); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .25rem 0 0; padding: 0; }
.legend li::before { content: ''; display: inline-block; width: 1rem; height: 3px; margin-right: .4rem; vertical-align: middle; background: var(--theirs); }
.legend li.ours::before { background: var(--ours); }
summary { cursor: pointer; color: var(--faint); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--faint); }
th, td { padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
dl { display: grid; grid-template-columns: 7rem 1fr; gap: .25rem 1rem; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  main { padding: 1.25rem 1rem 3rem; }
  h1 { font-size: 1.6rem; }
  .bars li { grid-template-columns: 1fr auto; padding: .35rem 0; }
  .track { grid-column: 1 / -1; grid-row: 2; }
  .scale, .ticks { display: block; }
  svg text { font-size: 22px; }
  thead { display: none; }
  tr { display: block; padding: .6rem 0; border-bottom: 1px solid var(--line); }
  td { display: flex; justify-content: space-between; gap: 1rem; border: 0; padding: .1rem 0; text-align: right; }
  td::before { content: attr(data-title); color: var(--faint); text-align: left; }
  td:first-child { font-weight: 600; text-align: left; }
  td:empty { display: none; }
  dl { grid-template-columns: 1fr; }
  dd { margin-bottom: .5rem; }
}
@media (prefers-reduced-motion: no-preference) {
  .bar { transition: width .3s; }
}
`;
