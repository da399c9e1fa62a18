"""A recipient's state as JSON one can read in psql. Instants are microseconds; the unsaid is left out."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, fields
from typing import Any, Final, TypeAlias
from uuid import UUID

import orjson

from garbo.common.events.ids import ContactId, MessageId
from garbo.router.domain.blocks import suppressed
from garbo.router.domain.consent import ANY, brands_taken_back
from garbo.router.domain.state import (
    Case,
    Consent,
    Cooldown,
    Preference,
    Question,
    RecipientState,
    Send,
    Stop,
)

EMPTY: Final = b"{}"
Json: TypeAlias = dict[str, Any]


class Shape:
    """How one kind of value is written: a key for each field, its name without the unit.

    `read` turns what JSON cannot hold back, by key; `but` names the fields that stand elsewhere.
    """

    def __init__(
        self,
        part: type[Any],
        read: Mapping[str, Callable[[Any], Any]] | None = None,
        *,
        but: Collection[str] = (),
    ) -> None:
        self._part = part
        self._fields = [(f.name, _key(f.name), f.default) for f in fields(part) if f.name not in but]
        self._names = {key: name for name, key, _ in self._fields}
        self._read = read or {}

    def write(self, part: object) -> Json:
        """Give the fields that are not as they began."""
        return {
            key: value
            for name, key, default in self._fields
            if (value := getattr(part, name)) is not default and (default is MISSING or value != default)
        }

    def read(self, written: Json, **more: Any) -> Any:  # noqa: ANN401 - the part, and any field
        """Make the part again; keys it does not know are left out."""
        known = {
            self._names[key]: self._read[key](value) if key in self._read else value
            for key, value in written.items()
            if key in self._names
        }
        return self._part(**known, **more)


def _key(name: str) -> str:
    return name.removesuffix("_us")


_PARTS: Final = {
    "stops": Shape(Stop),
    "consents": Shape(Consent),
    "cases": Shape(Case),
    "preferences": Shape(Preference),
    "cooldowns": Shape(Cooldown, {"by": UUID}),
    "questions": Shape(Question),
}
_BESIDE: Final = frozenset({"version", "campaign_sends"})
"""What stands elsewhere."""
_NAMES: Final = {_key(f.name): f.name for f in fields(RecipientState) if f.name not in _BESIDE}


def state_bytes(state: RecipientState) -> bytes:
    """Write a state."""
    parts = given_json(state)
    if state.sends:
        parts["sends"] = [send_json(send) for send in state.sends]
    return orjson.dumps(parts, default=str)  # asyncpg's UUID is not orjson's


def given_json(state: RecipientState) -> Json:
    """Write all of a state but its sends."""
    parts: Json = {}
    for key, name in _NAMES.items():
        value = getattr(state, name)
        if not value or name == "sends":
            continue
        shape = _PARTS.get(key)
        parts[key] = {k: shape.write(part) for k, part in value.items()} if shape else value
    return parts


def promo_blocked(state: RecipientState) -> tuple[str, ...]:
    """Name what a claimed promo must not be tried again for.

    Brands (or `*`) the person stopped, took consent back from, or is on a list for, or the platform's switch
    stops; as `brand/number` where that reaches its own number only. Of who is erased, all.
    """
    if state.erased:
        return (ANY,)
    if not (state.stops or state.preferences or state.suppressed or state.consents):
        return ()
    brands = [brand for brand, stop in state.stops.items() if stop.active]
    brands += [brand for brand in state.suppressed if suppressed(state, brand=brand)]
    switched_off = [
        p.brand if p.whole_brand else f"{p.brand}/{number}"
        for number, p in state.preferences.items()
        if p.stopped
    ]
    return tuple(sorted({*brands, *brands_taken_back(state), *switched_off}))


def read_state(version: int, content: bytes) -> RecipientState:
    """Read a state."""
    return RecipientState(version=version) if content == EMPTY else read_given(version, orjson.loads(content))


def read_given(version: int, parts: Json) -> RecipientState:
    """Read a state from its JSON, with the sends where there are any."""
    values: Json = {}
    for key, written in parts.items():
        if name := _NAMES.get(key):
            values[name] = _read_part(key, written)
    return RecipientState(version=version, **values)


def _read_part(key: str, written: Any) -> Any:  # noqa: ANN401 - any field
    if shape := _PARTS.get(key):
        return {k: shape.read(part) for k, part in written.items()}
    match key:
        case "sends":
            return tuple([read_send(send) for send in written])
        case "inbound":
            return tuple([(wamid, at_us) for wamid, at_us in written])
        case "merged_into":
            return ContactId(UUID(written))
        case _:
            return written


def send_json(send: Send) -> Json:
    """Write one send that counts."""
    written: Json = {
        "id": send.message_id,
        "at": send.at_us,
        "class": send.message_class,
        "brand": send.brand,
    }
    if send.campaign:
        written["campaign"] = send.campaign
    if send.category:
        written["category"] = send.category
    if send.tags:
        written["tags"] = send.tags
    if send.open:
        written["open"] = True
    if send.delivered:
        written["delivered"] = True
    return written


def read_send(send: Json) -> Send:
    """Read one send that counts."""
    return Send(
        message_id=MessageId(UUID(send["id"])),
        at_us=send["at"],
        message_class=send["class"],
        brand=send["brand"],
        campaign=send.get("campaign"),
        category=send.get("category"),
        tags=tuple(send.get("tags", ())),
        open=send.get("open", False),
        delivered=send.get("delivered", False),
    )
