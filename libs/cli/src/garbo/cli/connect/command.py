"""`garbo connect` and `garbo doctor --live`, from what is typed to the exit code."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from garbo.cli.connect.checks import checks_of, is_ready
from garbo.cli.connect.entry import Entry, new_file, with_entry, write
from garbo.cli.connect.finding import Found
from garbo.cli.connect.graph import Graph, graph_at
from garbo.cli.connect.number import rate_per_s
from garbo.cli.connect.screen import show
from garbo.cli.connect.secrets import ENVIRONMENT, STDIN, read_file, secret_from, token_from, write_secret
from garbo.cli.connect.subject import Subject
from garbo.cli.connection import business_of, graph_url_of
from garbo.cli.up.live import PLATFORM
from garbo.common.business import Business, load_business
from garbo.common.errors import StartRefused

VERSION: Final = "v25.0"
PROOFS: Final = "GARBO_GRAPH_APP_SECRET"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody typed."""

    token: str
    """A file, `-` or `env:NAME`."""
    number: str
    app_id: str | None = None
    app_secret_file: Path | None = None
    verify_token_file: Path | None = None
    callback: str | None = None
    business: Path | None = None
    brand: str | None = None
    subscribe: bool = False
    anyway: bool = False


def connect(asked: Asked) -> bool:
    """Check a number, print each line, write its entry where all is well; returns whether it is."""
    if not asked.number.isascii() or not asked.number.isdecimal():
        raise StartRefused(f"{asked.number[:20]} is no number id: it is digits, as WhatsApp Manager shows it")
    token = token_from(asked.token, os.environ)
    subject, found = asyncio.run(_looked(asked, token, os.environ))
    show(found, title=f"number {asked.number} at {_url(os.environ)}")
    ready = is_ready(found)
    if asked.business is not None:
        _write(asked, token, subject, may=ready or asked.anyway)
    return ready


def doctor_live(*, callback: str | None = None) -> bool:
    """Check every number of the business file; returns whether all are well."""
    business = load_business(business_of(os.environ))
    if not business.numbers:
        raise StartRefused("the business file lists no number: type garbo connect")
    wells = [asyncio.run(_number(business, number.id, callback)) for number in business.numbers]
    return all(wells)


async def _number(business: Business, number: str, callback: str | None) -> bool:
    listed = business.number(number)
    if listed is None:
        return False
    shown = str(listed.token_file or f"numbers[{number}].token of the business file")
    url = graph_url_of(os.environ)
    async with _graph(url, listed.access_token(), os.environ) as graph:
        subject = _subject(number, graph, shown, os.environ)
        subject.callback, subject.account = callback, listed.waba
        found = list(await checks_of(subject))
    if subject.account != listed.waba:
        seen = f"the business file says {listed.waba}, the platform {subject.account}"
        found.append(Found("file", "wrong", seen, f"correct waba of number {number} there"))
    show(found, title=f"number {number}, brand {listed.brand}, at {url}")
    return is_ready(found)


async def _looked(asked: Asked, token: str, env: Mapping[str, str]) -> tuple[Subject, Sequence[Found]]:
    shown = asked.token if asked.token != STDIN else "a file"
    async with _graph(_url(env), token, env) as graph:
        subject = _subject(asked.number, graph, shown, env)
        subject.app_id, subject.callback = asked.app_id, asked.callback
        if asked.app_secret_file:
            subject.app_secret = secret_from(asked.app_secret_file, env, "")
        graph.app_secret = subject.app_secret
        if asked.verify_token_file:
            subject.verify_token = secret_from(asked.verify_token_file, env, "")
        return subject, await checks_of(subject, subscribe=asked.subscribe)


def _url(env: Mapping[str, str]) -> str:
    """Give the platform itself, unless told otherwise: a number is connected there, whatever runs here."""
    return env.get("GARBO_GRAPH_URL") or PLATFORM


def _graph(url: str, token: str, env: Mapping[str, str]) -> AbstractAsyncContextManager[Graph]:
    return graph_at(url, env.get("GARBO_GRAPH_VERSION") or VERSION, token)


def _subject(number: str, graph: Graph, shown: str, env: Mapping[str, str]) -> Subject:
    secrets = secret_from(None, env, "GARBO_WHATSAPP_APP_SECRETS")
    graph.app_secret = secrets.split(",")[0].strip() if secrets else None
    return Subject(
        number=number,
        graph=graph,
        token_shown=shown,
        app_secret=graph.app_secret,
        proves=secret_from(None, env, PROOFS) is not None,
        verify_token=secret_from(None, env, "GARBO_WHATSAPP_VERIFY_TOKEN"),
    )


def _write(asked: Asked, token: str, subject: Subject, *, may: bool) -> None:
    path = asked.business
    if path is None:
        return
    if not may:
        raise StartRefused(f"{path} is left as it was: mend what is wrong, or say --anyway")
    if subject.account is None:
        raise StartRefused(f"{path} is left as it was: the number's account is not known")
    text = (
        read_file(path, "the business file")
        if path.exists()
        else new_file(asked.brand or "main", asked.number)
    )
    entry = Entry(
        id=asked.number,
        display=str(subject.node.get("display_phone_number") or asked.number),
        waba=subject.account,
        brand=_brand(asked, path),
        token_file=_token_file(asked, token, path),
        rate_per_s=rate_per_s(subject.node),
        marketing_messages=subject.has_marketing,
    )
    write(path, with_entry(text, entry))
    print(f"{path} has number {entry.id} of brand {entry.brand}, {entry.rate_per_s} messages/s")  # noqa: T201


def _brand(asked: Asked, path: Path) -> str:
    """Choose the brand: the one said, the number's own, or the only one."""
    if not path.exists():
        return asked.brand or "main"
    business = load_business(path)
    known = business.number(asked.number)
    if asked.brand or known:
        return asked.brand or (known.brand if known else "")
    if len(business.brands) != 1:
        names = ", ".join(brand.id for brand in business.brands)
        raise StartRefused(f"{path} has several brands: say --brand, one of {names}")
    return business.brands[0].id


def _token_file(asked: Asked, token: str, path: Path) -> str:
    """Name the file the token is read from, and make it where it came another way."""
    if asked.token != STDIN and not asked.token.startswith(ENVIRONMENT):
        return str(Path(asked.token).resolve())
    made = (path.parent / "tokens" / asked.number).resolve()
    write_secret(made, token)
    return str(made)
