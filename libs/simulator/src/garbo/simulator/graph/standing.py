"""What stands against a send: the state of number, account and template, and every limit.

Some of it refuses at once, some is found out after acceptance and comes as a failed status.
"""

import time
from typing import Final

from garbo.simulator.assets.accounts import PEOPLE_OF_TIER, AccountFacts
from garbo.simulator.assets.numbers import NumberFacts
from garbo.simulator.control import Control
from garbo.simulator.graph.accounts import Accounts, SendingNumber
from garbo.simulator.graph.errors import GraphError, graph_error
from garbo.simulator.graph.limits import (
    DAY_NS,
    FLOW_PER_HOUR,
    HOUR_NS,
    Limits,
    Pairs,
    PeopleOfDay,
    Windows,
    in_experiment,
    of_the_us,
)
from garbo.simulator.graph.requests import MarkRead, Send
from garbo.simulator.population.customers import Customer

_NOT_REGISTERED: Final = frozenset({"PENDING", "OFFLINE", "DISCONNECTED"})


class Standing:
    """Refuses sends, and counts those that are accepted."""

    def __init__(self, *, accounts: Accounts, control: Control, seed: str) -> None:
        self._accounts = accounts
        self._control = control
        self._seed = seed
        self._pairs = Pairs()
        self._people = PeopleOfDay()
        self._promos = Windows(DAY_NS)
        self._flows = Windows(HOUR_NS)

    def refusal(self, number: SendingNumber, asked: Send | MarkRead, now_ns: int) -> GraphError | None:
        """Say why the platform refuses this send now; None when it takes it."""
        state = self._control.state
        facts, account = self._accounts.number_facts[number.id], self._accounts.account_facts[number.waba]
        if refused := _of_number(facts) or _of_account(account) or _of_usage(state.limits):
            return refused
        if isinstance(asked, Send):
            if refused := _of_template(asked, account) or _of_country(asked, state.limits):
                return refused
            if state.rate_limits and (refused := self._of_limits(number, asked, now_ns)):
                return refused
        if state.rate_limits and not number.window.take(now_ns):
            return graph_error(130429)
        return None

    def note(self, number: SendingNumber, asked: Send, now_ns: int) -> None:
        """Count a send that was accepted."""
        state = self._control.state
        if state.rate_limits and state.limits.pair != "off":
            self._pairs.note((number.id, asked.recipient), now_ns)
        if asked.flow_id is not None:
            self._flows.note(asked.flow_id, now_ns)

    def later(self, number: SendingNumber, asked: Send, customer: Customer, now_ns: int) -> int | None:
        """Give the code with which an accepted send fails later; one that does not is counted."""
        state, account = self._control.state, self._accounts.account_facts[number.waba]
        if account.restriction == "unpaid":
            return 131042
        if asked.template is None or not state.rate_limits or customer.window_open(number.id):
            return None
        if asked.category == "marketing" and (code := self._of_promo(asked, customer, state.limits, now_ns)):
            return code
        most = PEOPLE_OF_TIER[account.messaging_limit]
        if most is not None and not self._people.reach(customer.user_id, now_ns, most):
            return 131048
        return None

    def _of_promo(self, asked: Send, customer: Customer, limits: Limits, now_ns: int) -> int | None:
        if not limits.marketing_to_us and of_the_us(asked.recipient):
            return 131049
        if limits.experiment_ratio and in_experiment(self._seed, customer.phone, limits.experiment_ratio):
            return 130472
        if limits.marketing_per_person is not None:
            if self._promos.count(customer.phone, now_ns) >= limits.marketing_per_person:
                return 131049
            self._promos.note(customer.phone, now_ns)
        return None

    def _of_limits(self, number: SendingNumber, asked: Send, now_ns: int) -> GraphError | None:
        limits = self._control.state.limits
        flow = limits.flows.get(asked.flow_id or "")
        if flow == "BLOCKED":
            return graph_error(132068)
        if flow == "THROTTLED" and self._flows.count(asked.flow_id or "", now_ns) >= FLOW_PER_HOUR:
            return graph_error(132069)
        paid_back = limits.pair == "paid_back"
        pair = (number.id, asked.recipient)
        if limits.pair != "off" and self._pairs.closed(pair, now_ns, paid_back=paid_back):
            return graph_error(131056)
        return None


def _of_number(facts: NumberFacts) -> GraphError | None:
    if facts.usual:
        return None
    if facts.status == "BANNED":
        return graph_error(131031)
    if facts.status == "DELETED":
        return graph_error(33)
    if facts.status in _NOT_REGISTERED:
        return graph_error(133010)
    now_s = time.time()
    if now_s < facts.maintenance_until:
        return graph_error(131057)
    return graph_error(130429) if now_s < facts.throttled_until else None


def _of_account(account: AccountFacts) -> GraphError | None:
    if account.restriction in ("locked", "disabled"):
        return graph_error(131031)
    return graph_error(368) if account.restriction == "blocked" else None


def _of_usage(limits: Limits) -> GraphError | None:
    full = 100
    if limits.app_usage >= full:
        return graph_error(4)
    return graph_error(80007) if limits.account_usage >= full else None


def _of_template(asked: Send, account: AccountFacts) -> GraphError | None:
    template = asked.template
    if template is None:
        return None
    if account.restriction == "misclassified":
        return graph_error(131064)
    if template.status != "APPROVED":
        return graph_error(132015 if template.status == "PAUSED" else 132016)
    closed = account.disable_marketing_messages_on_cloud_api and template.category == "MARKETING"
    return graph_error(131063) if closed else None


def _of_country(asked: Send, limits: Limits) -> GraphError | None:
    return graph_error(130497) if asked.recipient.startswith(limits.restricted_countries or ("?",)) else None
