"""What Meta does to app, tokens, numbers and accounts when told to (`/control/...`), and what it tells."""

import time
from typing import Any, Final

from pydantic import TypeAdapter

from garbo.simulator.assets.asset import Asset
from garbo.simulator.assets.numbers import NumberFacts
from garbo.simulator.graph.accounts import Accounts
from garbo.simulator.webhooks import notices
from garbo.simulator.webhooks.outbox import Outbox

Json = dict[str, Any]
_TOLD: Final[dict[str, tuple[str, Json]]] = {
    "blocked": (
        "ACCOUNT_RESTRICTION",
        {"restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING"}]},
    ),
    "locked": ("ACCOUNT_VIOLATION", {"violation_info": {"violation_type": "SPAM"}}),
    "disabled": ("DISABLED_UPDATE", {"ban_info": {"waba_ban_state": "DISABLE"}}),
    "": ("DISABLED_UPDATE", {"ban_info": {"waba_ban_state": "REINSTATE"}}),
}
"""What `account_update` says when a restriction begins or ends; being unpaid is not told."""
_SECONDS: Final = TypeAdapter(float)
COEXISTENCE_PER_S: Final = 20
UPGRADED_PER_S: Final = 1_000
RESTRICTED_FOR_S: Final = 86_400


class Operations:
    """Changes what the platform holds of the business; a bad patch raises ValidationError."""

    def __init__(self, *, accounts: Accounts, outbox: Outbox) -> None:
        self._accounts = accounts
        self._outbox = outbox

    def app(self, patch: Json) -> Asset:
        """Change the app; nothing is told of it."""
        self._accounts.app_facts = self._accounts.app_facts.changed(patch)
        return self._accounts.app_facts

    def token(self, number_id: str, patch: Json) -> Asset:
        """Change the token a number is used with; `expires_in_s` is from now on."""
        number = self._accounts.numbers[number_id]
        facts = self._accounts.facts_of(number.token)
        if facts is None:
            raise KeyError(number_id)
        if "expires_in_s" in patch:
            seconds = _SECONDS.validate_python(patch["expires_in_s"])
            patch = {name: value for name, value in patch.items() if name != "expires_in_s"}
            patch["expires_at"] = time.time() + seconds
        self._accounts.change_token(number, facts.changed(patch))
        return facts.changed(patch)

    def number(self, number_id: str, patch: Json) -> Asset:
        """Change a number, and tell of a faster one and of a name that was decided about.

        `maintenance_for_s` and `throttled_for_s` are from now on.
        """
        number, before = self._accounts.numbers[number_id], self._accounts.number_facts[number_id]
        after = before.changed(_from_now_on(patch, ("maintenance", "throttled")))
        self._accounts.number_facts[number_id] = after
        number.window.change_rate(_rate_of(after, number.rate_per_s))
        limit = self._accounts.account_facts[number.waba].messaging_limit
        if after.throughput == "HIGH" != before.throughput:
            self._outbox.tell(notices.number_throughput(number.waba, number_id, number.digits, limit=limit))
        if after.name_status != before.name_status and after.name_status in ("APPROVED", "DECLINED"):
            self._outbox.tell(_name_decided(number.waba, number_id, number.digits, after))
        return after

    def account(self, waba: str, patch: Json) -> Asset:
        """Change an account, and tell of restrictions, reviews and another messaging limit."""
        before = self._accounts.account_facts[waba]
        after = before.changed(patch)
        self._accounts.account_facts[waba] = after
        if after.restriction != before.restriction:
            self._tell_restriction(waba, before.restriction, after.restriction)
        if after.account_review_status != before.account_review_status:
            value = {"decision": after.account_review_status}
            self._outbox.tell(notices.Notice(waba, "account_review_update", value))
        if after.messaging_limit != before.messaging_limit:
            self._outbox.tell(notices.capability(waba, limit=after.messaging_limit))
        return after

    def tell(self, waba: str, field: str, value: Json) -> None:
        """Tell anything at all of an account, just as it stands here."""
        self._outbox.tell(notices.Notice(waba, field, value))

    def _tell_restriction(self, waba: str, before: str, after: str) -> None:
        told = _TOLD.get(after)
        if told is None or (after == "" and before != "disabled"):
            return
        event, more = told
        if after == "blocked":
            until = int(time.time()) + RESTRICTED_FOR_S
            more = {"restriction_info": [one | {"expiration": until} for one in more["restriction_info"]]}
        if after == "disabled":
            day = time.strftime("%B %d, %Y", time.gmtime())
            more = {"ban_info": more["ban_info"] | {"waba_ban_date": day}}
        self._outbox.tell(notices.account(waba, event, **more))


def _rate_of(facts: NumberFacts, usual_per_s: int) -> int:
    if facts.is_on_biz_app:
        return COEXISTENCE_PER_S
    return UPGRADED_PER_S if facts.throughput == "HIGH" else usual_per_s


def _from_now_on(patch: Json, names: tuple[str, ...]) -> Json:
    """Turn spans into instants."""
    for name in names:
        if f"{name}_for_s" in patch:
            seconds = _SECONDS.validate_python(patch[f"{name}_for_s"])
            patch = {key: value for key, value in patch.items() if key != f"{name}_for_s"}
            patch[f"{name}_until"] = time.time() + seconds
    return patch


def _name_decided(waba: str, number_id: str, digits: str, facts: NumberFacts) -> notices.Notice:
    decision = "APPROVED" if facts.name_status == "APPROVED" else "REJECTED"
    return notices.number_name(waba, number_id, digits, decision=decision, name=facts.verified_name)
