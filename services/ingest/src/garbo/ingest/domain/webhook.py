"""A webhook body, split into its parts: each entry, change, message, status and other field on its own.

A broken part does not touch its neighbours, and nothing is left out: what goes in comes out as an event
or as a broken part. Source: Meta, webhooks overview (read 2026-11): up to 1,000 updates a body, mixed.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from pydantic import ValidationError

from garbo.common.errors import Reject
from garbo.common.events.base import Json
from garbo.common.events.instants import platform_instant
from garbo.ingest.domain.changes import OF_PEOPLE, read_change, read_change_of_person
from garbo.ingest.domain.messages import read_message
from garbo.ingest.domain.parts import ACCOUNT, Broken, Found, Origin, Part
from garbo.ingest.domain.statuses import read_status
from garbo.ingest.domain.values import Value, identifier_or_none, part_of

MAX_PARTS: Final = 10_000
"""Ten times the most updates Meta puts into one body."""
MAX_FIELD_CHARS: Final = 100
_OF_ENTRY: Final = frozenset({"id", "time", "changes"})
_ABOUT: Final = ("messaging_product", "metadata", "contacts")
"""Keys of a `messages` value that are said about the others, not by themselves."""
_LISTS: Final = (("messages", read_message), ("statuses", read_status))


def split_webhook(body: Value, *, received_at: datetime, hash_key: bytes) -> list[Part]:
    """Split a parsed body, in its own order.

    Raises `Reject` when there is nothing to split: `invalid:object` (not this platform's),
    `invalid:entry` (no entries), `too_many_parts` (over 10,000).
    """
    if not isinstance(body, dict) or body.get("object") != ACCOUNT:
        raise Reject("invalid:object")
    entries = body.get("entry")
    if not isinstance(entries, list):
        raise Reject("invalid:entry")
    found = (part for entry in entries for part in _entry(entry, received_at, hash_key))
    parts = list(islice(found, MAX_PARTS + 1))
    if len(parts) > MAX_PARTS:
        raise Reject("too_many_parts")
    return parts


def _entry(entry: Value, received_at: datetime, hash_key: bytes) -> Iterator[Part]:
    if not isinstance(entry, dict):
        yield Broken(_webhook(entry), "invalid:entry")
        return
    origin = Origin(identifier_or_none(entry.get("id")), None, received_at, hash_key)
    other = {key: entry[key] for key in entry if key not in _OF_ENTRY}
    if other:
        yield _attempt(
            lambda: read_change(other, origin, field="entry", occurred_at=None),
            lambda: _webhook({"id": entry.get("id"), **other}),
        )
    changes = entry.get("changes")
    if isinstance(changes, list):
        for change in changes:
            yield from _change(change, entry, origin)
    elif changes is not None or not other:
        yield Broken(_webhook(entry), "invalid:changes")


def _change(change: Value, entry: Json, origin: Origin) -> Iterator[Part]:
    if not isinstance(change, dict):
        yield Broken(_alone(entry, change), "invalid:change")
        return
    field, value = change.get("field"), change.get("value")
    if not isinstance(field, str) or not 0 < len(field) <= MAX_FIELD_CHARS:
        yield Broken(_alone(entry, change), "invalid:field")
    elif not isinstance(value, dict):
        yield Broken(_alone(entry, change), "invalid:value")
    elif field == "messages":
        yield from _messages(value, entry, _with_number(origin, value))
    elif field in OF_PEOPLE and isinstance(value.get(field), list) and value[field]:
        for item in value[field]:
            yield _of_person(item, value, entry, _with_number(origin, value), field)
    else:
        yield _kept(value, entry, _with_number(origin, value), field)


def _messages(value: Json, entry: Json, origin: Origin) -> Iterator[Part]:
    """Split the field that carries messages, statuses, errors, user actions, and whatever comes next."""
    about: Json = {key: value[key] for key in _ABOUT if key in value}
    told = False
    for name, read in _LISTS:
        items = value.get(name)
        if items is None:
            continue
        if not isinstance(items, list):
            told = True
            yield Broken(
                _alone(entry, {"field": "messages", "value": about | {name: items}}), f"invalid:{name}"
            )
            continue
        for item in items:
            told = True
            yield _listed(name, read, item, about, entry, origin)
    for name in [key for key in value if key not in (*_ABOUT, "messages", "statuses")]:
        told = True
        yield _kept(about | {name: value[name]}, entry, origin, "messages")
    if not told:
        yield _kept(value, entry, origin, "messages")


def _listed(
    name: str, read: Callable[[Value, Origin], Found], item: Value, about: Json, entry: Json, origin: Origin
) -> Part:
    return _attempt(
        lambda: read(item, origin),
        lambda: _alone(entry, {"field": "messages", "value": _about(item, about, origin) | {name: [item]}}),
    )


def _kept(value: Json, entry: Json, origin: Origin, field: str) -> Part:
    at = platform_instant(entry.get("time"))
    return _attempt(
        lambda: read_change(value, origin, field=field, occurred_at=at),
        lambda: _alone(entry, {"field": field, "value": value}),
    )


def _of_person(item: Value, value: Json, entry: Json, origin: Origin, field: str) -> Part:
    alone: Json = value | {field: [item]}
    if not isinstance(item, dict):
        return _kept(alone, entry, origin, field)
    at = platform_instant(entry.get("time"))
    return _attempt(
        lambda: read_change_of_person(item, value, origin, field=field, occurred_at=at),
        lambda: _alone(entry, {"field": field, "value": alone}),
    )


def _attempt(read: Callable[[], Found], alone: Callable[[], Json]) -> Part:
    """Read a part; when that fails, keep it in a webhook body of its own, so that it can be tried again."""
    try:
        return read()
    except Reject as rejected:
        return Broken(alone(), rejected.why)
    except ValidationError:
        return Broken(alone(), "invalid:part")
    except Exception as error:  # noqa: BLE001 - a stranger's bytes: what fails here, fails of this part alone
        return Broken(alone(), f"unreadable:{type(error).__name__}")


def _about(item: Value, about: Json, origin: Origin) -> Json:
    """Give what a lone part needs to be read again: the number, and its own contact card only."""
    if not isinstance(item, dict):
        return {"metadata": about.get("metadata")}
    card = origin.contact_of(item.get("from"), item.get("from_user_id")) or origin.only_contact
    return {"metadata": about.get("metadata")} | ({"contacts": [card]} if card else {})


def _with_number(origin: Origin, value: Json) -> Origin:
    """Place an origin inside a change: which number it is about, and whose cards it brings."""
    number = part_of(value, "metadata").get("phone_number_id") or value.get("phone_number_id")
    listed = value.get("contacts")
    cards = [card for card in listed if isinstance(card, dict)] if isinstance(listed, list) else []
    contacts = {a: c for c in cards for k in ("wa_id", "user_id") if isinstance(a := c.get(k), str)}
    only = cards[0] if len(cards) == 1 else {}
    return Origin(
        origin.waba, identifier_or_none(number), origin.received_at, origin.hash_key, contacts, only
    )


def _alone(entry: Json, change: Value) -> Json:
    return _webhook({key: entry[key] for key in ("id", "time") if key in entry} | {"changes": [change]})


def _webhook(entry: Value) -> Json:
    return {"object": ACCOUNT, "entry": [entry]}
