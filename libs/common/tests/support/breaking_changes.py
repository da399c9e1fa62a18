"""Whether a schema still keeps what another one promised."""

from typing import Any


def breaking_changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Name what `new` would break for those who rely on `old`, within one version.

    Producers must still be able to write what was valid, consumers must still find what was promised:
    no field may go, change its type, lose values, become required, or stop being required.
    """
    found = _compare(old, new, where="")
    kept = new.get("$defs", {})
    for name, definition in old.get("$defs", {}).items():
        found += (
            _compare(definition, kept[name], where=name) if name in kept else [f"{name}: definition is gone"]
        )
    return found


def _compare(old: dict[str, Any], new: dict[str, Any], *, where: str) -> list[str]:
    found: list[str] = []
    fields = new.get("properties", {})
    for name, field in old.get("properties", {}).items():
        place = f"{where}.{name}".lstrip(".")
        if name not in fields:
            found.append(f"{place}: field is gone")
        else:
            found += _compare_field(field, fields[name], place=place)
    required, before = set(new.get("required", ())), set(old.get("required", ()))
    found += [f"{where}.{name}: became required".lstrip(".") for name in sorted(required - before)]
    found += [f"{where}.{name}: is no longer promised".lstrip(".") for name in sorted(before - required)]
    return found


def _compare_field(old: dict[str, Any], new: dict[str, Any], *, place: str) -> list[str]:
    if lost := _values(old) - _values(new):
        return [f"{place}: values are gone: {', '.join(sorted(lost))}"]
    if _types(old) - _types(new):
        return [f"{place}: type changed"]
    return []


def _options(field: dict[str, Any]) -> list[dict[str, Any]]:
    return list(field.get("anyOf", field.get("oneOf", [field])))


def _values(field: dict[str, Any]) -> set[str]:
    values = [v for option in _options(field) for v in [*option.get("enum", ()), option.get("const")]]
    return {str(value) for value in values if value is not None}


def _types(field: dict[str, Any]) -> set[str]:
    return {
        str(option.get("$ref") or (option.get("type"), option.get("format"))) for option in _options(field)
    }
