"""Files customers send: drawn here, small and whole, or given by whoever makes them write."""

from dataclasses import dataclass
from random import Random
from typing import Final, Literal

AttachmentKind = Literal["image", "audio", "video", "document", "sticker"]
_PNG: Final = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\nIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4\x00\x00\x00\x00IEND\xaeB`\x82"
)
_PDF: Final = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
_MIME: Final[dict[AttachmentKind, str]] = {
    "image": "image/png",
    "audio": "audio/ogg; codecs=opus",
    "video": "video/mp4",
    "document": "application/pdf",
    "sticker": "image/webp",
}
_BEGINS: Final[dict[AttachmentKind, bytes]] = {
    "image": _PNG,
    "audio": b"OggS\x00\x02",
    "video": b"\x00\x00\x00\x18ftypmp42",
    "document": _PDF,
    "sticker": b"RIFF\x1a\x00\x00\x00WEBPVP8L",
}
DRAWN_BYTES: Final = 512


@dataclass(frozen=True, slots=True)
class Attachment:
    """What a customer sends beside, or instead of, words."""

    kind: AttachmentKind
    content: bytes
    mime_type: str
    filename: str | None = None
    voice: bool = False
    """A voice note."""


def drawn(kind: AttachmentKind, random: Random, *, mime_type: str | None = None) -> Attachment:
    """Draw a file: it begins as its kind does and is different each time."""
    content = _BEGINS[kind] + random.randbytes(DRAWN_BYTES)
    filename = "document.pdf" if kind == "document" else None
    return Attachment(kind, content, mime_type or _MIME[kind], filename, voice=kind == "audio")
