"""Each user of the cluster and its rights, read from the table of topics. docs/runbook.md shows it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from garbo.common.events.topics import EVERY_TOPIC, OPERATORS, SERVICES, TOPICS

PUBLISHER: Final = "publisher"
"""Your services that ask for messages, or tell of people, over Kafka."""
SUBSCRIBER: Final = "subscriber"
"""Your help desk, bots, CRM: what Garbo tells."""
OPERATOR: Final = "operator"
"""Whoever runs the installation, where commands come from outside: no rights here, `super.users` names it."""


class Kind(IntEnum):
    """What a right is about, by Kafka's numbers (org.apache.kafka.common.resource.ResourceType)."""

    TOPIC = 2
    GROUP = 3


class Operation(IntEnum):
    """What is allowed (org.apache.kafka.common.acl.AclOperation)."""

    READ = 3
    WRITE = 4


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One thing that is allowed from every host; it includes Describe."""

    user: str
    kind: Kind
    name: str
    operation: Operation
    prefixed: bool = False
    """Whether `name` is only how names begin."""


@dataclass(frozen=True, slots=True)
class Member:
    """One user: whose it is, what it reads and writes, how its consumer groups begin."""

    who: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]

    @property
    def user(self) -> str:
        """The name it proves."""
        return user_of(self.who)

    @property
    def groups(self) -> str | None:
        """How the names of its consumer groups begin; None where it reads nothing."""
        return f"{self.who}." if self.reads else None

    def rights(self) -> Iterator[Right]:
        """Give what it needs and nothing else."""
        for name in self.reads:
            yield Right(self.user, Kind.TOPIC, name, Operation.READ)
        for name in self.writes:
            yield Right(self.user, Kind.TOPIC, name, Operation.WRITE)
        if self.groups:
            yield Right(self.user, Kind.GROUP, self.groups, Operation.READ, prefixed=True)


def user_of(who: str) -> str:
    """Name the user of a service, or of whoever else."""
    return f"garbo-{who}"


def _service(name: str) -> Member:
    reads = tuple(topic.name for topic in EVERY_TOPIC if name in topic.readers)
    writes = tuple(topic.name for topic in EVERY_TOPIC if name in topic.writers)
    return Member(name, reads, writes)


def _outside() -> Iterator[Member]:
    ours = {*SERVICES, OPERATORS}
    yield Member(PUBLISHER, (), tuple(topic.name for topic in TOPICS if set(topic.writers) - ours))
    yield Member(SUBSCRIBER, tuple(topic.name for topic in TOPICS if set(topic.readers) - ours), ())


MEMBERS: Final = (*map(_service, SERVICES), *_outside())


def commands() -> Iterator[str]:
    """Write the rights as somebody types them whose cluster it is."""
    for right in (right for member in MEMBERS for right in member.rights()):
        operation, kind = right.operation.name.title(), right.kind.name.lower()
        pattern = " --resource-pattern-type prefixed" if right.prefixed else ""
        yield (
            f"kafka-acls.sh --bootstrap-server $SERVERS --add --allow-principal User:{right.user} "
            f"--operation {operation} --{kind} {right.name}{pattern}"
        )
