"""All checks of one number, in the order in which one finds out what the next needs."""

from collections.abc import Sequence

from garbo.cli.connect.account import check_account, check_marketing, check_templates
from garbo.cli.connect.finding import Found
from garbo.cli.connect.number import check_number
from garbo.cli.connect.subject import Subject
from garbo.cli.connect.token import check_token
from garbo.cli.connect.webhooks import check_app, check_callback, check_secret


async def checks_of(subject: Subject, *, subscribe: bool = False) -> Sequence[Found]:
    """Look at everything; each check says one thing, also where an earlier one failed."""
    return [
        await check_token(subject),
        await check_number(subject),
        await check_account(subject),
        await check_app(subject, subscribe=subscribe),
        await check_callback(subject),
        await check_secret(subject),
        await check_templates(subject),
        await check_marketing(subject),
    ]


def is_ready(found: Sequence[Found]) -> bool:
    """Say whether nothing is wrong."""
    return all(one.state != "wrong" for one in found)
