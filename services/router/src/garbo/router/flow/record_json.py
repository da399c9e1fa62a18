"""Records as bytes, written at once from what is known.

No model is made in between, which would take longer than the decision: a property test holds the bytes to
the models.
"""

from datetime import datetime
from typing import Any, Final

import orjson

_OPTIONS: Final = orjson.OPT_UTC_Z
Json = dict[str, Any]


def json_record(record: Json) -> bytes:
    """Write a record; what it does not say is left out."""
    said = {key: value for key, value in record.items() if value is not None}
    return orjson.dumps(said, option=_OPTIONS, default=_text)


def _text(value: object) -> str:
    """Write what orjson does not know: the UUIDs of the database's driver, and moments of pydantic's zone."""
    return value.isoformat() if isinstance(value, datetime) else str(value)
