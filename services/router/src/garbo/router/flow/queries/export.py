"""Everything that is held about a person, table by table, as far as a client's brands go."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from garbo.router.flow.visibility import Viewer

Row: TypeAlias = Mapping[str, Any]
Tables: TypeAlias = Mapping[str, Sequence[Row]]
BY_BRAND: Final = ("claims", "stops", "suppressed", "cooldowns", "questions")
OF_BRAND: Final = ("cases", "preferences")
"""Mappings of a state, by brand or to what has a brand."""


def seen_tables(tables: Tables, viewer: Viewer) -> Tables:
    """Leave out what other brands did."""
    if viewer.has_every_brand:
        return tables
    seen = {name: [row for row in rows if _is_seen(name, row, viewer)] for name, rows in tables.items()}
    states = [{**row, "state": _seen_state(row["state"], viewer)} for row in seen.get("recipient_state", ())]
    return {**seen, "recipient_state": states}


def _is_seen(table: str, row: Row, viewer: Viewer) -> bool:
    brand_of = _BRAND_OF.get(table)
    return brand_of is None or viewer.sees_brand(brand_of(row))


_BRAND_OF: Final[Mapping[str, Callable[[Row], str]]] = {
    "deferred": lambda row: row["brand"],
    "consent_record": lambda row: row["brand"],
    "suppression": lambda row: row["brand"],
    "send_grant": lambda row: row["brand"],
    "campaign_send": lambda row: row["send"]["brand"],
    "decision": lambda row: row["records"][0]["brand"],
}
"""Tables whose rows are a brand's; of the others each person has one row."""


def _seen_state(state: Row, viewer: Viewer) -> Row:
    """Leave out what other brands know. Wamids name no brand: they are left out."""
    seen = {key: value for key, value in state.items() if key not in _PARTS and key != "inbound"}
    for key in _PARTS & state.keys():
        seen[key] = _PARTS_SEEN[key](state[key], viewer)
    return seen


def _by_brand(part: Row, viewer: Viewer) -> Row:
    return {brand: value for brand, value in part.items() if viewer.sees_brand(brand)}


def _of_brand(part: Row, viewer: Viewer) -> Row:
    return {key: value for key, value in part.items() if viewer.sees_brand(value.get("brand", "*"))}


_PARTS_SEEN: Final[Mapping[str, Callable[[Any, Viewer], Any]]] = {
    **dict.fromkeys(BY_BRAND, _by_brand),
    **dict.fromkeys(OF_BRAND, _of_brand),
    "consents": lambda part, viewer: {
        key: value for key, value in part.items() if viewer.sees_brand(key.partition("/")[0])
    },
    "inbound_at": lambda part, viewer: {n: at for n, at in part.items() if n in viewer.numbers},
    "sends": lambda part, viewer: [send for send in part if viewer.sees_brand(send["brand"])],
}
_PARTS: Final = _PARTS_SEEN.keys()
