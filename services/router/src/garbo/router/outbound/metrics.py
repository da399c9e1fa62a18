"""What Prometheus can see of decisions: classes, verdicts, reasons; never people."""

from typing import Final

from prometheus_client import Counter, Gauge, Info

DECISIONS: Final = Counter("garbo_router_decisions", "Decisions made", ["class", "verdict", "reason"])
REPEATS: Final = Counter("garbo_router_repeats", "Requests that had been decided before")
RESURRECTED: Final = Counter(
    "garbo_router_resurrected", "Messages that arrived after their slot had been given back"
)
SAID_BEFORE_ERASURE: Final = Counter(
    "garbo_router_said_before_erasure",
    "Events left out because their person was erased after they were said",
)
CARE: Final = Counter(
    "garbo_router_care_requests",
    "Requests called care: demoted where neither window, case nor answer bears it out; unprompted where the "
    "person wrote nothing to the brand in 24 h",
    ["client", "demoted", "unprompted"],
)

POLICY: Final = Info("garbo_router_policy", "The policy in force")
POLICY_REFUSED: Final = Gauge(
    "garbo_router_policy_refused", "1 while the policy file is refused and another policy is in force"
)


class PrometheusMeter:
    """A `Meter`."""

    def __init__(self) -> None:
        self._children: dict[tuple[str, str, str], Counter] = {}

    def decided(self, *, message_class: str | None, verdict: str, reason: str) -> None:
        """Count a new decision."""
        key = (message_class or "none", verdict, reason)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = DECISIONS.labels(*key)
        child.inc()

    def repeated(self) -> None:
        """Count a request that had been decided before."""
        REPEATS.inc()

    def said_before_erasure(self, count: int) -> None:
        """Count events of people who were erased after they were said."""
        SAID_BEFORE_ERASURE.inc(count)

    def resurrected(self) -> None:
        """Count a message that arrived after its slot had been given back: somebody should look."""
        RESURRECTED.inc()

    def asked_as_care(self, *, client: str, demoted: bool, unprompted: bool) -> None:
        """Count a request called care."""
        CARE.labels(client, str(demoted).lower(), str(unprompted).lower()).inc()


class PrometheusPolicyMeter:
    """A `PolicyMeter`."""

    def policy_in_force(self, *, name: str, version: str) -> None:
        """Show it."""
        POLICY.info({"policy": name, "version": version})

    def file_refused(self, *, refused: bool) -> None:
        """Show whether the file, as it is now, was refused."""
        POLICY_REFUSED.set(refused)
