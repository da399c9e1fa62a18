"""What can be said of what runs: Kafka, topics, migrations, services."""

import asyncio
from collections.abc import Mapping

import httpx

from garbo.cli.connection import dsn_of, kafka_of, url_of
from garbo.cli.database import pending_all
from garbo.cli.doctor.finding import Finding, refusal
from garbo.cli.topics import WANTED, plan_topics
from garbo.cli.typed import garbo
from garbo.cli.up.environment import SERVICES
from garbo.cli.up.plan import read_plan
from garbo.cli.up.runfile import RunFile
from garbo.common.errors import StartRefused

READYZ_S = 3.0


async def running_findings(env: Mapping[str, str]) -> list[Finding]:
    """Look at everything that should run, all at once."""
    found = await asyncio.gather(_topics(env), _migrations(env), *(_service(env, name) for name in SERVICES))
    return list(found)


async def _topics(env: Mapping[str, str]) -> Finding:
    try:
        todo = await plan_topics(kafka_of(env))
    except StartRefused as refused:
        return refusal("Kafka", refused, "make run")
    if todo:
        names = ", ".join(sorted({change.topic.name for change in todo}))
        return Finding("Kafka", right=False, seen=f"topics differ: {names}", mend=garbo("topics", "apply"))
    return Finding("Kafka", right=True, seen=f"answers, {len(WANTED)} topics as they should be")


async def _migrations(env: Mapping[str, str]) -> Finding:
    try:
        waiting = await pending_all(dsn_of(env))
    except StartRefused as refused:
        return refusal("database", refused, "make run")
    if waiting:
        return Finding(
            "database", right=False, seen=f"not applied: {', '.join(waiting)}", mend=garbo("migrate")
        )
    return Finding("database", right=True, seen="answers, all migrations applied")


async def _service(env: Mapping[str, str], name: str) -> Finding:
    url = url_of(env, name)
    try:
        async with httpx.AsyncClient(timeout=READYZ_S, trust_env=False) as client:
            answer = await client.get(f"{url}/readyz")
    except httpx.TransportError:
        mend = f"{garbo('restart', name)} (or make run)"
        return Finding(name, right=False, seen=f"does not answer at {url}", mend=mend)
    if answer.is_success:
        run = RunFile(read_plan(env).data).read()
        process = f", process {run.children[name][0]}" if run and name in run.children else ""
        return Finding(name, right=True, seen=f"ready at {url}{process}")
    return Finding(name, right=False, seen=f"not ready: {_failing(answer)}", mend=garbo("restart", name))


def _failing(answer: httpx.Response) -> str:
    try:
        checks: dict[str, bool] = answer.json()["checks"]
    except (ValueError, KeyError):
        return f"status {answer.status_code}"
    return ", ".join(name for name, right in checks.items() if not right)
