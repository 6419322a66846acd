"""How the pages of coverage look, besides what all pages have."""

STYLE = """
table:not(.source table) td:first-child:not(.n) { min-width: 9rem; }
tr.miss td:first-child { border-left: 4px solid var(--poor); }
tr.hit td:first-child { border-left: 4px solid var(--good); }
.source td { border: 0; padding: 0 .6rem; }
.source td:first-child { border-left: 4px solid transparent; color: var(--soft); user-select: none; width: 1%; }
.source .m { width: 1%; user-select: none; } .source tr.hit { background: var(--hit); }
.source tr.miss { background: var(--miss); } .source tr:target { outline: 2px solid var(--link); }
pre { margin: 0; font: 13px/1.45 ui-monospace, monospace; white-space: pre; }
"""
