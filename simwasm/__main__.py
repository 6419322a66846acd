"""`python -m simwasm`."""

from simwasm.cli import main

raise SystemExit(main())
