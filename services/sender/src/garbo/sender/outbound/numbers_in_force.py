"""The numbers as the business file lists them now, with their tokens: both may change at any time."""

from collections.abc import Iterator, Mapping

from garbo.common.business import Brand, Business, Client, Number
from garbo.common.runtime.published import WithTokens
from garbo.sender.domain.platform_words import Numbers
from garbo.sender.domain.portfolios import ListedPortfolios, PeopleLimit


class NumbersInForce(Mapping[str, str]):
    """The token of each number, as it is at the moment of asking.

    What another file no longer lists keeps its last token: grants of it may be under way.
    """

    def __init__(self, read: WithTokens) -> None:
        self._tokens = dict(read.tokens)
        self.business: Business = read.business
        self.rates = {number.id: number.rate_per_s for number in read.business.numbers}
        """Sends a second by number, as they are now; one that is listed no longer keeps its last."""
        self._known = {number.id: number for number in read.business.numbers}
        self.listed = _listed(self._known)
        """Whose each number is, as it is now or was last."""
        self.portfolios = _portfolios(self._known, self.business)
        """Which portfolio each number is of, likewise, and what the file says of the limits."""

    async def take(self, read: WithTokens) -> None:
        """Let another file, or another token, be in force from the next call on."""
        self._tokens |= read.tokens
        self.business = read.business
        self.rates.update({number.id: number.rate_per_s for number in read.business.numbers})
        self._known |= {number.id: number for number in read.business.numbers}
        self.listed = _listed(self._known)
        self.portfolios = _portfolios(self._known, self.business)

    @property
    def brands(self) -> tuple[Brand, ...]:
        """All brands."""
        return self.business.brands

    def client_of_key(self, key: str) -> Client | None:
        """Find the client an API key belongs to; see `Business.client_of_key`."""
        return self.business.client_of_key(key)

    def account_of(self, number: str) -> str | None:
        """Give the platform's account a number is, or was, of."""
        return self.listed.account_of(number)

    def siblings(self, number: str) -> Mapping[str, float]:
        """Give the other numbers of a number's account, with their rates."""
        others = self.listed.of(self.account_of(number) or "")
        return {one: self.rates[one] for one in others if one != number}

    def accounts(self) -> Mapping[str, tuple[str, ...]]:
        """Name the platform's accounts, each with its numbers."""
        return self.business.account_numbers

    def __getitem__(self, number: str) -> str:
        """Give the token of a number; raises `KeyError` for one that was never listed."""
        return self._tokens[number]

    def __iter__(self) -> Iterator[str]:
        """All numbers that are, or were, listed."""
        return iter(self._tokens)

    def __len__(self) -> int:
        """How many these are."""
        return len(self._tokens)


def _portfolios(known: Mapping[str, Number], business: Business) -> ListedPortfolios:
    numbers = known.values()
    return ListedPortfolios(
        of_number={number.id: number.portfolio or number.waba for number in numbers},
        of_account={number.waba: number.portfolio or number.waba for number in numbers},
        limits={one.id: PeopleLimit(one.people_per_day) for one in business.portfolios},
    )


def _listed(known: Mapping[str, Number]) -> Numbers:
    return Numbers((number.id, number.waba, number.display) for number in known.values())
