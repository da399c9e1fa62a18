"""`docs/messages.md` shows each kind of content, and each of its examples is taken."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from garbo.common.contracts.examples import examples
from garbo.common.events.requests import SendRequested
from garbo.common.events.wire import encode
from libs.common.tests.support.contents import GOOD, Json, template

PAGE = (Path(__file__).parents[5] / "docs/messages.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([^|]+) \| `(\{.+?\})` \|", PAGE, flags=re.MULTILINE)
ASKED = next(orjson.loads(encode(e)) for e in examples() if isinstance(e, SendRequested))
COMPONENTS = {"header", "body", "limited_time_offer"}


def content_of(shown: Json) -> Json:
    """Give the whole content of which a row shows a part."""
    if shown["type"] in COMPONENTS or "sub_type" in shown or "cards" in shown:
        return template(shown)
    return shown if shown["type"] in shown else {"type": "interactive", "interactive": shown}


def kinds_of(content: Json) -> set[str]:
    """Name the kinds in a content: its type, and that of its interactive object or of its components."""
    kind = content["type"]
    if kind == "interactive":
        return {f"interactive {content['interactive']['type']}"}
    found: set[str] = {str(kind)}
    for component in content.get("template", {}).get("components", ()):
        values: list[Any] = component.get("parameters", [])
        of = str(component.get("sub_type") or (values[0]["type"] if values else "")).lower()
        found.add(f"template {component['type']} {of}".strip())
    return found


@pytest.mark.parametrize(("name", "text"), ROWS, ids=[name for name, _ in ROWS])
def test_example_is_taken(name: str, text: str) -> None:
    del name
    content = content_of(orjson.loads(text))
    request = SendRequested.model_validate(ASKED | {"content": content}, extra="forbid")
    assert request.content.type == content["type"]


def test_page_shows_every_kind() -> None:
    shown = {kind for _, text in ROWS for kind in kinds_of(content_of(orjson.loads(text)))}
    known = {kind for content in GOOD.values() for kind in kinds_of(content)}
    assert known - shown == {"template header image"}, "it stands for other files in the page's words"
