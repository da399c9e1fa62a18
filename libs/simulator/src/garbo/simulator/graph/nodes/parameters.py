"""The parameters of a call: of its query, and of a body that is JSON, a form, or of several parts."""

from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from garbo.simulator.graph.errors import Refusal, plain_error

FORM: Final = "application/x-www-form-urlencoded"
Json = dict[str, Any]


def params_of(query: dict[str, str], content_type: str, body: bytes) -> Json:
    """Join the parameters of query and body; the body's win. Raises `Refusal` for what is no body."""
    kind = content_type.partition(";")[0].strip().lower()
    if not body or kind.startswith("multipart/") or kind == "application/octet-stream":
        return dict(query)
    if kind == FORM:
        return query | dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refusal(plain_error("(#100) The request body is not JSON.")) from None
    if not isinstance(given, dict):
        raise Refusal(plain_error("(#100) The request body must be a JSON object."))
    return {**query, **given}
