"""What is known of templates, from `garbo.template.observed.v1`, and why a message may not use one."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from garbo.common.events.template import Template
from garbo.common.events.template_observed import TemplateObserved
from garbo.common.events.template_takes import TemplateFault, faults_of

GONE: Final = "DELETED"
_STOPPED: Final[Mapping[str, tuple[str, str]]] = {
    "PAUSED": ("template_paused", "is paused by the platform for its quality: wait until it is APPROVED"),
    "DISABLED": ("template_disabled", "is disabled by the platform: make another template"),
    "REJECTED": ("template_not_approved", "was rejected by the platform: correct it there"),
    "PENDING": ("template_not_approved", "is not approved yet: ask again when it is"),
}
"""States in which the platform surely sends nothing. Words that are not here stop nothing."""
_OF_PASSWORDS: Final = "AUTHENTICATION"
MAX_PASSWORD_CHARS: Final = 15
"""Source: Meta, "Authentication templates" (read 2026-11)."""
_LOOK: Final = "see garbo templates list"


@dataclass(slots=True)
class TemplateRegistry:
    """The newest record of each template and of each account, by their keys."""

    known: dict[str, TemplateObserved] = field(default_factory=dict)

    def apply(self, records: Iterable[TemplateObserved]) -> None:
        """Take records; an older reading that was told later changes nothing."""
        for record in records:
            known = self.known.get(record.key)
            if known is None or known.observed_at <= record.observed_at:
                self.known[record.key] = record

    def of(self, waba: str) -> list[TemplateObserved]:
        """Give an account's templates that are not gone."""
        return [
            one
            for one in self.known.values()
            if one.waba == waba and one.name is not None and one.status != GONE
        ]

    def account(self, waba: str) -> TemplateObserved | None:
        """Give an account's own record; None: it was never read."""
        return self.known.get(waba)

    def category_of(self, waba: str, name: str, language: str) -> str | None:
        """Give the category the platform last showed, such as MARKETING; None where it showed none."""
        known = self.known.get(f"{waba}:{name}:{normal_language(language)}")
        return known.category if known and known.status != GONE else None

    def believes(self, wabas: Collection[str], now: datetime) -> bool:
        """Say whether all these accounts were read lately enough to refuse by what was read."""
        return bool(wabas) and all(self._is_believed(waba, now) for waba in wabas)

    def faults(self, template: Template, wabas: Collection[str], now: datetime) -> list[TemplateFault]:
        """Say why no number of these accounts can send it; empty where one may be able to.

        Accounts that were not read, or not for long, refuse nothing.
        """
        first: list[TemplateFault] = []
        for waba in wabas:
            if not self._is_believed(waba, now):
                return []
            found = self._faults_in(template, waba)
            if not found:
                return []
            first = first or found
        return first

    def _is_believed(self, waba: str, now: datetime) -> bool:
        read = self.known.get(waba)
        return read is not None and read.believed_until is not None and now <= read.believed_until

    def _faults_in(self, template: Template, waba: str) -> list[TemplateFault]:
        language = normal_language(template.language.code)
        known = self.known.get(f"{waba}:{template.name}:{language}")
        if known is None or known.status == GONE:
            return [self._unknown(template, waba)]
        if stopped := _STOPPED.get(known.status or ""):
            reason, advice = stopped
            return [TemplateFault(("name",), advice, reason)]
        password = list(_password_faults(template)) if known.category == _OF_PASSWORDS else []
        return password + (faults_of(template.components, known.takes) if known.takes else [])

    def _unknown(self, template: Template, waba: str) -> TemplateFault:
        languages = sorted(one.language or "" for one in self.of(waba) if one.name == template.name)
        read_at = self.known[waba].observed_at
        if languages:
            advice = f"must be a language this template has: {', '.join(languages)}"
            return TemplateFault(("language", "code"), advice, "unknown_template")
        advice = (
            f"is not a template of this number's account, as read at {read_at:%Y-%m-%d %H:%M} UTC: {_LOOK}; "
            "a new one is known as soon as garbo templates sync has run"
        )
        return TemplateFault(("name",), advice, "unknown_template")


def _password_faults(template: Template) -> Iterator[TemplateFault]:
    """Name what is too long for a code; it stands in the body and, again, on the button."""
    for number, component in enumerate(template.components):
        for place, value in enumerate(component.get("parameters", ())):
            if len(value.get("text", "")) > MAX_PASSWORD_CHARS:
                where = ("components", number, "parameters", place, "text")
                advice = f"must have at most {MAX_PASSWORD_CHARS} characters: it is a one-time password"
                yield TemplateFault(where, advice, "template_parameters")


def normal_language(code: str) -> str:
    """Write a language one way: the platform says both `en-US` and `en_US`."""
    return code.replace("-", "_")
