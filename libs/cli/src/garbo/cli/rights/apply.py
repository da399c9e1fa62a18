"""`garbo topics apply --acls`: users and rights, as the table says."""

import secrets
from dataclasses import dataclass
from typing import ClassVar

from aiokafka.admin import AIOKafkaAdminClient
from pydantic import SecretStr

from garbo.cli.rights.protocol import ScramUser, allow, forbid, rights_of, set_users
from garbo.cli.rights.table import MEMBERS, OPERATOR, Right, user_of
from garbo.cli.scram import SALT_BYTES, salted_password
from garbo.common.runtime.settings import ServiceSettings


class UserSettings(ServiceSettings):
    """The passwords of users; who has none here is not made, nor is their password changed."""

    service: ClassVar[str] = "cli"

    kafka_ingest_password: SecretStr | None = None
    kafka_router_password: SecretStr | None = None
    kafka_sender_password: SecretStr | None = None
    kafka_analytics_password: SecretStr | None = None
    kafka_publisher_password: SecretStr | None = None
    kafka_subscriber_password: SecretStr | None = None
    kafka_operator_password: SecretStr | None = None
    """Of `garbo-operator`, who has no ACLs: the broker's `super.users` may name it."""

    def passwords(self) -> dict[str, str]:
        """Give the password of each user that was told."""
        told = {who: getattr(self, f"kafka_{who}_password") for who in (*(m.who for m in MEMBERS), OPERATOR)}
        return {user_of(who): secret.get_secret_value() for who, secret in told.items() if secret}


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done."""

    users: tuple[str, ...]
    allowed: tuple[Right, ...]
    forbidden: tuple[Right, ...]


async def apply_rights(admin: AIOKafkaAdminClient, passwords: UserSettings) -> Applied:
    """Make the users whose password is told, allow what is missing, forbid what is too much. Idempotent."""
    told = passwords.passwords()
    if told:
        await set_users(admin, [_scram(user, password) for user, password in told.items()])
    allowed: list[Right] = []
    forbidden: list[Right] = []
    for member in MEMBERS:
        wanted, present = set(member.rights()), await rights_of(admin, member.user)
        allowed += sorted(wanted - present)
        forbidden += sorted(present - wanted)
    for right in allowed:
        await allow(admin, right)
    for right in forbidden:
        await forbid(admin, right)
    return Applied(tuple(told), tuple(allowed), tuple(forbidden))


def _scram(user: str, password: str) -> ScramUser:
    salt = secrets.token_bytes(SALT_BYTES)
    return ScramUser(user, salt, salted_password(password, salt, algorithm="sha512"))
