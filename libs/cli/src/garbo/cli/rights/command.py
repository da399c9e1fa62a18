"""The command's side: connect, apply, say what was done."""

import typer

from garbo.cli.rights.apply import Applied, UserSettings, apply_rights
from garbo.cli.topics import administering
from garbo.common.runtime.broker import KafkaSettings


async def apply_acls(kafka: KafkaSettings, passwords: UserSettings) -> Applied:
    """Make users and rights as the table says; raises `StartRefused` where the cluster does not take them."""
    async with administering(kafka) as admin:
        return await apply_rights(admin, passwords)


def print_rights(done: Applied) -> None:
    """Say it, a line each."""
    for user in done.users:
        typer.echo(f"user        {user}")
    for word, rights in (("allow", done.allowed), ("forbid", done.forbidden)):
        for right in rights:
            what = f"{right.operation.name.lower()} {right.kind.name.lower()} {right.name}"
            typer.echo(f"{word:<11} {right.user} {what}")
    if not done.allowed and not done.forbidden:
        typer.echo("rights agree with the table")
