"""All the business has on the platform, by the keys the API uses."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from garbo.simulator.assets.accounts import AccountFacts
from garbo.simulator.assets.app import AppFacts, MetaApp
from garbo.simulator.assets.media import MediaStore
from garbo.simulator.assets.numbers import NumberFacts
from garbo.simulator.assets.templates import Shelf, Template
from garbo.simulator.assets.tokens import Holder, TokenFacts

_SECOND_NS = 1_000_000_000


class RateWindow:
    """Counts messages of one number over any sliding second, in and out together.

    Source: Meta, "Throughput": 80 messages a second by default, incoming included.
    """

    def __init__(self, rate_per_s: int) -> None:
        self._rate_per_s = rate_per_s
        self._last: deque[int] = deque(maxlen=max(1, rate_per_s))

    def take(self, now_ns: int) -> bool:
        """Count one message and say yes, or say no and count nothing."""
        last = self._last
        if len(last) == self._rate_per_s and now_ns - last[0] < _SECOND_NS:
            return False
        last.append(now_ns)
        return True

    def change_rate(self, rate_per_s: int) -> None:
        """Let another rate hold from now on; what was counted still counts."""
        self._rate_per_s = rate_per_s
        self._last = deque(self._last, maxlen=max(1, rate_per_s))

    def note(self, now_ns: int) -> None:
        """Count an incoming message: it uses the throughput but is never refused."""
        self._last.append(now_ns)


@dataclass(frozen=True, slots=True)
class SendingNumber:
    """A business phone number."""

    id: str
    display: str
    waba: str
    token: str = field(repr=False)
    rate_per_s: int
    window: RateWindow = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "window", RateWindow(self.rate_per_s))

    @property
    def digits(self) -> str:
        """The display number as webhooks show it: digits only."""
        return "".join(filter(str.isdecimal, self.display))


class Accounts:
    """The app, its tokens, and the accounts with their numbers. Each account has all templates."""

    def __init__(
        self,
        *,
        numbers: Iterable[SendingNumber],
        templates: Iterable[Template],
        app: MetaApp = MetaApp(),  # noqa: B008 - frozen
        callback_url: str = "",
        seed: str = "garbo",
    ) -> None:
        self.app = app
        self.media = MediaStore(seed=seed)
        self.app_facts = AppFacts(callback_url=callback_url)
        self.numbers = {number.id: number for number in numbers}
        listed = list(templates)
        wabas = dict.fromkeys(number.waba for number in self.numbers.values())
        self.shelves = {waba: Shelf(waba, listed) for waba in wabas}
        self.account_facts = {waba: AccountFacts() for waba in wabas}
        self.number_facts = {number_id: NumberFacts() for number_id in self.numbers}
        self._tokens = {number.token: TokenFacts() for number in self.numbers.values()}

    def numbers_of(self, waba: str) -> list[SendingNumber]:
        """List the numbers of an account."""
        return [number for number in self.numbers.values() if number.waba == waba]

    def template_of(self, template_id: str) -> tuple[str, Template] | None:
        """Find a template and its account by the template's id."""
        found = ((waba, shelf.get(template_id)) for waba, shelf in self.shelves.items())
        return next(((waba, template) for waba, template in found if template), None)

    def holder(self, token: str | None) -> Holder | None:
        """Find who calls with a token; None for one that nobody gave out."""
        if token == self.app.token:
            return Holder(token, TokenFacts(), frozenset(), is_app=True)
        if token is None or token not in self._tokens:
            return None
        reached = frozenset(n.waba for n in self.numbers.values() if n.token == token)
        return Holder(token, self._tokens[token], reached)

    def facts_of(self, token: str) -> TokenFacts | None:
        """Tell what is known of a token."""
        return self._tokens.get(token)

    def change_token(self, number: SendingNumber, facts: TokenFacts) -> None:
        """Change the token a number is used with."""
        self._tokens[number.token] = facts

    def callback_of(self, waba: str, number_id: str | None, field: str) -> str | None:
        """Tell where an update is told: number before account before app; None: to nobody."""
        app, account = self.app_facts, self.account_facts[waba]
        if not (app.active and account.subscribed and field in app.fields):
            return None
        number = self.number_facts[number_id].override_callback_uri if number_id else ""
        return number or account.override_callback_uri or app.callback_url
