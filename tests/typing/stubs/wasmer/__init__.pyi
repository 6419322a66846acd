# wasmer has no types, and outside CPython 3.10 no build to look at: whatever is asked of it is there.
from typing import Any

def __getattr__(name: str) -> Any: ...
