"""YAML files that users hand over, read without trusting them.

Rules: only plain values come out of a file, never objects; what an alias repeats counts each time, so that a small file
cannot become a large one; whatever is wrong is a sentence with the file and the line.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from simwasm.errors import ConfigError, InputError

MOST_VALUES = 100_000
LARGEST = 16 << 20
_DEEPEST = 100
_MOST_MERGED, _MOST_KEYS = 100, 10_000
_TOO_MUCH = "`<<` merges more than anybody writes"
_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")


@cache
def _loader() -> Any:
    """The safe loader, which takes a date for a text and `1e3` for a number, as the reader that Istio has does."""
    import yaml  # type: ignore[import-untyped]  # it takes 30 ms, for those who have such a file

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # it has no types
        def flatten_mapping(self, node: Any) -> None:
            """Merge what `<<` names, which the reader would do without end."""
            several = (value.value for key, value in node.value if key.tag == merge)
            if any(len(each) > _MOST_MERGED for each in several):
                raise yaml.constructor.ConstructorError(None, None, _TOO_MUCH, node.start_mark)
            super().flatten_mapping(node)
            if len(node.value) > _MOST_KEYS:
                raise yaml.constructor.ConstructorError(None, None, _TOO_MUCH, node.start_mark)

    merge = "tag:yaml.org,2002:merge"
    stamp, number = "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:float"
    Loader.yaml_implicit_resolvers = {
        first: [(tag, form) for tag, form in known if tag != stamp]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Loader.add_implicit_resolver(number, _EXPONENT, list("-+0123456789"))
    return Loader


def read_yaml(path: str | Path) -> list[Any]:
    """The documents of a file."""
    import yaml

    try:
        text = Path(path).read_bytes().decode("utf-8")
        documents = [document for document in yaml.load_all(text, _loader()) if document is not None]
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 at byte {error.start}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f":{mark.line + 1}" if mark is not None else ""
        raise ConfigError(f"{path}{where}: is not YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        raise ConfigError(f"{path}: is not YAML: {str(error).splitlines()[0]}") from None
    _count(documents, path)
    return documents


def _count(documents: list[Any], path: str | Path) -> None:
    """Refuse what is larger than it looks, deeper than anybody writes, or contains itself."""
    seen, size, waiting = 0, 0, [(document, 0) for document in documents]
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        size += len(value) if isinstance(value, (str, bytes)) else 0
        if seen > MOST_VALUES or depth > _DEEPEST or size > LARGEST:
            raise ConfigError(
                f"{path}: has more than {MOST_VALUES:,} values or {LARGEST >> 20} MiB of text, or is nested more than "
                f"{_DEEPEST} deep, aliases counted"
            )
        if isinstance(value, dict):
            waiting += ((each, depth + 1) for item in value.items() for each in item)
        elif isinstance(value, list):
            waiting += ((each, depth + 1) for each in value)
