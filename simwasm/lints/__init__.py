"""Problems that are found by watching a run: what happened, why, and how to mend it.

`Lints` (lints.py) is told of every crossing and of every exchange that ended, by a running session or from a tape; it
tells of `Problem`s. What is looked for is in small files by what they watch, each with a `Watcher`; `table.py` lists
them. To add a lint:

1. write a `Lint` (id, how bad, title, why, fix) in the file of its topic and put it among the watcher's `LINTS`;
2. tell of it (`self.run.tell`) in a handler of that watcher: `begins` and `ends` name the functions whose calls a
   handler wants to see, so all other calls cost nothing; `claim` says which refusals of the host it explains;
   `exchange` is asked about every exchange that has ended and `over` when the run has;
3. a new watcher goes into `WATCHERS` in table.py;
4. write two tests, a plugin that does it and one that nearly does, and have the page written again:
   `python -m simwasm.lints.page > docs/problems.md`.
"""
