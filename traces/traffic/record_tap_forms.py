"""Records tap/: what the real Envoy's tap filter, tap transport socket and admin endpoint write, in every form.

    pip install 'simwasm[envoy]'; PYTHONPATH=tests/support python traces/traffic/record_tap_forms.py

Ten requests go through one Envoy: bodies in pieces, trailers both ways, bytes that are no text, bodies longer than the
tap keeps, gRPC, an upstream that resets the connection before and in its answer, a client that goes away.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tapping import admin_tap, talk, tapping

from simwasm.parity.bootstrap import TapForm

FOLDER = Path(__file__).with_name("tap")
KEPT_WHOLE = "buffered_bytes"
UPLOAD = b"/upload"
"""Of the other forms one stream is kept, which has everything in it."""


def main() -> None:
    """Record everything; keep one form whole, and a stream of each other form."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    with tempfile.TemporaryDirectory() as name, tapping(Path(name)) as envoy:
        talk(envoy)
        for form in Path(name).iterdir():
            keep(form, Path(name))
        for file, written, streamed in (
            ("admin_streamed_bytes.json", TapForm.BYTES, True),
            ("admin_buffered_string.json", TapForm.STRING, False),
        ):
            got: list[bytes] = []
            with admin_tap(envoy, got, form=written, streamed=streamed):
                talk(envoy)
            (FOLDER / file).write_bytes(b"".join(got))


def keep(form: Path, folder: Path) -> None:
    """Copy what is worth its bytes."""
    readable = folder / ("socket_buffered_binary" if form.name.startswith("socket") else "buffered_binary")
    uploads = [file.stem for file in readable.iterdir() if UPLOAD in file.read_bytes()]
    into = FOLDER / form.name
    into.mkdir()
    for file in form.iterdir():
        if form.name == KEPT_WHOLE or file.stem in uploads:
            shutil.copy(file, into)


if __name__ == "__main__":
    main()
