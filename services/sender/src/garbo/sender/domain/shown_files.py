"""Which files a kind of message shows. Pure.

Source: Meta, Cloud API "Media", "Supported media types" (read 2026-11).
"""

from typing import Final

MIB: Final = 1024 * 1024
LARGEST_BYTES: Final = 100 * MIB
STICKER_BYTES, ANIMATED_BYTES = 100 * 1024, 500 * 1024
_TYPES: Final = {
    "audio": frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}),
    "image": frozenset({"image/jpeg", "image/png"}),
    "sticker": frozenset({"image/webp"}),
    "video": frozenset({"video/mp4", "video/3gpp"}),
}
"""A document may be of any type."""
_MOST_BYTES: Final = {"audio": 16 * MIB, "image": 5 * MIB, "video": 16 * MIB, "sticker": ANIMATED_BYTES}
_FLAGS_AT, _MOVES = 20, 0x02


def is_animated(head: bytes) -> bool:
    """Say whether a sticker moves: the extended form of WebP says so in its flags."""
    return head[12:16] == b"VP8X" and len(head) > _FLAGS_AT and bool(head[_FLAGS_AT] & _MOVES)


def fault_as(kind: str, *, mime_type: str, size_bytes: int, animated: bool) -> str | None:
    """Say why a message of a kind cannot show such a file; None: it can."""
    if kind in _TYPES and mime_type not in _TYPES[kind]:
        return "type"
    most = _MOST_BYTES.get(kind, LARGEST_BYTES)
    if kind == "sticker" and not animated:
        most = STICKER_BYTES
    return "size" if size_bytes > most else None
