"""One call to a node or edge, and the ways to answer it: fields that are asked for, pages of a list."""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from garbo.simulator.assets.tokens import Holder
from garbo.simulator.graph.errors import Refusal, plain_error, unknown_field

Json = dict[str, Any]
PAGE: Final = 25
LARGEST_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked, by whom. `params` are those of the query and of the body."""

    method: str
    path: str
    node: str
    holder: Holder
    params: Json
    base: str
    """The address this platform was called at, such as http://127.0.0.1:8090."""
    content: bytes = b""
    """The body as it came, of an upload's part."""
    headers: dict[str, str] = field(default_factory=dict)

    def text(self, name: str, *, most: int = 2048) -> str:
        """Give a parameter that must be there and a text."""
        value = self.params.get(name)
        if value is None or value == "":
            raise Refusal(plain_error(f"(#100) The parameter {name} is required"))
        if not isinstance(value, str | int) or len(str(value)) > most:
            raise Refusal(plain_error(f"(#100) Param {name} must be a string of at most {most} characters"))
        return str(value)

    def listed(self, name: str) -> set[str]:
        """Give a parameter that lists values: JSON, or with commas between them."""
        value = self.params.get(name)
        if isinstance(value, str) and value.startswith("["):
            try:
                value = orjson.loads(value)
            except orjson.JSONDecodeError:
                raise Refusal(plain_error(f"(#100) Param {name} must be an array.")) from None
        items = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
        return {str(item).strip().upper() for item in items if str(item).strip()}


def fields_of(call: Call) -> list[str] | None:
    """Read `?fields=`: names in order, what is inside braces or dots left out; None when none are asked."""
    asked = call.params.get("fields")
    if not isinstance(asked, str) or not asked:
        return None
    depth, names, name = 0, [], ""
    for sign in asked + ",":
        depth += (sign == "{") - (sign == "}")
        if sign == "," and depth == 0:
            names.append(name.partition("{")[0].partition(".")[0].strip())
            name = ""
        else:
            name += sign
    return [name for name in names if name]


def shown(call: Call, node: Json, *, kind: str, usual: Sequence[str]) -> Json:
    """Give the fields that are asked for, and the id; an unknown one is refused, what is None left out."""
    names = fields_of(call)
    for name in names or ():
        if name not in node:
            raise Refusal(unknown_field(name, kind))
    chosen = {name: node[name] for name in (names or usual) if node[name] is not None}
    return {**chosen, "id": node["id"]}


def page(call: Call, items: Sequence[Any], *, key: Callable[[Any], str]) -> tuple[list[Any], Json]:
    """Cut one page out of a list by `limit`, `after` and `before`, and write its `paging`."""
    limit = _limit(call)
    start, end = 0, len(items)
    keys = [key(item) for item in items]
    if call.params.get("after"):
        start = _place(call, "after", keys) + 1
        end = min(len(items), start + limit)
    elif call.params.get("before"):
        end = _place(call, "before", keys)
        start = max(0, end - limit)
    else:
        end = min(len(items), limit)
    chosen = list(items[start:end])
    if not chosen:
        return [], {}
    cursors = {"before": _cursor(keys[start]), "after": _cursor(keys[end - 1])}
    paging: Json = {"cursors": cursors}
    if end < len(items):
        paging["next"] = _address(call, after=cursors["after"])
    if start > 0:
        paging["previous"] = _address(call, before=cursors["before"])
    return chosen, paging


def listing(call: Call, items: Sequence[Json], *, kind: str, usual: Sequence[str]) -> Json:
    """Answer with a page of nodes."""
    chosen, paging = page(call, items, key=lambda item: str(item["id"]))
    data = [shown(call, item, kind=kind, usual=usual) for item in chosen]
    return {"data": data, "paging": paging} if paging else {"data": data}


def _address(call: Call, **cursor: str) -> str:
    """Write the address of another page of the same question. Unlike Meta's it holds no token."""
    left_out = ("after", "before", "access_token", "appsecret_proof")
    same = {name: value for name, value in call.params.items() if name not in left_out}
    return f"{call.base}{call.path}?{urlencode(same | cursor)}"


def _limit(call: Call) -> int:
    asked = str(call.params.get("limit", PAGE))
    if not asked.isdecimal() or not asked.isascii() or not 1 <= int(asked[:9]) <= LARGEST_PAGE:
        raise Refusal(plain_error(f"(#100) Param limit must be a number between 1 and {LARGEST_PAGE}"))
    return int(asked)


def _cursor(key: str) -> str:
    return b64encode(key.encode()).decode().rstrip("=") + "ZD"


def _place(call: Call, name: str, keys: list[str]) -> int:
    cursor = str(call.params[name])
    try:
        stem = cursor.removesuffix("ZD")
        return keys.index(b64decode(stem + "=" * (-len(stem) % 4), validate=True).decode())
    except (ValueError, NotBase64):
        raise Refusal(plain_error("(#100) Invalid cursor")) from None
