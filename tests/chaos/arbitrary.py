"""Arbitrary records: what no schema, no client library and no honest publisher would write."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from garbo.common.runtime.deadletter import OWN_HEADERS
from tests.chaos.installation import ROOT

CONTRACTS: Final = ROOT / "libs" / "common" / "contracts"
EXAMPLES: Final = {
    path.name.removesuffix(".example.json"): json.loads(path.read_text())
    for path in sorted(Path(CONTRACTS).glob("*.example.json"))
}
"""By topic: a valid event of each."""
SCALARS: Final[tuple[Any, ...]] = (
    None,
    True,
    "",
    "\x00",
    "\ud800",
    "\u202e" * 9,
    "x" * 70_000,
    0,
    -1,
    2**63,
    10**400,
    -0.0,
    1e308,
    [],
    {},
    "2026-13-45T99:99:99Z",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00",
    "00000000-0000-0000-0000-000000000000",
    "+39333",
    "wamid.\x00",
)
BROKEN: Final = (
    b"",
    b"{",
    b"nul",
    b'{"client": "shop"',
    b'{"a": 1e99999}',
    b'{"a": NaN}',
    b"[" * 100_000,
    b'{"a":' * 5_000,
    b'"' + b"\\ud800" * 100 + b'"',
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b'{"client": "' + b"9" * 5000 + b'"}',
    b'{"number": ' + b"9" * 5000 + b"}",
    b"\x00" * 50,
)
NAMES: Final = (
    *sorted(OWN_HEADERS),
    "ce_id",
    "ce_time",
    "ce_type",
    "ce_source",
    "ce_specversion",
    "traceparent",
    "tracestate",
    "baggage",
    "content-type",
    "",
    "\u2028",
    "\ud7ff" * 50,
)
ODD_TIMES_MS: Final = (0, 1, 2**40, 2**62)
ODD_TIME_RATIO: Final = 0.002
"""A broker refuses all of a batch for one record from the far future."""
GOOD_TRACE: Final = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass(frozen=True, slots=True)
class Arbitrary:
    """One record to be written."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    timestamp_ms: int | None
    """None: now."""


def arbitrary(dice: Random, topic: str) -> Arbitrary:
    """Make a record for a topic; a redrive topic's says where it comes from, or lies."""
    value = dice.choice(_VALUES)(dice, topic)
    headers = [_header(dice) for _ in range(dice.choice((0, 0, 1, 3, 9)))]
    if dice.random() < 0.005:
        headers = [_header(dice)] * dice.choice((900, 5000))
    if ".redrive." in topic and dice.random() < 0.8:
        headers.append(("garbo-origin-topic", dice.choice(list(EXAMPLES)).encode()))
    key = dice.choice((None, b"", b"\xff" * 9, dice.randbytes(16), b"k" * 300))
    at_ms = dice.choice(ODD_TIMES_MS) if dice.random() < ODD_TIME_RATIO else None
    return Arbitrary(key, value, headers, at_ms)


def _random_bytes(dice: Random, topic: str) -> bytes:
    return dice.randbytes(dice.choice((1, 20, 300, 5_000)))


def _almost_json(dice: Random, topic: str) -> bytes:
    whole = bytearray(_example(dice, topic))
    for _ in range(dice.randrange(1, 4)):
        place = dice.randrange(len(whole))
        match dice.randrange(3):
            case 0:
                del whole[place : place + dice.randrange(1, 9)]
            case 1:
                whole[place:place] = dice.randbytes(2)
            case _:
                whole[place % max(len(whole), 1)] = dice.randrange(256)
        if not whole:
            return b""
    return bytes(whole)


def _wrong_shape(dice: Random, topic: str) -> bytes:
    return _written(dice.choice((*SCALARS, [SCALARS], {"client": "shop", "a": list(SCALARS)}, {"v": 2})))


def _mutated(dice: Random, topic: str) -> bytes:
    """Give a valid event in which one field is something else, or gone, or there as well."""
    event = json.loads(_example(dice, topic))
    holder, name = _place(dice, event)
    match dice.randrange(4):
        case 0:
            del holder[name]
        case 1:
            holder[name] = [holder[name]] * dice.choice((1, 40))
        case _:
            holder[name] = dice.choice(SCALARS)
    if dice.random() < 0.1:
        event["\x00odd\ud800"] = dice.choice(SCALARS)
    return _written(event)


def _valid(dice: Random, topic: str) -> bytes:
    """Give a valid event of strangers, under ids of its own: it is handled, or refused for what it says."""
    whole = _example(dice, topic)
    fresh = b"-7%03x-" % dice.randrange(4096), b"-4%03x-" % dice.randrange(4096)
    return whole.replace(b"-7000-", fresh[0]).replace(b"-4abc-", fresh[1])


def _broken(dice: Random, topic: str) -> bytes:
    return dice.choice(BROKEN)


def _large(dice: Random, topic: str) -> bytes:
    """Seldom: up to what the broker takes."""
    if dice.random() > 0.01:
        return _mutated(dice, topic)
    pad = dice.choice((200_000, 1_000_000, 4_100_000))
    return dice.choice((b" " * pad, b"[" + b"{}," * (pad // 3) + b"{}]", b'{"a":"' + b"x" * pad + b'"}'))


def _tombstone(dice: Random, topic: str) -> bytes | None:
    return None


_VALUES: Final[tuple[Callable[[Random, str], bytes | None], ...]] = (
    _random_bytes,
    _almost_json,
    _almost_json,
    _wrong_shape,
    _mutated,
    _mutated,
    _mutated,
    _valid,
    _broken,
    _large,
    _tombstone,
)


def _example(dice: Random, topic: str) -> bytes:
    event = EXAMPLES.get(topic) or EXAMPLES[dice.choice(list(EXAMPLES))]
    return json.dumps(event).encode()


def _place(dice: Random, event: Any) -> tuple[Any, Any]:  # noqa: ANN401 - JSON is any value
    """Choose a field anywhere in an event: who holds it, and its name or place."""
    while True:
        name = dice.choice(list(event)) if isinstance(event, dict) else dice.randrange(len(event))
        inner = event[name]
        if not isinstance(inner, (dict, list)) or not inner or dice.random() < 0.3:
            return event, name
        event = inner


def _written(said: Any) -> bytes:  # noqa: ANN401 - as above
    return json.dumps(said).encode("utf-8", "surrogatepass")


def _header(dice: Random) -> tuple[str, bytes | None]:
    values: tuple[bytes | None, ...] = (
        None,
        b"",
        b"9" * 5000,
        b"-1",
        b"\xff\xfe\x00",
        b"\r\nx: y",
        GOOD_TRACE,
        dice.randbytes(30),
        dice.choice(list(EXAMPLES)).encode(),
    )
    return dice.choice(NAMES), dice.choice(values)
