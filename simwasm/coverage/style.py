"""How the pages look, light and dark."""

STYLE = """
:root { color-scheme: light dark; --text: #1d2433; --soft: #5b6577; --back: #fff; --line: #dfe3ea; --head: #f4f6f9;
  --hit: #e3f5e6; --miss: #fde4e4; --good: #2e9e4f; --fair: #c98a00; --poor: #d0393e; --link: #1857c4; }
@media (prefers-color-scheme: dark) { :root { --text: #e3e7ef; --soft: #98a2b5; --back: #14171d; --line: #2c323d;
  --head: #1b2028; --hit: #16331f; --miss: #461b20; --good: #4cc071; --fair: #e0ae3c; --poor: #f0686d;
  --link: #83b0ff; } }
* { box-sizing: border-box; }
body { margin: 0; color: var(--text); background: var(--back); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.35rem; margin: 1.5rem 0 .75rem; overflow-wrap: anywhere; }
small { color: var(--soft); font-weight: normal; font-size: .8em; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
.figures { display: flex; flex-wrap: wrap; gap: .75rem; padding: 0; list-style: none; }
.figures li { border: 1px solid var(--line); border-radius: 8px; padding: .5rem .9rem; }
.figures b { font-size: 1.2rem; } .figures span { display: block; color: var(--soft); font-size: .85rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th { text-align: left; color: var(--soft); font-weight: 600; background: var(--head); }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bar { display: inline-block; width: 8rem; height: .6rem; border-radius: 3px; background: var(--line);
  overflow: hidden; vertical-align: middle; }
.bar i { display: block; height: 100%; } .good { background: var(--good); } .fair { background: var(--fair); }
.poor { background: var(--poor); }
table:not(.source table) td:first-child:not(.n) { min-width: 9rem; }
@media (max-width: 40rem) { .bar { width: 2rem; } th, td { padding: .25rem .4rem; } main { padding: .75rem; } }
details { margin: 1rem 0; } summary { cursor: pointer; font-weight: 600; padding: .25rem 0; }
tr.miss td:first-child { border-left: 4px solid var(--poor); }
tr.hit td:first-child { border-left: 4px solid var(--good); }
.source td { border: 0; padding: 0 .6rem; }
.source td:first-child { border-left: 4px solid transparent; color: var(--soft); user-select: none; width: 1%; }
.source .m { width: 1%; user-select: none; } .source tr.hit { background: var(--hit); }
.source tr.miss { background: var(--miss); } .source tr:target { outline: 2px solid var(--link); }
pre { margin: 0; font: 13px/1.45 ui-monospace, monospace; white-space: pre; }
"""
