"""Templates as a business lists, writes, edits and deletes them.

Source: Meta, "Message templates" edge and node, "Template management", "Error codes" 2388xxx (read 2026-11).
"""

import time
from dataclasses import replace
from typing import Final

from garbo.simulator.assets.templates import Shelf, Template, language_key, variables_of
from garbo.simulator.graph.accounts import Accounts
from garbo.simulator.graph.errors import GraphError, Refusal, plain_error
from garbo.simulator.graph.nodes.call import Call, Json, listing, shown
from garbo.simulator.graph.nodes.template_form import read_category, read_components, read_form
from garbo.simulator.reviews import Reviews, TemplateChange, shown_template

NODE: Final = "WhatsAppBusinessHSM"
USUAL: Final = (
    "name",
    "parameter_format",
    "components",
    "language",
    "status",
    "category",
    "previous_category",
)
DELETED_FOR_S: Final = 30 * 86_400
MOST: Final = 6_000
"""Templates an account of a verified business may have."""
EDITS: Final = ((86_400, 1), (30 * 86_400, 10))
"""How often an approved template may be edited: seconds and times."""
_EDITABLE: Final = ("APPROVED", "REJECTED", "PAUSED")


class MessageTemplates:
    """`/{waba}/message_templates`, `/{template}` and `/{template}/unpause`."""

    def __init__(self, accounts: Accounts, reviews: Reviews) -> None:
        self._accounts = accounts
        self._reviews = reviews
        self._deleted: dict[tuple[str, str, str], float] = {}

    async def listed(self, call: Call) -> Json:
        """List an account's templates, those that pass each filter."""
        items = [shown_template(one) for one in self._accounts.shelves[call.node] if _passes(call, one)]
        answer = listing(call, items, kind=NODE, usual=USUAL)
        if call.params.get("summary"):
            held = len(self._accounts.shelves[call.node])
            counts = {
                "total_count": len(items),
                "message_template_count": held,
                "message_template_limit": MOST,
            }
            answer["summary"] = counts | {"are_translations_complete": True}
        return answer

    async def show(self, call: Call) -> Json:
        """Show one template."""
        return shown(call, shown_template(self._of(call)[1]), kind=NODE, usual=USUAL)

    async def create(self, call: Call) -> Json:
        """Take a template for review."""
        template, shelf = read_form(call), self._accounts.shelves[call.node]
        if shelf.named(template.name, template.language):
            said = "There is already content in this language. Edit it, or use another name."
            raise Refusal(_refused(2388024, "Content in this language already exists", said))
        if len(shelf) >= MOST:
            raise Refusal(_refused(2388019, "Message template limit exceeded", "Delete some templates."))
        gone = self._deleted.get((call.node, template.name, language_key(template.language)), 0.0)
        if time.time() - gone < DELETED_FOR_S:
            said = "The old content is being deleted: wait 4 weeks, or use another name."
            raise Refusal(_refused(2388023, "Message Template Language is Being Deleted", said))
        template = shelf.put(template)
        self._reviews.submitted(call.node, template)
        return {"id": template.id, "status": template.status, "category": template.category}

    async def edit(self, call: Call) -> Json:
        """Take an edited template for review."""
        waba, template = self._of(call)
        shelf = self._accounts.shelves[waba]
        if template.status not in _EDITABLE:
            raise Refusal(_refused(2593002, "Template cannot be edited", f"Its status is {template.status}."))
        edited = self._edited(call, template)
        if template.status == "APPROVED":
            now = time.time()
            for span_s, most in EDITS:
                if sum(now - at < span_s for at in template.edits) >= most:
                    said = f"An approved template can be edited {most} times in {span_s // 3600} hours."
                    raise Refusal(_refused(2388027, "Template edited too often", said))
            edited = replace(edited, edits=(*template.edits, now))
        self._reviews.submitted(waba, shelf.put(replace(edited, status="PENDING")))
        return {"success": True, "id": edited.id, "name": edited.name, "category": edited.category}

    async def delete(self, call: Call) -> Json:
        """Delete a template by name in all languages, or by name and `hsm_id` in one."""
        name, shelf = call.text("name", most=512), self._accounts.shelves[call.node]
        wanted = call.params.get("hsm_id")
        gone = [one for one in shelf if one.name == name and wanted in (None, one.id)]
        if not gone:
            said = "There is no message template with this name."
            raise Refusal(_refused(2593002, "Message Template Not Found", said))
        for template in gone:
            shelf.remove(template)
            self._deleted[call.node, name, language_key(template.language)] = time.time()
            self._reviews.removed(call.node, template)
        return {"success": True}

    async def unpause(self, call: Call) -> Json:
        """End a pause that pacing began."""
        waba, template = self._of(call)
        if template.status != "PAUSED":
            return {"success": False, "reason": "The template is not paused."}
        self._reviews.change(waba, template, TemplateChange(status="APPROVED", title="UNPAUSE"))
        return {"success": True}

    def _of(self, call: Call) -> tuple[str, Template]:
        found = self._accounts.template_of(call.node)
        if found is None:
            raise Refusal(plain_error("(#100) Invalid template"))
        return found

    def _edited(self, call: Call, template: Template) -> Template:
        if "components" in call.params:
            components = read_components(call.params["components"], template.category)
            count = len(variables_of(components))
            template = replace(template, components=components, parameters=count)
        if call.params.get("category") is None:
            return template
        category = read_category(call)
        if template.status == "APPROVED" and category != template.category:
            said = "The category of an approved template cannot be changed."
            raise Refusal(_refused(2388025, "Cannot change category", said))
        return replace(template, category=category)


def find_template(shelf: Shelf, wanted: str) -> Template | None:
    """Find a template by its id, or by its name in whatever language comes first."""
    return shelf.get(wanted) or next((one for one in shelf if one.name == wanted), None)


def _passes(call: Call, template: Template) -> bool:
    said = " ".join(str(part.get("text")) for part in template.components)
    either, name = call.params.get("name_or_content"), call.params.get("name")
    for asked, has in (
        ("status", template.status),
        ("category", template.category),
        ("quality_score", template.quality),
    ):
        if asked in call.params and has not in call.listed(asked):
            return False
    languages = call.listed("language")
    if languages and language_key(template.language).upper() not in {
        language_key(x).upper() for x in languages
    }:
        return False
    if name and str(name).lower() not in template.name:
        return False
    if either and str(either).lower() not in f"{template.name} {said.lower()}":
        return False
    return str(call.params.get("content") or "") in said


def _refused(subcode: int, title: str, said: str) -> GraphError:
    error = plain_error("Invalid parameter", subcode=subcode)
    return replace(error, user=(title, said))
