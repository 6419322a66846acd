"""Which plugin a VM runs, by the VM's name, which is all that a trace tells of it.

auth          the VM of the plugin `auth`
auth#2        another VM of that name: of the second plugin that is called so, or the same plugin's, made again
auth@2        that of the second worker
auth + log    plugins that share a VM; the first of them
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_NAME = re.compile(r"(?P<plugin>.*?)(?:@\d+)?(?:#(?P<nth>\d{1,9}))?", re.S)


def plugin_of(vm: str, plugins: Sequence[str]) -> int | None:
    """The place of the plugin among these names; None if it is none of them."""
    if vm in plugins:
        return plugins.index(vm)
    found = _NAME.fullmatch(vm)
    assert found is not None
    alike = [at for at, name in enumerate(plugins) if name == found["plugin"]]
    if alike:
        nth = int(found["nth"] or 1)
        return alike[nth - 1] if 0 < nth <= len(alike) else alike[0]
    inside = [name for name in plugins if found["plugin"].startswith(f"{name} + ")]
    return plugins.index(max(inside, key=len)) if inside else None
