"""What aiokafka's admin client has no method for: ACLs (its own requests), and SCRAM users (KIP-554)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import SecurityDisabled, for_code
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from garbo.cli.rights.table import Kind, Operation, Right
from garbo.cli.scram import ITERATIONS
from garbo.common.errors import StartRefused

SCRAM_SHA_512: Final = 2
ANY, ALLOW = 1, 3
ANY_HOST: Final = "*"


class Pattern(IntEnum):
    """How its name is read (org.apache.kafka.common.resource.PatternType)."""

    LITERAL = 3
    PREFIXED = 4


class _AlterScramResponse(Response):
    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString("utf-8")),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _AlterScramRequestV0(RequestStruct):
    FLEXIBLE_VERSION: ClassVar[bool] = True
    API_KEY = 51
    API_VERSION = 0
    RESPONSE_TYPE = _AlterScramResponse
    SCHEMA = Schema(
        (
            "deletions",
            CompactArray(("name", CompactString("utf-8")), ("mechanism", Int8), ("tags", TaggedFields)),
        ),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


@dataclass(frozen=True, slots=True)
class ScramUser:
    """A user and what a broker keeps of its password."""

    name: str
    salt: bytes
    salted_password: bytes


class _AlterScramRequest(Request[_AlterScramRequestV0]):
    API_KEY = 51

    def __init__(self, users: Sequence[ScramUser]) -> None:
        self._users = users

    def build(self, request_struct_class: type[_AlterScramRequestV0]) -> _AlterScramRequestV0:
        """Write the users down; nobody is deleted."""
        rows: list[tuple[Any, ...]] = [
            (u.name, SCRAM_SHA_512, ITERATIONS, u.salt, u.salted_password, {}) for u in self._users
        ]
        return request_struct_class([], rows, {})


async def set_users(admin: AIOKafkaAdminClient, users: Sequence[ScramUser]) -> None:
    """Make these users, or give them these passwords. Raises `StartRefused` where the broker does not."""
    answer: Any = await admin._send_request(_AlterScramRequest(users))  # noqa: SLF001 - it has no method for it
    for name, code, message, _ in answer.results:
        if code:
            raise StartRefused(
                f"Kafka did not take the user {name}: {for_code(code).__name__} {message or ''}"
            )


async def rights_of(admin: AIOKafkaAdminClient, user: str) -> set[Right]:
    """Read what a user is allowed from every host; what we could not have given is left out."""
    asked = DescribeAclsRequest(ANY, None, ANY, f"User:{user}", None, ANY, ANY)  # type: ignore[arg-type] # None: any
    answer: Any = await admin._send_request(asked)  # noqa: SLF001 - it has no method for it
    _raise(answer.error_code, "show its ACLs")
    return {
        Right(user, Kind(kind), name, Operation(operation), Pattern(pattern) is Pattern.PREFIXED)
        for kind, name, pattern, acls in answer.resources
        for _, host, operation, permission in acls
        if (host, permission) == (ANY_HOST, ALLOW) and kind in set(Kind) and operation in set(Operation)
    }


async def allow(admin: AIOKafkaAdminClient, right: Right) -> None:
    """Give one right."""
    answer: Any = await admin._send_request(CreateAclsRequest(*_row(right)))  # noqa: SLF001 - as above
    for code, _ in answer.creation_responses:
        _raise(code, f"allow {right.user} to {right.operation.name.lower()} {right.name}")


async def forbid(admin: AIOKafkaAdminClient, right: Right) -> None:
    """Take one right away."""
    answer: Any = await admin._send_request(DeleteAclsRequest(*_row(right)))  # noqa: SLF001 - as above
    for code, *_ in answer.filter_responses:
        _raise(code, f"forbid {right.user} to {right.operation.name.lower()} {right.name}")


def _row(right: Right) -> tuple[int, str, int, str, str, int, int]:
    pattern = Pattern.PREFIXED if right.prefixed else Pattern.LITERAL
    principal = f"User:{right.user}"
    return right.kind, right.name, pattern, principal, ANY_HOST, right.operation, ALLOW


def _raise(code: int, what: str) -> None:
    error = for_code(code)
    if error is SecurityDisabled:
        raise StartRefused("this Kafka has no authorizer: set authorizer.class.name, or leave out --acls")
    if code:
        raise StartRefused(f"Kafka did not {what}: {error.__name__}")
