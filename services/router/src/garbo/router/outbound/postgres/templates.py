"""The template registry in PostgreSQL, with a copy in memory as new as the version in the database."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from garbo.common.business import Business
from garbo.common.events.template_registry import TemplateRegistry, normal_language
from garbo.router.domain.instants import EPOCH, to_datetime, to_us
from garbo.router.domain.templates import ANY_ACCOUNT, Observed, TemplateCategory, Templates
from garbo.router.outbound.postgres.rows import read_template

if TYPE_CHECKING:
    from garbo.common.runtime.postgres import Connection

READ: Final = "SELECT * FROM router.template"
RAISE_VERSION: Final = "UPDATE router.template_version SET version = version + 1"
# A word about the category counts by its own instant, and so does one about the status.
_NEWER: Final = "excluded.categorised_at >= coalesce(t.categorised_at, '-infinity')"
# A reading ($10) shows no announced change: one whose day has not come stands.
_ENDS: Final = f"{_NEWER} AND NOT ($10 AND t.next_category_at > excluded.categorised_at)"
UPSERT: Final = f"""
INSERT INTO router.template AS t
    (waba, name, language, category, next_category, next_category_at, status, changed_at, categorised_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (waba, name, language) DO UPDATE SET
    category = CASE WHEN {_NEWER} THEN coalesce(excluded.category, t.category) ELSE t.category END,
    next_category = CASE WHEN {_ENDS} THEN excluded.next_category ELSE t.next_category END,
    next_category_at = CASE WHEN {_ENDS} THEN excluded.next_category_at ELSE t.next_category_at END,
    categorised_at = CASE WHEN {_NEWER} THEN excluded.categorised_at ELSE t.categorised_at END,
    status = CASE WHEN excluded.changed_at >= t.changed_at THEN coalesce(excluded.status, t.status)
                  ELSE t.status END,
    changed_at = greatest(excluded.changed_at, t.changed_at)
"""  # noqa: S608 - joined from constants
OBSERVED: Final = "SELECT record FROM router.template_observed"
OBSERVE: Final = """
INSERT INTO router.template_observed AS t (key, observed_at, record) VALUES ($1, $2, $3)
ON CONFLICT (key) DO UPDATE SET observed_at = excluded.observed_at, record = excluded.record
WHERE excluded.observed_at >= t.observed_at
"""


class PostgresTemplates:
    """Reads the registry again only when its version has moved."""

    def __init__(self) -> None:
        self._copy = Templates(version=-1)

    async def current(self, connection: "Connection", version: int) -> Templates:
        """Give the registry of this version or a newer one."""
        if self._copy.version != version:
            rows = await connection.fetch(READ)
            known = {(t.waba, t.name, t.language): t for t in map(read_template, rows)}
            read = await connection.fetch(OBSERVED)
            registry = TemplateRegistry()
            registry.apply(Observed.model_validate_json(row["record"]) for row in read)
            self._copy = Templates(version=version, known=known, observed=registry)
        return self._copy

    async def write(
        self,
        connection: "Connection",
        templates: Sequence[TemplateCategory],
        observed: Sequence[Observed] = (),
    ) -> None:
        """Take in what was told and read; an older word does not replace a newer one."""
        await connection.execute(RAISE_VERSION)  # first: it is also the lock that keeps writers in line
        await connection.executemany(UPSERT, [_values(template) for template in templates])
        rows = [
            (one.key, one.observed_at, one.model_dump_json(exclude_none=True).encode()) for one in observed
        ]
        await connection.executemany(OBSERVE, rows)


def seeds(business: Business) -> list[TemplateCategory]:
    """Give the business file's templates, older than anything the platform can have said."""
    return [
        TemplateCategory(
            waba=ANY_ACCOUNT,
            name=template.name,
            language=normal_language(template.language),
            category=template.category.lower(),
            changed_at_us=to_us(EPOCH),
            categorised_at_us=to_us(EPOCH),
        )
        for template in business.templates
    ]


def _values(template: TemplateCategory) -> tuple[object, ...]:
    next_at_us, categorised_at_us = template.next_at_us, template.categorised_at_us
    return (
        template.waba,
        template.name,
        template.language,
        template.category,
        template.next_category,
        None if next_at_us is None else to_datetime(next_at_us),
        template.status,
        to_datetime(template.changed_at_us),
        None if categorised_at_us is None else to_datetime(categorised_at_us),
        template.was_read,
    )
