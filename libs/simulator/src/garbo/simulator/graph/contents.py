"""What the platform refuses inside the content of a message, with its codes.

Written from the platform's documents and not from Garbo's contract: what the contract lets through by mistake
is refused here. Source: Meta, OpenAPI description of the Business Messaging API v23 and Cloud API reference
"Messages" (read 2026-11).
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from garbo.simulator.graph.contact_cards import check_cards
from garbo.simulator.graph.errors import GraphError, graph_error
from garbo.simulator.graph.fields import Json, Refused, refuse_unknown, text_of, url_of
from garbo.simulator.graph.interactive import check_interactive

Check: TypeAlias = Callable[[Any], None]
_MEDIA: Final = {
    "image": {"caption"},
    "video": {"caption"},
    "audio": {"voice"},
    "document": {"caption", "filename"},
    "sticker": set[str](),
}
"""What may stand beside a file, by the kind of message."""


def content_error(kind: str, block: object) -> GraphError | None:
    """Check the block of a free-form message; None when the platform would take it."""
    try:
        _CHECKS[kind](block)
    except Refused as refused:
        return graph_error(refused.code, refused.details)
    return None


def known_kind(kind: str) -> bool:
    """Tell whether the platform has this type of message."""
    return kind in _CHECKS or kind == "template"


def check_media(block: Json, where: str, *, beside: set[str]) -> None:
    """Check a file: one of id and link, and what may stand beside it."""
    refuse_unknown(block, {"id", "link", *beside}, where)
    given = [name for name in ("id", "link") if block.get(name) is not None]
    if len(given) != 1:
        raise Refused(100, f"{where} needs exactly one of id and link.")
    if given == ["id"]:
        text_of(block, "id", where, most=512)
    else:
        url_of(block, "link", where)
    for name in ("caption", "filename"):
        if name in block:
            text_of(block, name, where, most=1024 if name == "caption" else 240)
    if not isinstance(block.get("voice", False), bool):
        raise Refused(100, f"{where}['voice'] must be a boolean.")


def _check_text(block: Json) -> None:
    refuse_unknown(block, {"body", "preview_url"}, "text")
    text_of(block, "body", "text", most=4096, code=100)
    if not isinstance(block.get("preview_url", False), bool):
        raise Refused(100, "text['preview_url'] must be a boolean.")


def check_location(block: Json) -> None:
    """Check a place: degrees, and what is written of it."""
    refuse_unknown(block, {"latitude", "longitude", "name", "address"}, "location")
    for name, most in (("latitude", 90.0), ("longitude", 180.0)):
        if block.get(name) is None:
            raise Refused(131008, f"location['{name}'] is required.")
        try:
            degrees = float("east" if isinstance(block[name], bool) else block[name])
        except (TypeError, ValueError):
            raise Refused(131009, f"location['{name}'] must be degrees.") from None
        if not -most <= degrees <= most:
            raise Refused(131009, f"location['{name}'] must be degrees.")
    for name in ("name", "address"):
        if name in block:
            text_of(block, name, "location", most=1000)


def _check_reaction(block: Json) -> None:
    refuse_unknown(block, {"message_id", "emoji"}, "reaction")
    text_of(block, "message_id", "reaction", most=512)
    emoji = block.get("emoji")
    if not isinstance(emoji, str):
        raise Refused(131008, "reaction['emoji'] is required; an empty one removes the reaction.")
    if emoji and (emoji.isspace() or any(sign.isalpha() for sign in emoji)):
        raise Refused(131009, "reaction['emoji'] must be an emoji.")


def _object(kind: str, check: Check) -> Check:
    def held(block: object) -> None:
        if not isinstance(block, dict):
            raise Refused(100, f"{kind} must be an object.")
        check(block)

    return held


def _media_of(kind: str) -> Check:
    return _object(kind, lambda block: check_media(block, kind, beside=_MEDIA[kind]))


_CHECKS: Final[dict[str, Check]] = {
    **{kind: _media_of(kind) for kind in _MEDIA},
    "text": _object("text", _check_text),
    "location": _object("location", check_location),
    "reaction": _object("reaction", _check_reaction),
    "interactive": _object("interactive", check_interactive),
    "contacts": check_cards,
}
