"""A page that a browser shows: what all pages have in common.

Rules: a page brings along all it needs, asks nobody for anything and runs no script; whatever a plugin or a file says
is escaped; it is light or dark as the reader has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from simwasm.trace.text import printable
from simwasm.wasm.disasm import one_line

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
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); overflow-wrap: break-word; max-width: 40rem; }
.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bar { display: inline-block; width: 8rem; height: .6rem; border-radius: 3px; background: var(--line);
  overflow: hidden; vertical-align: middle; }
.bar i { display: block; height: 100%; } .good { background: var(--good); } .fair { background: var(--fair); }
.poor { background: var(--poor); }
@media (max-width: 40rem) { .bar { width: 2rem; } th, td { padding: .25rem .4rem; max-width: 20rem; }
  main { padding: .75rem; } }
details { margin: 1rem 0; } summary { cursor: pointer; font-weight: 600; padding: .25rem 0; }
"""


def whole(title: str, body: str, style: str = "") -> str:
    """A whole page."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escaped(title)}</title><style>{STYLE}{style}</style></head>\n"
        f"<body><main>\n{body}\n</main></body></html>\n"
    )


def escaped(said: str) -> str:
    """What somebody else has said, in one line, as part of a page."""
    return escape(printable(one_line(said)))


def figures(items: Iterable[tuple[str, str, str]]) -> str:
    """Figures side by side: each with what it counts, and a remark."""
    shown = (f"<li><b>{figure}</b> {what}<span>{remark}</span></li>" for figure, what, remark in items)
    return f'<ul class="figures">{"".join(shown)}</ul>'


def table(heads: Sequence[str], rows: str) -> str:
    """A table; a head that begins with `#` stands over figures."""
    cells = "".join(
        f'<th class="n">{head[1:]}</th>' if head[:1] == "#" else f"<th>{head}</th>" for head in heads
    )
    return f'<div class="wide"><table><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table></div>'


def bar(percent: float, kind: str) -> str:
    """A bar that is so full: `good`, `fair` or `poor`."""
    return f'<span class="bar"><i class="{kind}" style="width:{percent:.1f}%"></i></span>'
