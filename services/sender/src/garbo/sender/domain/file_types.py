"""Whether a file's bytes begin as files of its type do. Not whether it is whole, or harmless.

Sources: the formats' own specifications, and the WHATWG's MIME sniffing standard (read 2026-11).
"""

from collections.abc import Callable, Mapping
from typing import Final

HEAD_BYTES: Final = 1024
"""So much of a file is looked at: a PDF may begin that late."""
_ADTS: Final = (b"\xff\xf1", b"\xff\xf9")
_ONES, _SYNC, _LAYER_BITS, _LAYER_3 = 0xFF, 0xE0, 0x06, 0x02
_CONTROLS: Final = frozenset(range(0x20)) - {*b"\t\n\v\f\r\x1b"}


def agrees(mime_type: str, head: bytes) -> bool:
    """Say whether a file that begins so can be of this type; False for a type that nobody can tell."""
    looks = _LOOKS.get(mime_type)
    return looks is not None and looks(head[:HEAD_BYTES])


def contradicts(mime_type: str, head: bytes) -> bool:
    """Say whether a file that begins so cannot be of this type; False for a type that nobody can tell."""
    looks = _LOOKS.get(mime_type)
    return looks is not None and not looks(head[:HEAD_BYTES])


def _begins(*signatures: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(signatures)


def _is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _is_mp4(head: bytes) -> bool:
    """Tell the ISO base media format: a box `ftyp` first. 3GPP's is the same with another brand."""
    return head[4:8] == b"ftyp"


def _is_mpeg_audio(head: bytes) -> bool:
    """Tell an ID3 tag, or a frame of layer III."""
    if head[:3] == b"ID3":
        return True
    frame = head[:2] if len(head) > 1 else b"\0\0"
    return frame[0] == _ONES and frame[1] & _SYNC == _SYNC and frame[1] & _LAYER_BITS == _LAYER_3


def _is_text(head: bytes) -> bool:
    """Tell text by what no text holds: control characters, unless it is UTF-16, which says so."""
    return head.startswith((b"\xff\xfe", b"\xfe\xff")) or _CONTROLS.isdisjoint(head)


_ZIP: Final = _begins(b"PK\x03\x04")
_OLE: Final = _begins(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_OGG: Final = _begins(b"OggS")
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_LOOKS: Final[Mapping[str, Callable[[bytes], bool]]] = {
    "image/jpeg": _begins(b"\xff\xd8\xff"),
    "image/png": _begins(b"\x89PNG\r\n\x1a\n"),
    "image/webp": _is_webp,
    "video/mp4": _is_mp4,
    "video/3gpp": _is_mp4,
    "audio/aac": lambda head: head.startswith(_ADTS) or _is_mp4(head),
    "audio/amr": _begins(b"#!AMR"),
    "audio/mpeg": _is_mpeg_audio,
    "audio/mp4": _is_mp4,
    "audio/ogg": _OGG,
    "audio/opus": _OGG,
    "application/pdf": lambda head: b"%PDF-" in head,
    "text/plain": _is_text,
    "text/csv": _is_text,
    "application/msword": _OLE,
    "application/vnd.ms-excel": _OLE,
    "application/vnd.ms-powerpoint": _OLE,
    f"{_OFFICE}wordprocessingml.document": _ZIP,
    f"{_OFFICE}spreadsheetml.sheet": _ZIP,
    f"{_OFFICE}presentationml.presentation": _ZIP,
}
