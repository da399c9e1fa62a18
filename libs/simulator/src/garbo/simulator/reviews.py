"""What Meta does with templates: reviews, pauses, other categories. Everything is told by webhook."""

import time
from dataclasses import replace
from typing import Any, Final, Literal

from pydantic import Field

from garbo.simulator.agenda import Agenda
from garbo.simulator.assets.asset import Asset
from garbo.simulator.assets.templates import Json, Shelf, Status, Template, variables_of
from garbo.simulator.control import Control
from garbo.simulator.graph.accounts import Accounts
from garbo.simulator.network import Network
from garbo.simulator.webhooks import notices
from garbo.simulator.webhooks.outbox import Outbox

Pause = Literal["FIRST_PAUSE", "SECOND_PAUSE", "RATE_LIMITING_PAUSE", "UNPAUSE", "DISABLED"]
PACED_OUT: Final = 132015
PAUSE_S: Final = {"FIRST_PAUSE": 3 * 3600.0, "SECOND_PAUSE": 6 * 3600.0}
"""Pauses that end by themselves; one for pacing ends by `POST /{template}/unpause` alone."""


class TemplateChange(Asset):
    """What Meta changes about a template; what is not named stays."""

    status: Status | None = None
    title: Pause | None = None
    """Which pause it is."""
    reason: str | None = None
    """Why it was refused, such as ABUSIVE_CONTENT, INVALID_FORMAT, TAG_CONTENT_MISMATCH."""
    for_s: float | None = Field(default=None, gt=0, le=30 * 86_400)
    """After so long a pause ends, or an announced category comes; None: as long as the platform does."""
    quality: Literal["GREEN", "YELLOW", "RED", "UNKNOWN"] | None = None
    category: Literal["MARKETING", "UTILITY", "AUTHENTICATION"] | None = None
    announce: bool = False
    """Tell the new category a day ahead (`for_s`), instead of changing it now."""
    components: tuple[dict[str, Any], ...] | None = None
    pacing: Literal["hold", "release", "drop"] | None = None
    """hold: what is sent from now on is accepted and held. release: it is delivered. drop: it fails with
    132015, and the template is paused until `unpause`."""
    syncing_for_s: float | None = Field(default=None, ge=0, le=86_400)
    """So long the marketing endpoint does not know it (134101)."""
    marketing_only: bool | None = None
    """Whether the other endpoint refuses it (131061)."""
    webhook: bool = True
    """False: change it and tell nobody, as when a webhook is lost."""


class Reviews:
    """Changes templates and tells it."""

    def __init__(
        self, *, accounts: Accounts, agenda: Agenda, control: Control, outbox: Outbox, network: Network
    ) -> None:
        self._accounts = accounts
        self._network = network
        self._agenda = agenda
        self._control = control
        self._outbox = outbox

    def submitted(self, waba: str, template: Template) -> None:
        """Review a template that was created or edited, after a while."""
        review = self._control.state.review

        def decide() -> None:
            present = self._accounts.shelves[waba].get(template.id)
            if present is None or present.status != "PENDING":
                return
            if review.category and review.category != present.category:
                self.change(waba, present, TemplateChange(category=review.category))
            reason = review.reason if review.verdict == "REJECTED" else None
            self.change(waba, present, TemplateChange(status=review.verdict, reason=reason))

        self._agenda.after(review.after_ms / 1000, decide)

    def change(self, waba: str, template: Template, change: TemplateChange) -> Template:
        """Change one template, its newest state, and tell each change."""
        shelf = self._accounts.shelves[waba]
        told: list[notices.Notice] = []
        present = shelf.get(template.id) or template
        if change.components is not None:
            count = len(variables_of(change.components))
            present = shelf.put(replace(present, components=change.components, parameters=count))
            told.append(notices.template_components(waba, present))
        if change.quality is not None and change.quality != present.quality:
            before, scored = present.quality, replace(present, quality=change.quality)
            present = shelf.put(replace(scored, quality_at=int(time.time())))
            told.append(notices.template_quality(waba, present, before=before))
        if change.category is not None and change.category != present.category:
            present = self._recategorise(shelf, waba, present, change, told)
        if change.syncing_for_s is not None:
            present = shelf.put(replace(present, syncing_until=time.time() + change.syncing_for_s))
        if change.marketing_only is not None:
            present = shelf.put(replace(present, marketing_only=change.marketing_only))
        if change.pacing is not None:
            present = self._pace(shelf, present, change.pacing)
            if change.pacing == "drop":
                change = change.changed({"status": "PAUSED", "title": "RATE_LIMITING_PAUSE"})
        if change.status is not None:
            present = self._set_status(shelf, waba, present, change, told)
        for notice in told if change.webhook else ():
            self._outbox.tell(notice)
        return present

    def removed(self, waba: str, template: Template) -> None:
        """Tell that a template is gone."""
        self._outbox.tell(notices.template_status(waba, template, event="DELETED"))

    def _recategorise(
        self, shelf: Shelf, waba: str, present: Template, change: TemplateChange, told: list[notices.Notice]
    ) -> Template:
        if change.announce:
            wait_s = change.for_s or 86_400.0
            present = shelf.put(replace(present, correct_category=change.category))
            told.append(notices.template_category_impending(waba, present, at=int(time.time() + wait_s)))
            later = TemplateChange(category=change.category, webhook=change.webhook)
            self._agenda.after(wait_s, lambda: self._if_still_there(shelf, waba, present.id, later))
            return present
        before = present.category
        category = change.category or before
        present = shelf.put(
            replace(present, category=category, previous_category=before, correct_category=None)
        )
        told.append(notices.template_recategorised(waba, present, before=before))
        return present

    def _pace(self, shelf: Shelf, present: Template, pacing: str) -> Template:
        if pacing != "hold":
            self._network.let_go(present.id, code=PACED_OUT if pacing == "drop" else None)
        return shelf.put(replace(present, held=pacing == "hold"))

    def _set_status(
        self, shelf: Shelf, waba: str, present: Template, change: TemplateChange, told: list[notices.Notice]
    ) -> Template:
        status, title = change.status or present.status, change.title
        if status == "PAUSED" and title is None:
            title = "FIRST_PAUSE"
        present = shelf.put(replace(present, status=status, rejected_reason=change.reason or "NONE"))
        told.append(notices.template_status(waba, present, event=status, reason=change.reason, title=title))
        ends_s = change.for_s or PAUSE_S.get(title or "")
        if status == "PAUSED" and ends_s is not None:
            resumed = TemplateChange(status="APPROVED", title="UNPAUSE", webhook=change.webhook)
            self._agenda.after(
                ends_s, lambda: self._if_still_there(shelf, waba, present.id, resumed, only="PAUSED")
            )
        return present

    def _if_still_there(
        self, shelf: Shelf, waba: str, template_id: str, change: TemplateChange, *, only: str | None = None
    ) -> None:
        present = shelf.get(template_id)
        if present and only in (None, present.status):
            self.change(waba, present, change)


def shown_template(template: Template) -> Json:
    """Show a template as the API lists it."""
    return {
        "id": template.id,
        "name": template.name,
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "components": list(template.components),
        "quality_score": {"score": template.quality, "date": template.quality_at},
        "parameter_format": template.parameter_format,
        "previous_category": template.previous_category,
        "correct_category": template.correct_category,
        "rejected_reason": template.rejected_reason,
        "message_send_ttl_seconds": template.message_send_ttl_seconds,
        "sub_category": None,
        "library_template_name": None,
        "degrees_of_freedom_spec": None,
        "cta_url_link_tracking_opted_out": False,
    }
