"""What the business has on the platform: sending numbers and approved templates."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Template:
    """An approved template; `parameters` is how many values its body wants."""

    name: str
    language: str
    category: str
    parameters: int


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
    """All numbers and templates, by the keys the API uses."""

    def __init__(self, *, numbers: Iterable[SendingNumber], templates: Iterable[Template]) -> None:
        self.numbers = {number.id: number for number in numbers}
        self.tokens = frozenset(number.token for number in self.numbers.values())
        self._templates = {(t.name, _language(t.language)): t for t in templates}

    def template(self, name: str, language: str) -> Template | None:
        """Find an approved template; `en-US` and `en_US` are the same language."""
        return self._templates.get((name, _language(language)))

    @property
    def templates(self) -> list[Template]:
        """All approved templates."""
        return list(self._templates.values())


def _language(code: str) -> str:
    return code.replace("-", "_").lower()
