"""Who the customers are: a stable crowd derived from a seed."""

import re
import time
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Any, Final

WINDOW_S: Final = 24 * 3600
_PREFIXES = ("320", "328", "333", "338", "340", "347", "349", "351", "366", "380", "389", "391", "393")
_FIRST = [
    "Giulia",
    "Marco",
    "Sofia",
    "Luca",
    "Aurora",
    "Matteo",
    "Alice",
    "Davide",
    "Chiara",
    "Andrea",
    "Elena",
    "Paolo",
    "Marta",
    "Simone",
    "Irene",
    "Fabio",
    "Anna",
    "Pietro",
    "Laura",
    "Nicola",
    "Serena",
    "Dario",
    "Bianca",
    "Tommaso",
    "Nora",
    "Filippo",
]
_LAST = [
    "Rossi",
    "Ferrari",
    "Bianchi",
    "Romano",
    "Gallo",
    "Conti",
    "Greco",
    "Marino",
    "Costa",
    "Fontana",
    "Rizzo",
    "Moretti",
    "Barbieri",
]


# As WhatsApp knows numbers of these countries, whatever is dialled: the oldest accounts keep their form.
_SPELLINGS = (
    (re.compile(r"\+55([1-9]{2})9([0-9]{8})"), r"+55\1\2"),  # Brazil: without the ninth digit
    (re.compile(r"\+52([2-9][0-9]{9})"), r"+521\1"),  # Mexico: with the 1 of mobiles
    (re.compile(r"\+549([0-9]{10})"), r"+54\1"),  # Argentina: without the 9 of mobiles
)


def platform_spelling(address: str) -> str:
    """Write a phone as the platform shows it; any other address as it is."""
    for dialled, shown in _SPELLINGS:
        if found := dialled.fullmatch(address):
            return found.expand(shown)
    return address


@dataclass(slots=True)
class Customer:
    """One person with WhatsApp."""

    phone: str
    """E.164 with `+`."""
    user_id: str
    name: str
    known: bool
    """Of the population; strangers only read."""
    seed: str = field(repr=False)
    """What this person's choices are drawn from."""
    number_id: str | None = None
    """The business number of the last talk."""
    stopped: bool = False
    written_at: dict[str, float] = field(default_factory=dict)
    """When this person last wrote, by business number (epoch seconds): the customer service window."""
    drawing: Random | None = field(default=None, repr=False, compare=False)
    refuses: set[str] = field(default_factory=set)
    """Business numbers whose promos this person has switched off in WhatsApp."""

    @property
    def random(self) -> Random:
        """Draws this person's choices, in order; made when first needed: most strangers draw nothing."""
        if self.drawing is None:
            self.drawing = Random(self.seed)  # noqa: S311 - a seeded world, not a secret
        return self.drawing

    @property
    def wa_id(self) -> str:
        """The phone as Meta shows it: without `+`."""
        return self.phone.removeprefix("+")

    def window_open(self, number_id: str) -> bool:
        """Tell whether free-form messages of this number reach the person now."""
        return time.time() - self.written_at.get(number_id, 0.0) < WINDOW_S

    def contact(self) -> dict[str, Any]:
        """Show the person as an element of `contacts[]`."""
        return {"profile": {"name": self.name}, "wa_id": self.wa_id, "user_id": self.user_id}


class Customers:
    """The population, and strangers as they come."""

    def __init__(self, *, seed: str, count: int) -> None:
        self.seed = seed
        self.population = _population(seed, count)
        self._by_address = {c.phone: c for c in self.population} | {c.user_id: c for c in self.population}
        self._strangers: dict[str, Customer] = {}
        self.left: set[str] = set()
        """Addresses of the population that are nobody's any more."""

    def find(self, address: str) -> Customer | None:
        """Find one of the population, or a stranger already met, by phone (`+...`) or BSUID."""
        address = platform_spelling(address)
        return self._by_address.get(address) or self._strangers.get(address)

    def at(self, address: str) -> Customer:
        """Find whoever has this address; a new one is a stranger who is remembered only once they write."""
        return self.find(address) or _stranger(self.seed, platform_spelling(address))

    def move(self, customer: Customer) -> None:
        """Give a person another phone number, and with it another user id; their old ones are nobody's."""
        random = Random(f"{self.seed}/{customer.phone}/next")  # noqa: S311 - a seeded world, not a secret
        self.left |= {customer.phone, customer.user_id}
        for address in (customer.phone, customer.user_id):
            self._by_address.pop(address, None)
        while customer.phone in self.left or customer.phone in self._by_address:
            customer.phone = _phone(random)
        customer.user_id = f"IT.{random.randrange(10**19, 10**20)}"
        self._by_address |= {customer.phone: customer, customer.user_id: customer}

    def remember(self, customer: Customer) -> None:
        """Keep a stranger who wrote: the window is theirs."""
        if not customer.known:
            self._strangers[customer.phone] = self._strangers[customer.user_id] = customer


def _population(seed: str, count: int) -> list[Customer]:
    random = Random(f"{seed}/customers")  # noqa: S311 - a seeded world, not a secret
    phones: dict[str, None] = {}
    while len(phones) < count:
        phones[_phone(random)] = None
    return [_customer(seed, phone, known=True) for phone in phones]


def _phone(random: Random) -> str:
    return f"+39{random.choice(_PREFIXES)}{random.randrange(10_000_000):07d}"


def _customer(seed: str, phone: str, *, known: bool) -> Customer:
    random = Random(f"{seed}/{phone}")  # noqa: S311 - as above
    name = f"{random.choice(_FIRST)} {random.choice(_LAST)}"
    user_id = f"IT.{random.randrange(10**19, 10**20)}"
    seed_of_choices = f"{seed}/{phone}/choices"
    return Customer(phone=phone, user_id=user_id, name=name, known=known, seed=seed_of_choices)


def _stranger(seed: str, address: str) -> Customer:
    drawn = int.from_bytes(sha256(f"{seed}/{address}".encode()).digest()[:8], "big")
    phone = address if address.startswith("+") else f"+39300{drawn % 10_000_000:07d}"
    user_id = address if "." in address else f"IT.{10**19 + drawn}"
    return Customer(phone=phone, user_id=user_id, name="Somebody", known=False, seed=f"{seed}/{address}")
