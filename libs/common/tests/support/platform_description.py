"""The platform's own OpenAPI description, where it lies beside the repository, and what is mended in it."""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
import yaml

Json = dict[str, Any]
DESCRIPTION: Final = (
    Path(__file__).parents[5] / "shared/reference/whatsapp-business-messaging-openapi-v23.yaml"
)


@dataclass(frozen=True, slots=True)
class Amendment:
    """Something the description says wrongly, or does not say yet; `mend` changes its schemas."""

    reason: str
    mend: Callable[[Json], None]


def platform_schemas() -> Json:
    """Give the schemas it has by name; skips the test, and says so, where the file is not there."""
    if not DESCRIPTION.exists():
        pytest.skip(
            f"NOT COMPARED: the platform's description is not beside this repository: {DESCRIPTION.name}"
        )
    schemas: Json = yaml.load(DESCRIPTION.read_text(encoding="utf-8"), yaml.CSafeLoader)["components"][
        "schemas"
    ]
    return schemas


def validator(
    schemas: Json, name: str, amendments: Iterable[Amendment] = ()
) -> jsonschema.Draft202012Validator:
    """Validate by one schema of the description, mended."""
    mended = copy.deepcopy(schemas)
    for amendment in amendments:
        amendment.mend(mended)
    _read_discriminators(mended)
    ref = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": mended}}
    return jsonschema.Draft202012Validator(ref)


def _read_discriminators(schemas: Json) -> None:
    """Say as alternatives what the elements of an array may be by their type, for JSON Schema."""
    mappings = {
        f"#/components/schemas/{name}": list(schema["discriminator"]["mapping"].values())
        for name, schema in schemas.items()
        if "discriminator" in schema and "oneOf" not in schema
    }

    def walk(node: Any) -> None:  # noqa: ANN401 - YAML
        if isinstance(node, dict):
            items = node.get("items")
            if isinstance(items, dict) and (targets := mappings.get(items.get("$ref", ""))):
                node["items"] = {"anyOf": [{"$ref": target} for target in targets]}
            for one in node.values():
                walk(one)
        elif isinstance(node, list):
            for one in node:
                walk(one)

    walk(schemas)
