"""Golden traces: what a run must do, small enough to be read in a review, and what differs once it does not.

    found = golden_text(entries, header)                 # writing.py
    problem = compare_golden("golden/login.jsonl", found)    # comparing.py: None, or what differs

A golden is a trace file whose header tells how it is played again: by a recipe (`simwasm check`), or by a test of
pytest. Rule: what a golden leaves out is what changes although nothing has changed: the build's digest and addresses,
the guest's allocator, simwasm's own explanations, and what `redactions.py` lists.
"""
