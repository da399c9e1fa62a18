"""All connections of a server: who may come in, who goes for that, and who has been slow for too long."""

from collections import defaultdict
from typing import Final, Protocol

from garbo.common.runtime.door.limits import Limits
from garbo.common.runtime.door.metrics import REFUSED, SOCKETS
from garbo.common.runtime.door.refusal import DoorRefusal
from garbo.common.runtime.throttled_log import ThrottledLog

LOOK_EVERY_S: Final = 0.25
"""How exactly the seconds of `Limits` are kept."""


class Watched(Protocol):
    """A connection, as far as it is watched."""

    holder: str
    """Who shares `sockets_per_address` with it."""

    def refuse(self, refusal: DoorRefusal) -> None:
        """End it, for this reason."""
        ...

    def overdue(self, now_s: float) -> DoorRefusal | None:
        """Say why its time is over, if it is."""
        ...


class Connections:
    """Counts sockets by peer address; a newcomer in excess takes the place of whoever waits longest.

    *Waiting* is a connection that only its peer can bring on: it says nothing, has not sent all its headers,
    rests between two requests, or does not take its answer. So whoever asks at once finds room, however many
    hold sockets open. In all, the address with the most waiting sockets gives one up; of one address, it
    does itself.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._open: dict[str, set[Watched]] = defaultdict(set)
        self._waiting: dict[str, dict[Watched, None]] = defaultdict(dict)
        """By holder, in the order in which they began to wait."""
        self._count = 0
        self._log = ThrottledLog()

    def enter(self, one: Watched) -> bool:
        """Take a new connection in; False: there is no room, for nobody waits."""
        if len(self._open[one.holder]) >= self.limits.sockets_per_address:
            fits = self._displace(one.holder)
        elif self._count >= self.limits.sockets:
            fits = self._displace(
                max(self._waiting, key=lambda holder: len(self._waiting[holder]), default="")
            )
        else:
            fits = True
        if fits:
            self._open[one.holder].add(one)
            self._count += 1
            SOCKETS.inc()
            self.rests(one)
        return fits

    def leave(self, one: Watched) -> None:
        """Forget a connection; again changes nothing."""
        of_holder = self._open[one.holder]
        if one in of_holder:
            of_holder.remove(one)
            self._count -= 1
            SOCKETS.dec()
        self.works(one)
        if not of_holder:
            del self._open[one.holder]

    def works(self, one: Watched) -> None:
        """Note that a request is in hand, and that it is ours to go on."""
        waiting = self._waiting[one.holder]
        waiting.pop(one, None)
        if not waiting:
            del self._waiting[one.holder]

    def rests(self, one: Watched) -> None:
        """Note that nothing goes on until the peer does something, as of now."""
        if one in self._open.get(one.holder, ()):
            self._waiting[one.holder][one] = None

    def look(self, now_s: float) -> None:
        """End all whose time is over."""
        for one in [one for of_holder in self._open.values() for one in of_holder]:
            if refusal := one.overdue(now_s):
                one.refuse(refusal)

    def count(self, refusal: DoorRefusal, holder: str) -> None:
        """Count what was refused, and say so now and then."""
        REFUSED.labels(refusal.word).inc()
        self._log.warning("refused at the door", kind=refusal.word, why=refusal.word, peer=holder)

    def _displace(self, holder: str) -> bool:
        one = next(iter(self._waiting.get(holder, ())), None)
        if one is None:
            return False
        self.leave(one)
        one.refuse(DoorRefusal.DISPLACED)
        return True
