"""The request of an exchange as a curl command."""

from __future__ import annotations

from simwasm.debug.export_subject import Subject
from simwasm.traffic.curl_writing import curl_command


def curl(subject: Subject) -> str:
    """The command, over several lines."""
    return curl_command(subject.exchange())
