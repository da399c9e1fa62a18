"""The files a message shows, by id or by link, and whether the platform can show them.

It never fetches a link: `control` says which are broken. Source: Meta, "Messages" and "Error codes" 131053.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from garbo.simulator.assets.media import MediaStore
from garbo.simulator.graph.errors import GraphError, graph_error

KINDS: Final = ("image", "video", "audio", "document", "sticker")
_SHOWING: Final = (*KINDS, "interactive")
UNSHOWN: Final = 131053


@dataclass(frozen=True, slots=True)
class File:
    """One file of a message."""

    kind: str
    id: str | None
    link: str | None


def files_of(kind: str, body: dict[str, Any]) -> tuple[File, ...]:
    """List the files of a message whose shape is good, wherever they stand: headers, parameters, cards."""
    if kind == "template":  # most of what is sent: bodies and buttons hold no file
        parts = [
            one for one in body[kind].get("components") or () if one.get("type") not in ("body", "button")
        ]
        return tuple(_files(parts)) if parts else ()
    return tuple(_files({kind: body.get(kind)})) if kind in _SHOWING else ()


def unknown_file(files: Iterable[File], store: MediaStore, waba: str) -> GraphError | None:
    """Refuse an id that is not a living file of this account."""
    for file in files:
        if file.id is not None and store.of(file.id, waba) is None:
            why = f"Param {file.kind}['id'] is not a valid whatsapp business account media attachment ID"
            return graph_error(100, why)
    return None


def broken_file(files: Iterable[File], store: MediaStore, broken_links: Iterable[str]) -> bool:
    """Tell whether a file cannot be shown, which the platform finds out later (131053)."""
    for file in files:
        media = store.get(file.id) if file.id is not None else None
        if media is not None and not media.suits(file.kind):
            return True
        if file.link is not None and any(part in file.link for part in broken_links):
            return True
    return False


def _files(part: object) -> Iterator[File]:
    if isinstance(part, list | tuple):
        for one in part:
            yield from _files(one)
    elif isinstance(part, dict):
        for name, value in part.items():
            if name in KINDS and isinstance(value, dict):
                media_id, link = value.get("id"), value.get("link")
                yield File(name, *(None if given is None else str(given) for given in (media_id, link)))
            elif isinstance(value, dict | list):
                yield from _files(value)
