"""A number's entry in the business file: written in place, with everything around it left as it was."""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from garbo.common.business import load_business
from garbo.common.errors import StartRefused

_PLAIN: Final = re.compile(r"[A-Za-z/.][A-Za-z0-9_./-]*")
_NEW: Final = """# The business file (GARBO_CONFIG): brands, sending numbers, and who may publish.

brands:
  - id: {brand}
    care_number: {number}
    promo_number: {number}

numbers: []

# A client: openssl rand -hex 24 makes a key, printf %s "$KEY" | sha256sum its hash. Such as
# - {{ id: shop, keys_sha256: ["..."], brands: [{brand}], purposes: [care, promo], scopes: [publish, read] }}
clients: []
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A number as the business file lists it."""

    id: str
    display: str
    waba: str
    brand: str
    token_file: str
    rate_per_s: int
    marketing_messages: bool = False
    """Its account is onboarded to the platform's endpoint for promos."""

    def fields(self) -> dict[str, Any]:
        """Give its fields in their order."""
        named = ("id", "display", "waba", "brand", "token_file", "rate_per_s")
        onboarded = {"marketing_messages": True} if self.marketing_messages else {}
        return {name: getattr(self, name) for name in named} | onboarded


def new_file(brand: str, number: str) -> str:
    """Give a business file of one brand, without numbers yet."""
    return _NEW.format(brand=brand, number=_scalar(number))


def with_entry(text: str, entry: Entry) -> str:
    """Give the file with this entry, in place of the number's own or behind the others.

    Comments and order stay. Raises `StartRefused` where it is written in a way that is not safe to edit.
    """
    before = yaml.safe_load(text)
    numbers = _numbers_of(yaml.compose(text))
    if not isinstance(before, dict) or numbers is None:
        raise _unsafe(entry)
    there = [one for one in numbers.value if isinstance(one, MappingNode) and _get(one, "id") == entry.id]
    edited = _changed(text, there[0], entry.fields()) if there else _added(text, numbers, entry.fields())
    if _as_meant(before, entry) != _loaded(edited):
        raise _unsafe(entry)
    return edited


def write(path: Path, text: str) -> None:
    """Put the file in place as a whole, if it is one that can be read; raises `StartRefused`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".yaml", delete=False) as file:
        file.write(text)
    made = Path(file.name)
    try:
        load_business(made)
        made.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o640)
        made.replace(path)
    except StartRefused as refused:
        raise StartRefused(str(refused).replace(str(made), str(path))) from None
    finally:
        made.unlink(missing_ok=True)


def _as_meant(before: dict[str, Any], entry: Entry) -> Any:  # noqa: ANN401 - YAML is any value
    numbers = list(before.get("numbers") or ())
    old = next((one for one in numbers if isinstance(one, dict) and str(one.get("id")) == entry.id), None)
    meant = {**(old or {}), **entry.fields()}
    meant.pop("token", None)
    if old is None:
        return {**before, "numbers": [*numbers, meant]}
    return {**before, "numbers": [meant if one is old else one for one in numbers]}


def _loaded(text: str) -> Any:  # noqa: ANN401 - YAML is any value
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _numbers_of(root: Node | None) -> SequenceNode | None:
    for key, value in root.value if isinstance(root, MappingNode) else ():
        if key.value == "numbers" and isinstance(value, SequenceNode):
            return value
    return None


def _get(node: MappingNode, name: str) -> str | None:
    return next((str(value.value) for key, value in node.value if key.value == name), None)


def _added(text: str, numbers: SequenceNode, fields: Mapping[str, Any]) -> str:
    """Write a new entry behind the last one, as the others are written."""
    if numbers.flow_style:
        return _added_to_flow(text, numbers, fields)
    last = numbers.value[-1]
    dash = text.rindex("-", 0, last.start_mark.index)
    indent = " " * (dash - (text.rfind("\n", 0, dash) + 1))
    end = _line_end(text, last)
    lines = [f"{name}: {_scalar(value)}" for name, value in fields.items()]
    item = f"{indent}- " + f"\n{indent}  ".join(lines)
    return f"{text[:end]}\n{item}{text[end:]}"


def _added_to_flow(text: str, numbers: SequenceNode, fields: Mapping[str, Any]) -> str:
    if not numbers.value:
        start, end = numbers.start_mark.index, numbers.end_mark.index
        lines = [f"{name}: {_scalar(value)}" for name, value in fields.items()]
        item = "\n  - " + "\n    ".join(lines)
        return text[:start].rstrip(" ") + item + text[end:]
    end = numbers.value[-1].end_mark.index
    return f"{text[:end]}, {_flow(fields)}{text[end:]}"


def _changed(text: str, there: MappingNode, fields: Mapping[str, Any]) -> str:
    """Change the values of an entry, from the last to the first, so that places stay right."""
    known = {key.value: (key, value) for key, value in there.value}
    missing = {name: value for name, value in fields.items() if name not in known}
    edits: list[tuple[int, int, str]] = []
    if missing:
        end = there.value[-1][1].end_mark.index
        if there.flow_style:
            edits.append((end, end, "".join(f", {n}: {_scalar(v)}" for n, v in missing.items())))
        else:
            at, indent = _line_end(text, there), " " * there.start_mark.column
            edits.append((at, at, "".join(f"\n{indent}{n}: {_scalar(v)}" for n, v in missing.items())))
    for name, (key, value) in known.items():
        if name == "token" and "token_file" in fields:
            edits.append(_without(text, there, key, value))
        elif name in fields and str(value.value) not in (str(fields[name]), _scalar(fields[name])):
            edits.append((value.start_mark.index, value.end_mark.index, _scalar(fields[name])))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _without(text: str, there: MappingNode, key: ScalarNode, value: Node) -> tuple[int, int, str]:
    """Take a field out: a token that stood in the file, where a file of its own holds it now."""
    start, end = key.start_mark.index, value.end_mark.index
    if there.flow_style:
        comma = text.rfind(",", 0, start)
        return (comma, end, "") if comma > there.start_mark.index else (start, text.index(",", end) + 1, "")
    line = text.rfind("\n", 0, start)
    return line, _line_end(text, value), ""


def _line_end(text: str, node: Node) -> int:
    """Find the end of the line on which a node's last word stands, its comment included."""
    last = node
    while isinstance(last, MappingNode | SequenceNode) and last.value and not last.flow_style:
        inner = last.value[-1]
        last = inner[1] if isinstance(inner, tuple) else inner
    end = text.find("\n", last.end_mark.index)
    return len(text) if end < 0 else end


def _flow(fields: Mapping[str, Any]) -> str:
    return "{ " + ", ".join(f"{name}: {_scalar(value)}" for name, value in fields.items()) + " }"


def _scalar(value: object) -> str:
    """Write a value so that it is read as what it is: ids are texts, also where they are digits."""
    if isinstance(value, int):
        return str(value).lower()
    written = str(value)
    if _PLAIN.fullmatch(written) and yaml.safe_load(written) == written:
        return written
    return '"' + written.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unsafe(entry: Entry) -> StartRefused:
    lines = "\n".join(f"    {name}: {_scalar(value)}" for name, value in entry.fields().items())
    return StartRefused(
        f"the business file is written so that it is not safe to edit: add to numbers by hand\n  -\n{lines}"
    )
