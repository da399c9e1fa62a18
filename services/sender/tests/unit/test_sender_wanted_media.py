"""Where a message shows files, what becomes of it, and which files a kind of message shows."""

from typing import Any

import orjson
import pytest

from garbo.sender.domain.outcomes import Answered, Broke, Failed, NotYet
from garbo.sender.domain.shown_files import fault_as, is_animated
from garbo.sender.domain.wanted_media import (
    FoundMedia,
    WantedMedia,
    forgotten,
    ids_in,
    next_step,
    source_of_link,
    wanted_of,
)

FILE, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
LINK = "https://cdn.example.com/a.png"
IMAGE: dict[str, Any] = {"type": "image", "image": {"file": FILE, "caption": "look"}}
HEADER = {"type": "image", "image": {"file": FILE}}
PLACES = {
    "a message": (IMAGE, ("image",)),
    "a template's header": (
        {"template": {"components": [{"type": "header", "parameters": [HEADER]}]}},
        ("template", "components", 0, "parameters", 0, "image"),
    ),
    "a template's card": (
        {"template": {"components": [{"type": "carousel", "cards": [{"components": [
            {"type": "header", "parameters": [HEADER]}]}]}]}},
        ("template", "components", 0, "cards", 0, "components", 0, "parameters", 0, "image"),
    ),
    "a header": ({"interactive": {"header": HEADER}}, ("interactive", "header", "image")),
    "a card": (
        {"interactive": {"action": {"cards": [{"header": HEADER}]}}},
        ("interactive", "action", "cards", 0, "header", "image"),
    ),
}  # fmt: skip


def wanted(body: dict[str, Any], *hosts: str) -> WantedMedia | None:
    return wanted_of(body, lambda link: any(host in link for host in hosts))


@pytest.mark.parametrize(("body", "at"), PLACES.values(), ids=PLACES)
def test_a_file_is_found_wherever_a_message_shows_one(
    body: dict[str, Any], at: tuple[str | int, ...]
) -> None:
    found = wanted(body)
    assert found is not None
    [ref] = found.refs
    assert (ref.at, ref.kind, ref.source, ref.link) == (at, "image", FILE, None)
    assert WantedMedia.read(found.text) == found
    step = next_step(orjson.dumps(body), found, {FILE: FoundMedia("a" * 64, "image/png", 9, media_id="77")})
    assert step.body is not None
    shown = orjson.loads(step.body)
    for one in at:
        shown = shown[one]
    assert shown == {"id": "77"} | ({"caption": "look"} if body is IMAGE else {})
    assert ids_in(step.body, found) == ("77",)


def test_only_links_to_listed_hosts_are_wanted() -> None:
    body = {"image": {"link": LINK}}
    assert wanted(body) is None
    assert wanted({"image": {"id": "5"}}, "cdn") is None
    found = wanted(body, "cdn")
    assert found is not None
    assert (found.refs[0].source, found.refs[0].link) == (source_of_link(LINK), LINK)


def test_what_a_business_passes_to_its_own_flow_is_not_touched() -> None:
    payload = {"data": {"image": {"link": LINK, "file": FILE}}}
    flow = {"action": {"parameters": {"flow_action_payload": payload}}}
    button = {"components": [{"parameters": [{"action": {"flow_action_data": payload["data"]}}]}]}
    assert wanted({"interactive": flow, "template": button}, "cdn") is None


STEPS = {
    "nothing is known": ({}, None, FILE),
    "one is known": ({FILE: FoundMedia("a", "image/png", 9, media_id="7")}, None, OTHER),
    "the other is known": ({OTHER: FoundMedia("b", "video/mp4", 9, media_id="7")}, None, FILE),
    "there is no such file": ({FILE: FoundMedia("a")}, "media_unknown", None),
    "a fault": ({OTHER: FoundMedia(fault="media_unreachable")}, "media_unreachable", None),
    "not of its kind": ({OTHER: FoundMedia("b", "image/png", 9, media_id="7")}, "media_refused", None),
}


@pytest.mark.parametrize(("known", "refused", "source"), STEPS.values(), ids=STEPS)
def test_a_message_waits_for_the_first_thing_that_is_missing(
    known: dict[str, FoundMedia], refused: str | None, source: str | None
) -> None:
    body = {"a": {"image": {"file": FILE}}, "b": {"video": {"file": OTHER}}}
    found = wanted(body)
    assert found is not None
    step = next_step(orjson.dumps(body), found, known)
    assert (step.body, step.refused, step.source) == (None, refused, source)


UNKNOWN_ID = "Param image['id'] is not a valid whatsapp business account media attachment ID"


def an_error(code: int, details: str) -> Answered:
    return Answered(
        400, {"error": {"code": code, "message": f"(#{code})", "error_data": {"details": details}}}
    )


def test_an_id_that_is_not_known_is_told_from_all_else_and_not_for_ever() -> None:
    media = wanted(IMAGE)
    assert media is not None
    assert forgotten(media.text, an_error(100, UNKNOWN_ID)) == NotYet(100, "media_forgotten")
    assert forgotten(media.once_more.text, an_error(131009, UNKNOWN_ID)) == NotYet(131009, "media_forgotten")
    thrice = media.once_more.once_more
    assert forgotten(thrice.text, an_error(100, UNKNOWN_ID)) == Failed(100, "media_refused")
    for other in (
        an_error(100, "Invalid parameter: valid media only"),
        an_error(100, "the recipient's id is wrong"),
        an_error(131026, UNKNOWN_ID),
        Answered(200, {"messages": [{"id": "wamid.x"}]}),
        Answered(400, {"error": "no"}),
        Answered(500, None),
        Broke("timeout"),
    ):
        assert forgotten(media.text, other) is None


MIB = 1024 * 1024
SHOWN = [
    ("image", "image/jpeg", 5 * MIB, False, None),
    ("image", "image/png", 5 * MIB + 1, False, "size"),
    ("image", "image/webp", 9, False, "type"),
    ("sticker", "image/webp", 100 * 1024, False, None),
    ("sticker", "image/webp", 100 * 1024 + 1, False, "size"),
    ("sticker", "image/webp", 500 * 1024, True, None),
    ("sticker", "image/webp", 500 * 1024 + 1, True, "size"),
    ("video", "video/3gpp", 16 * MIB, False, None),
    ("video", "video/mp4", 16 * MIB + 1, False, "size"),
    ("audio", "audio/ogg", 16 * MIB, False, None),
    ("audio", "audio/wav", 9, False, "type"),
    ("document", "application/x-any", 100 * MIB, False, None),
    ("document", "image/png", 100 * MIB + 1, False, "size"),
]


@pytest.mark.parametrize(("kind", "mime_type", "size", "animated", "fault"), SHOWN)
def test_a_kind_of_message_shows_its_types_up_to_its_size(
    kind: str, mime_type: str, size: int, animated: bool, fault: str | None
) -> None:
    assert fault_as(kind, mime_type=mime_type, size_bytes=size, animated=animated) == fault


def test_a_sticker_that_moves_says_so() -> None:
    head = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0"
    assert is_animated(head + b"\x02")
    assert not is_animated(head + b"\x10")
    assert not is_animated(b"RIFF\0\0\0\0WEBPVP8L\x0a\0\0\0\x02")
    assert not is_animated(b"")
