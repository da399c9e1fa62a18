"""Templates that no number of the request's could send: named at the door, field by field."""

from collections.abc import Iterator
from datetime import datetime

from garbo.common.events.requests import SendRequested
from garbo.common.events.template import Template
from garbo.common.events.template_registry import TemplateRegistry
from garbo.common.events.template_takes import TemplateFault
from garbo.ingest.domain.faults import Fault
from garbo.ingest.domain.publisher import Publisher


def template_faults(
    event: SendRequested, publisher: Publisher, known: TemplateRegistry, now: datetime, *, index: int | None
) -> list[Fault]:
    """Say what is wrong with the templates a request names.

    The platform's word counts; the business file's only of accounts that were not read there, or not lately.
    """
    accounts = publisher.accounts(event.brand, event.number)
    faults: list[Fault] = []
    for field, template in event.templates.items():
        if known.believes(accounts, now):
            wrong = known.faults(template, accounts, now)
        else:
            wrong = list(_miscounted(template, publisher))
        faults += [Fault(index, (field, "template", *fault.place), fault.advice) for fault in wrong]
    return faults


def _miscounted(template: Template, publisher: Publisher) -> Iterator[TemplateFault]:
    wanted = template.missed_count(publisher.body_values)
    if wanted is not None:
        given = template.body_values
        advice = f"must give the body {wanted} parameters, not {given}: the template takes so many"
        yield TemplateFault(("components",), advice, "parameter_count")
