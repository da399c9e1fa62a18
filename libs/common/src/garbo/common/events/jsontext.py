"""Bytes to JSON values, from strangers: bounded, and free of what PostgreSQL or UTF-8 cannot hold."""

import json
import re
from math import isinf
from typing import Any, Final, NoReturn

import orjson

from garbo.common.errors import Reject

MAX_DEPTH: Final = 64
MAX_VALUES_COUNT: Final = 250_000
"""Of a record: 4 MB of `[[],[],...` are 130 MB of lists. A webhook of 1,000 parts has a fifth of it."""
MAX_FIGURE_CHARS: Final = 20
"""No 64-bit number is written with more."""
_REPLACEMENT: Final = "\ufffd"
_BROKEN: Final = re.compile("[\x00\ud800-\udfff]")


def parse_json(text: bytes, *, most_values: int | None = None) -> Any:  # noqa: ANN401 - JSON is any value
    """Parse bytes into a JSON value.

    NUL and lone surrogates become U+FFFD, because PostgreSQL refuses the one and UTF-8 the other; a
    customer's odd name must not cost the message. Raises `Reject`: `not_json`, `too_deep` (64 levels) or,
    where only so many are wanted, `too_many_values`.
    """
    if most_values is not None and len(text) > most_values and _values_at_most(text) > most_values:
        raise Reject("too_many_values")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = _parse_tolerantly(text)
    if text.count(b"[") + text.count(b"{") > MAX_DEPTH or b"\\u0000" in text:
        value = _clean(value, depth=0)
    return value


def _values_at_most(text: bytes) -> int:
    """Bound how many values there are: before each stands a comma or what opens a list or an object."""
    return text.count(b",") + text.count(b"[") + text.count(b"{") + 1


def _parse_tolerantly(text: bytes) -> Any:  # noqa: ANN401
    """Parse what orjson refuses only for a lone surrogate; anything else stays refused."""
    if b"\\ud" not in text.lower():
        raise Reject("too_deep" if _is_deep(text) else "not_json")
    try:
        value = json.loads(
            text.decode("utf-8"), parse_constant=_refuse, parse_int=_whole, parse_float=_finite
        )
        return _clean(value, depth=0)
    except RecursionError:
        raise Reject("too_deep") from None
    except ValueError:
        raise Reject("not_json") from None


def _is_deep(text: bytes) -> bool:
    return text.count(b"[" * MAX_DEPTH) > 0 or text.count(b'{"') > MAX_DEPTH


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _whole(figure: str) -> float:
    """Read a whole number as orjson does: beyond 64 bits it is a float."""
    value = int(figure) if len(figure) <= MAX_FIGURE_CHARS else _finite(figure)
    return value if -(2**63) <= value < 2**64 else float(value)


def _finite(figure: str) -> float:
    value = float(figure)
    if isinf(value):
        raise ValueError("beyond a double's range")
    return value


def _clean(value: Any, *, depth: int) -> Any:  # noqa: ANN401
    if depth > MAX_DEPTH:
        raise Reject("too_deep")
    match value:
        case str():
            return _BROKEN.sub(_REPLACEMENT, value)
        case list():
            return [_clean(item, depth=depth + 1) for item in value]
        case dict():
            return {_clean(k, depth=depth): _clean(v, depth=depth + 1) for k, v in value.items()}
        case _:
            return value
