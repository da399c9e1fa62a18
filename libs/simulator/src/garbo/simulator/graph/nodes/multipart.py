"""Bodies of several parts (`multipart/form-data`), read whole."""

import re
from dataclasses import dataclass
from email.message import Message
from typing import Final

from garbo.simulator.graph.errors import Refusal, plain_error

_HEADER: Final = re.compile(rb"([^:\r\n]+):[ \t]*([^\r\n]*)\r\n")
MOST_PARTS: Final = 16


@dataclass(frozen=True, slots=True)
class Part:
    """One part: a field's value or a file."""

    content: bytes
    filename: str | None
    mime_type: str


def parts_of(content_type: str, body: bytes) -> dict[str, Part]:
    """Read the parts by name; raises `Refusal` for a body that is none."""
    boundary = _parameter(content_type, "boundary")
    if not content_type.lower().startswith("multipart/form-data") or not boundary:
        raise Refusal(plain_error("(#100) The body must be multipart/form-data."))
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    if len(pieces) < 3 or len(pieces) > MOST_PARTS + 2 or not pieces[-1].startswith(b"--"):  # noqa: PLR2004
        raise Refusal(plain_error("(#100) The body is not whole."))
    return dict(_part(piece) for piece in pieces[1:-1])


def _part(piece: bytes) -> tuple[str, Part]:
    head, found, content = piece.partition(b"\r\n\r\n")
    if not found:
        raise Refusal(plain_error("(#100) A part of the body has no headers."))
    headers = {k.decode("latin-1").strip().lower(): v.decode() for k, v in _HEADER.findall(head + b"\r\n")}
    shown = headers.get("content-disposition", "")
    name = _parameter(shown, "name")
    if not name:
        raise Refusal(plain_error("(#100) A part of the body has no name."))
    mime_type = headers.get("content-type", "text/plain")
    return name, Part(content, _parameter(shown, "filename"), mime_type)


def _parameter(header: str, name: str) -> str | None:
    message = Message()
    message["content-disposition"] = header
    value = message.get_param(name, header="content-disposition")
    return value if isinstance(value, str) else None
