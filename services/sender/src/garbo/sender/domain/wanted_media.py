"""What a message shows that the platform has not got yet: where it stands in the body, and where it is from.

A body holds the platform's id in each of these places once it is known. Pure.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import msgspec

from garbo.sender.domain.outcomes import Answer, Answered, Failed, NotYet, code_of
from garbo.sender.domain.shown_files import fault_as

KINDS: Final = frozenset({"image", "video", "audio", "document", "sticker"})
_STRANGE: Final = frozenset({"flow_action_payload", "flow_action_data"})
"""What stands in these is the business's own: no file of the platform's."""
MOST_TRIES: Final = 2
"""So often a file is uploaded again that the platform says it does not know."""
FORGOTTEN: Final = "media_forgotten"
REFUSED: Final = "media_refused"
UNREACHABLE: Final = "media_unreachable"
UNKNOWN: Final = "media_unknown"
_UNKNOWN_CODES: Final = frozenset({100, 131009})
"""An id the platform does not know (any more), and much else: the text must tell."""
_ID: Final = re.compile(r"\bid\b")

Place = tuple[str | int, ...]


class MediaRef(msgspec.Struct, frozen=True):
    """One place of a body."""

    at: Place
    """The way to the media object."""
    kind: str
    source: str
    """`sha256:` and a file's name, or `link:` and the hash of a link."""
    link: str | None = None


class WantedMedia(msgspec.Struct, frozen=True):
    """All places of a body, and how often the platform did not know what it had been given."""

    refs: tuple[MediaRef, ...]
    tries: int = 0

    @classmethod
    def read(cls, text: bytes) -> "WantedMedia":
        """Read what `text` wrote."""
        return msgspec.json.decode(text, type=cls)

    @property
    def once_more(self) -> "WantedMedia":
        """Say that it is to be had once more."""
        return WantedMedia(self.refs, self.tries + 1)

    @property
    def text(self) -> bytes:
        """Write it, as it is kept."""
        return msgspec.json.encode(self)


@dataclass(frozen=True, slots=True)
class FoundMedia:
    """What is known of a source for one number and brand."""

    sha256: str | None = None
    """None: its link has not been fetched."""
    mime_type: str | None = None
    """None: there is no such file of the brand."""
    size_bytes: int = 0
    animated: bool = False
    media_id: str | None = None
    """The platform's; None: it has not got it."""
    fault: str | None = None
    """Why it will not be had."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """What becomes of a message: it may go with this body, is not sent, or waits for one more source."""

    body: bytes | None = None
    refused: str | None = None
    source: str | None = None


def wanted_of(body: Mapping[str, Any], fetches: Callable[[str], bool]) -> WantedMedia | None:
    """Find the files of a body, and the links that are fetched here; None: there are none."""
    refs = tuple(_refs(body, (), fetches))
    return WantedMedia(refs) if refs else None


def next_step(body: bytes, wanted: WantedMedia, found: Mapping[str, FoundMedia]) -> NextStep:
    """Say what becomes of a message, by what is known of each of its sources."""
    missing = None
    for ref in wanted.refs:
        one = found.get(ref.source, FoundMedia())
        if fault := _fault(ref, one):
            return NextStep(refused=fault)
        if one.media_id is None:
            missing = missing or ref.source
    if missing:
        return NextStep(source=missing)
    return NextStep(body=with_ids(body, wanted, {source: one.media_id for source, one in found.items()}))


def with_ids(body: bytes, wanted: WantedMedia, ids: Mapping[str, str | None]) -> bytes:
    """Put the platform's ids into their places."""
    content = msgspec.json.decode(body)
    for ref in wanted.refs:
        media = _at(content, ref.at)
        beside = {name: value for name, value in media.items() if name not in ("id", "link", "file")}
        media.clear()
        media.update({"id": ids[ref.source]} | beside)
    return msgspec.json.encode(content)


def ids_in(body: bytes, wanted: WantedMedia) -> tuple[str, ...]:
    """Give the platform's ids that stand in their places."""
    content = msgspec.json.decode(body)
    return tuple(str(one) for ref in wanted.refs if (one := _at(content, ref.at).get("id")))


def forgotten(media: bytes, answer: Answer) -> NotYet | Failed | None:
    """Say what a refusal is to a message with files of ours, where it says that it knows no such file."""
    code = code_of(answer.body) if isinstance(answer, Answered) else None
    if code not in _UNKNOWN_CODES or not isinstance(answer, Answered) or not _is_about_an_id(answer.body):
        return None
    tries = WantedMedia.read(media).tries
    return NotYet(code, FORGOTTEN) if tries < MOST_TRIES else Failed(code, REFUSED)


def source_of_link(link: str) -> str:
    """Name a link as a source: what is kept of it tells nobody what it said."""
    return f"link:{sha256(link.encode()).hexdigest()}"


def _fault(ref: MediaRef, one: FoundMedia) -> str | None:
    if one.fault:
        return one.fault
    if one.mime_type is None:
        return UNKNOWN if one.sha256 else None
    wrong = fault_as(ref.kind, mime_type=one.mime_type, size_bytes=one.size_bytes, animated=one.animated)
    return REFUSED if wrong else None


def _refs(part: object, at: Place, fetches: Callable[[str], bool]) -> Iterator[MediaRef]:
    if isinstance(part, list | tuple):
        for place, one in enumerate(part):
            yield from _refs(one, (*at, place), fetches)
    elif isinstance(part, Mapping):
        for name, value in part.items():
            if name in KINDS and isinstance(value, Mapping):
                yield from _ref(value, name, (*at, name), fetches)
            elif name not in _STRANGE:
                yield from _refs(value, (*at, name), fetches)


def _ref(
    media: Mapping[str, Any], kind: str, at: Place, fetches: Callable[[str], bool]
) -> Iterator[MediaRef]:
    file, link = media.get("file"), media.get("link")
    if isinstance(file, str):
        yield MediaRef(at, kind, file)
    elif isinstance(link, str) and fetches(link):
        yield MediaRef(at, kind, source_of_link(link), link)


def _at(content: Any, at: Place) -> dict[str, Any]:  # noqa: ANN401 - JSON
    for step in at:
        content = content[step]
    found: dict[str, Any] = content
    return found


def _is_about_an_id(body: Mapping[str, Any] | None) -> bool:
    error = (body or {}).get("error")
    if not isinstance(error, dict):
        return False
    data = error.get("error_data")
    said = [error.get("message"), data.get("details") if isinstance(data, dict) else None]
    text = " ".join(one for one in said if isinstance(one, str)).lower()
    return "media" in text and bool(_ID.search(text))
