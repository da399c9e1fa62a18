"""JSON Schema and example of each topic, as files."""

from pathlib import Path
from typing import Any, Final

import orjson

from garbo.common.contracts.examples import examples
from garbo.common.events.topics import TOPICS, Topic

_PRETTY: Final = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


def contract_files() -> dict[Path, bytes]:
    """Give each schema and example by its path inside the contracts folder."""
    by_type = {type(example): example for example in examples()}
    files: dict[Path, bytes] = {}
    for topic in TOPICS:
        example = by_type[topic.event].model_dump(mode="json", exclude_none=True)
        files[Path(f"{topic.name}.schema.json")] = orjson.dumps(schema_of(topic), option=_PRETTY)
        files[Path(f"{topic.name}.example.json")] = orjson.dumps(example, option=_PRETTY)
    return files


def schema_of(topic: Topic[Any]) -> dict[str, Any]:
    """Describe a topic's records as JSON Schema (2020-12), as a consumer may rely on them."""
    schema = topic.event.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": topic.name}
