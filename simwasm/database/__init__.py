"""Trace files as a database: tables that DuckDB reads straight from the JSON Lines, and questions about them in SQL.

    with Database(["login.trace.jsonl"]) as database:
        answer = database.ask("select function, count(*) from calls group by 1")
        answer.columns, list(answer.rows)

`tables.py` says what there is, `views.py` how it is read, `database.py` has `Database`. Nothing is copied: a table is a
view over the files, made of as little as the question names.
"""
