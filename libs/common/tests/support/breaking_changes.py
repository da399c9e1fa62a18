"""Whether a schema still keeps what another one promised."""

from typing import Any, Final

Json = dict[str, Any]
Options = list[tuple[str, Json]]
_FREE: Final = ("type", "title", "description", "default", "additionalProperties")
"""All that stands in the schema of any JSON object."""


def breaking_changes(old: Json, new: Json) -> list[str]:
    """Name what `new` would break for those who rely on `old`, within one version.

    Producers must still be able to write what was valid, consumers must still find what was promised:
    no field may go, change its type, lose values, become required, or stop being required. One thing may be
    said more closely: what was any object may get a shape, for readers refuse by shape whatever the schema
    says; that a shape leaves out nothing they take is tested where the shape is.
    """
    before, after = old.get("$defs", {}), new.get("$defs", {})
    gone = [f"{name}: definition is gone" for name in before if name not in after]
    comparison = _Comparison(before, after)
    found = comparison.compare_objects(old, new, place="")
    for name, definition in before.items():
        if name in after:
            found += comparison.compare_objects(definition, after[name], place=name)
    return gone + found


class _Comparison:
    def __init__(self, before: Json, after: Json) -> None:
        self._before = before
        self._after = after

    def compare_objects(self, old: Json, new: Json, *, place: str) -> list[str]:
        found: list[str] = []
        fields = new.get("properties", {})
        for name, field in old.get("properties", {}).items():
            where = f"{place}.{name}".lstrip(".")
            if name not in fields:
                found.append(f"{where}: field is gone")
            else:
                found += self._compare_fields(field, fields[name], place=where)
        required, before = set(new.get("required", ())), set(old.get("required", ()))
        found += [f"{place}.{name}: became required".lstrip(".") for name in sorted(required - before)]
        found += [f"{place}.{name}: is no longer promised".lstrip(".") for name in sorted(before - required)]
        return found

    def _compare_fields(self, old: Json, new: Json, *, place: str) -> list[str]:
        if lost := _values(old) - _values(new):
            return [f"{place}: values are gone: {', '.join(sorted(lost))}"]
        olds, news = _options(old, self._before), _options(new, self._after)
        if _types(olds) - _types(news):
            return [f"{place}: type changed"]
        if any(_is_free(one) for _, one in olds):
            return []
        return [*self._compare_items(olds, news, place), *self._compare_shapes(olds, news, place)]

    def _compare_items(self, olds: Options, news: Options, place: str) -> list[str]:
        lists = [[one for _, one in options if one.get("type") == "array"] for options in (olds, news)]
        pairs = zip(*lists, strict=False)
        return [
            fault
            for old, new in pairs
            for fault in self._compare_fields(old.get("items", {}), new.get("items", {}), place=place)
        ]

    def _compare_shapes(self, olds: Options, news: Options, place: str) -> list[str]:
        """Those that keep their name are compared by it; another one must have taken its place alone."""
        kept = {name for name, _ in news}
        left = [one for name, one in olds if one.get("type") == "object" and not (name and name in kept)]
        others = [one for _, one in news if one.get("type") == "object"]
        if not left:
            return []
        if len(left) == len(others) == 1:
            return self.compare_objects(left[0], others[0], place=place)
        return [f"{place}: type changed"]


def _options(field: Json, definitions: Json, name: str = "") -> Options:
    """Give what a field may be, each with its name where it has one."""
    if reference := field.get("$ref"):
        name = reference.removeprefix("#/$defs/")
        return _options(definitions[name], definitions, name)
    if parts := field.get("allOf"):
        return _options(parts[0], definitions)
    inner = field.get("anyOf", field.get("oneOf"))
    if inner is None:
        return [(name, field)]
    return [option for one in inner for option in _options(one, definitions)]


def _is_free(option: Json) -> bool:
    return option.get("type") == "object" and set(option) <= set(_FREE)


def _values(field: Json) -> set[str]:
    inner: list[Json] = field.get("anyOf") or field.get("oneOf") or [field]
    values = [v for option in inner for v in [*option.get("enum", ()), option.get("const")]]
    return {str(value) for value in values if value is not None}


def _types(options: Options) -> set[str]:
    return {str((option.get("type"), option.get("format"))) for _, option in options}
