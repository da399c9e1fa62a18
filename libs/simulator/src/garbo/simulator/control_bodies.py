"""Bodies of the simulator's own interface, and what is wrong with them."""

from typing import Any

import orjson
from pydantic import ValidationError
from starlette.requests import Request

from garbo.simulator.graph.http import BodyTooLarge, read_body


async def json_object(request: Request) -> dict[str, Any] | None:
    """Read a body that must be a JSON object; None for any other, and for one that is too large."""
    try:
        body = orjson.loads(await read_body(request.receive))
    except BodyTooLarge:
        return None
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


def first_fault(error: ValidationError) -> str:
    """Say the first thing that is wrong: its field and why."""
    first = error.errors(include_input=False, include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "the body"
    return f"{field}: {first['msg']}"
