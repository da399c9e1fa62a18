"""Templates as the platform holds them, by account.

Source: Meta, "Message templates", "Template components", "Template quality" (read 2026-11).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final, Literal

Json = dict[str, Any]
Status = Literal[
    "APPROVED",
    "PENDING",
    "REJECTED",
    "PAUSED",
    "DISABLED",
    "IN_APPEAL",
    "LIMIT_EXCEEDED",
    "ARCHIVED",
    "DELETED",
]
SENDABLE: Final = frozenset({"APPROVED", "PAUSED", "DISABLED"})
"""Found by a send; the last two are then refused with a code of their own."""
_VARIABLE: Final = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A template; `parameters` is how many values its body wants."""

    name: str
    language: str
    category: str
    parameters: int
    id: str = ""
    status: str = "APPROVED"
    components: tuple[Json, ...] = ()
    quality: str = "UNKNOWN"
    quality_at: int = 1_790_000_000
    """Since when, epoch seconds."""
    parameter_format: str = "POSITIONAL"
    previous_category: str | None = None
    correct_category: str | None = None
    rejected_reason: str = "NONE"
    message_send_ttl_seconds: int | None = None
    held: bool = False
    """Amid pacing: what is sent is accepted and held until Meta has seen how the first ones were taken."""
    syncing_until: float = 0
    """Epoch seconds; until then the marketing endpoint does not know it (134101)."""
    marketing_only: bool = False
    """The other endpoint refuses it (131061), as one with a highest price."""
    edits: tuple[float, ...] = ()
    """When it was edited, epoch seconds."""


class Shelf:
    """The templates of one account, by id and by name and language."""

    def __init__(self, account: str, templates: Iterable[Template] = ()) -> None:
        self._account = account
        self._by_id: dict[str, Template] = {}
        self._by_name: dict[tuple[str, str], str] = {}
        for template in templates:
            self.put(template)

    def __iter__(self) -> Iterator[Template]:
        """All of them, oldest first."""
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        """How many there are."""
        return len(self._by_id)

    def put(self, template: Template) -> Template:
        """Keep a template, in place of the one with its id; mints the id of a new one."""
        if not template.id:
            template = replace(template, id=template_id(self._account, template.name, template.language))
        if not template.components:
            template = replace(template, components=_written(template.parameters))
        self._by_id[template.id] = template
        self._by_name[template.name, language_key(template.language)] = template.id
        return template

    def remove(self, template: Template) -> None:
        """Forget a template."""
        self._by_id.pop(template.id, None)
        self._by_name.pop((template.name, language_key(template.language)), None)

    def get(self, template_id: str) -> Template | None:
        """Find a template by its id."""
        return self._by_id.get(template_id)

    def named(self, name: str, language: str) -> Template | None:
        """Find one by name and language, whatever its status; `en-US` and `en_US` are the same."""
        return self._by_id.get(self._by_name.get((name, language_key(language)), ""))

    def template(self, name: str, language: str) -> Template | None:
        """Find one that a send may name: approved, or paused or disabled after it was."""
        found = self.named(name, language)
        return found if found and found.status in SENDABLE else None


def language_key(code: str) -> str:
    """Give a language in the one spelling that counts."""
    return code.replace("-", "_").lower()


def template_id(account: str, name: str, language: str) -> str:
    """Mint a template's id: 16 digits, the same in each run."""
    digest = sha256(f"{account}/{name}/{language_key(language)}".encode()).digest()
    return str(10**15 + int.from_bytes(digest[:8], "big") % (9 * 10**15))


def variables_of(components: Iterable[Json], kind: str = "BODY") -> list[str]:
    """List the variables in the text of a component, each once."""
    texts = [str(part.get("text", "")) for part in components if str(part.get("type")).upper() == kind]
    return list(dict.fromkeys(name for text in texts for name in _VARIABLE.findall(text)))


def _written(parameters: int) -> tuple[Json, ...]:
    """Write a body for a template of the business file, of which only the count is known."""
    if not parameters:
        return ({"type": "BODY", "text": "There is news for you."},)
    listed = ", ".join(f"{{{{{n}}}}}" for n in range(1, parameters + 1))
    example = {"body_text": [[f"value {n}" for n in range(1, parameters + 1)]]}
    return ({"type": "BODY", "text": f"There is news for you: {listed}.", "example": example},)
