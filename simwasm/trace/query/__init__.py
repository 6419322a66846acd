"""The filter language: one way to say which rows are meant, for the trace, for breakpoints and for the command line.

    call:get_header map:req key~"auth" status!=OK        and `ctx:4 phase:resp (ret:Pause or dur>1ms)`

`compile` makes a test of a text, `complete` says what may be typed next; both derive from the table in `terms.py`.
"""

from simwasm.trace.query.compiled import Query, compile
from simwasm.trace.query.complete import Candidate, complete
from simwasm.trace.query.subject import NOWHERE, RowSubject, Subject, Surroundings
from simwasm.trace.query.syntax import QueryError, parse
from simwasm.trace.query.terms import TERMS, Term

__all__ = [
    "NOWHERE", "TERMS", "Candidate", "Query", "QueryError", "RowSubject", "Subject", "Surroundings", "Term", "compile",
    "complete", "parse",
]  # fmt: skip
