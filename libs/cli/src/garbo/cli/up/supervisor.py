"""Starts everything, watches over it, stops everything. Restarts nothing by itself."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from time import monotonic

import httpx

from garbo.cli.database import ensure_database, migrate_all
from garbo.cli.local.command import Command
from garbo.cli.local.jars import jars_present
from garbo.cli.local.workspace import kafka_files
from garbo.cli.postgres_roles import ServiceRole, set_roles
from garbo.cli.topics import apply_topics
from garbo.cli.typed import garbo
from garbo.cli.up.control import ControlRequest, ControlServer
from garbo.cli.up.environment import SERVICES, children_environment, role_passwords, told_to
from garbo.cli.up.plan import Plan
from garbo.cli.up.process import Process, how_it_ended
from garbo.cli.up.programs import BUSINESS, DATABASE, SIMULATOR, command_of, kafka_of, postgres_of
from garbo.cli.up.runfile import Run, RunFile, kill_children, started_at
from garbo.cli.up.screen import Screen
from garbo.common.errors import StartRefused
from garbo.common.runtime.broker import KafkaSettings

READY_S = 60.0
POLL_S = 0.03
STOP_S: Mapping[str, float] = {BUSINESS: 2.0, SIMULATOR: 2.0, "kafka": 3.5, "postgres": 3.5}
"""Together with the services' budget below the 15 s a person waits after Ctrl-C."""
STOP_SERVICE_S = 6.5
STOP_ALL_S = 14.0
"""What the first stages did not use, the servers at the end may."""
Ready = Callable[[Process], Awaitable[bool]]


class Supervisor:
    """One run of one installation."""

    def __init__(self, plan: Plan, *, screen: Screen, runfile: RunFile, services: bool, demo: bool) -> None:
        self._plan = plan
        self._screen = screen
        self._runfile = runfile
        self._services = SERVICES if services else ()
        around = (SIMULATOR, BUSINESS) if demo else (SIMULATOR,)
        self._traffic = around if services and plan.platform is None else ()
        self._demo = demo
        self._kafka = kafka_of(plan)
        self._postgres = postgres_of(plan)
        passwords = role_passwords(plan)
        self._roles = [ServiceRole(name, f"garbo_{name}", password) for name, password in passwords.items()]
        self._processes: dict[str, Process] = {}
        platform = plan.platform or plan.url(SIMULATOR)
        self._run = Run(pid=os.getpid(), business=str(plan.business), platform=platform)
        self._stop = asyncio.Event()
        self._stopping = False
        self._watchers: asyncio.TaskGroup

    def stop(self) -> None:
        """Ask the run to end; a second time kills what is left at once."""
        if self._stopping:
            for process in self._processes.values():
                process.kill()
        self._stop.set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Start all, call `ready`, live until asked to stop, stop all.

        Raises StartRefused when something does not come up; then everything is stopped, too.
        """
        control = ControlServer(self._answer)
        self._run.control_port, self._run.token = await control.open()
        try:
            async with asyncio.TaskGroup() as self._watchers:
                try:
                    if await self._unless_stopped(self._start_all()):
                        ready()
                        await self._stop.wait()
                finally:
                    self._stopping = True
                    control.close()
                    await self._stop_all()
        except* StartRefused as refused:
            raise _first(refused) from None

    async def _unless_stopped(self, work: Awaitable[None]) -> bool:
        """Finish the work and return True, or drop it and return False when asked to stop meanwhile."""
        starting = asyncio.ensure_future(work)
        stop = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait([starting, stop], return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                await starting
            return starting.done()
        finally:
            for task in (starting, stop):
                task.cancel()
            await asyncio.gather(starting, stop, return_exceptions=True)

    async def _start_all(self) -> None:
        self._screen.progress("starting Kafka and PostgreSQL")
        async with asyncio.TaskGroup() as together:
            together.create_task(self._start_kafka())
            together.create_task(self._start_postgres())
        env = children_environment(self._plan, os.environ, dsn=self._postgres.dsn(DATABASE), demo=self._demo)
        if not self._services:
            return
        waiting = [name for name in (*self._services, *self._traffic) if name != BUSINESS]
        self._screen.progress(f"starting {', '.join(waiting)}")
        async with asyncio.TaskGroup() as together:
            for name in waiting:
                together.create_task(self._launch(self._service(name, env)))
        if BUSINESS in self._traffic:
            await self._launch(self._service(BUSINESS, env))

    async def _start_kafka(self) -> None:
        began = monotonic()
        if not jars_present(kafka_files() / "pom.xml", self._plan.jars):
            self._screen.progress("fetching Kafka by Maven, 44 MB, once for this clone")
        await asyncio.to_thread(self._kafka.prepare)
        process = self._process("kafka", self._kafka.command(), told_to("kafka", os.environ, {}))
        await self._launch(process)
        done = await apply_topics(KafkaSettings(self._plan.bootstrap_servers), replication=1)
        created = sum(change.kind == "create" for change in done)
        self._screen.progress(f"Kafka is ready, {created} topics created ({monotonic() - began:.1f} s)")

    async def _start_postgres(self) -> None:
        began = monotonic()
        await asyncio.to_thread(self._postgres.prepare)
        process = self._process("postgres", self._postgres.command(), told_to("postgres", os.environ, {}))
        await self._launch(process)
        await ensure_database(self._postgres.dsn("postgres"), DATABASE)
        applied = await migrate_all(self._postgres.dsn(DATABASE))
        await set_roles(self._postgres.dsn(DATABASE), self._roles, make=True)
        self._screen.progress(
            f"PostgreSQL is ready, {len(applied)} migrations applied ({monotonic() - began:.1f} s)"
        )

    def _service(self, name: str, env: Mapping[str, str]) -> Process:
        dsns = {r.service: self._postgres.dsn_as(r.name, r.password or "", DATABASE) for r in self._roles}
        return self._process(name, command_of(name), told_to(name, env, dsns))

    def _process(self, name: str, command: Command, env: Mapping[str, str]) -> Process:
        process = Process(name, command, env=env, say=self._screen.line)
        self._processes[name] = process
        return process

    async def _launch(self, process: Process) -> None:
        ready = self._readiness(process.name)
        await process.spawn()
        if process.pid is not None:
            self._run.children[process.name] = (process.pid, started_at(process.pid))
            self._runfile.write(self._run)
        self._watchers.create_task(self._watch(process))
        deadline = monotonic() + READY_S
        while not await ready(process):
            if process.pid is None:
                ended = how_it_ended(process.exit_code or 0)
                raise StartRefused(f"{process.name} did not start ({ended}): its own lines above say why")
            if monotonic() > deadline:
                raise StartRefused(
                    f"{process.name} was not ready within {READY_S:.0f} s: see its lines above"
                )
            await asyncio.sleep(POLL_S)

    async def _watch(self, process: Process) -> None:
        code, asked = await process.watch()
        if not asked and not self._stopping:
            mend = garbo("restart", process.name)
            self._screen.alarm(
                f"{process.name} ended unasked, {how_it_ended(code)}; to start it again type: {mend}"
            )

    async def _answer(self, asked: ControlRequest) -> AsyncIterator[str]:
        if asked.command == "stop":
            yield "stopping"
            self.stop()
            return
        process = self._processes.get(asked.name)
        if process is None:
            yield f"error: there is no {asked.name} here: one of {', '.join(self._processes)}"
            return
        work = self._halt(process) if asked.command == "halt" else self._restart(process)
        async for line in work:
            yield line

    async def _halt(self, process: Process) -> AsyncIterator[str]:
        await process.stop(within_s=STOP_S.get(process.name, STOP_SERVICE_S))
        self._screen.progress(f"{process.name} was stopped, as asked")
        yield f"{process.name} is stopped"

    async def _restart(self, process: Process) -> AsyncIterator[str]:
        if process.pid is not None:
            yield f"stopping {process.name}"
            await process.stop(within_s=STOP_S.get(process.name, STOP_SERVICE_S))
        yield f"starting {process.name}"
        try:
            await self._launch(process)
        except StartRefused as refused:
            yield f"error: {refused}"
            return
        self._screen.progress(f"{process.name} was started again, as asked")
        yield f"{process.name} is ready"

    def _readiness(self, name: str) -> Ready:
        if name == "kafka":
            return lambda _: asyncio.to_thread(self._kafka.answers)
        if name == "postgres":
            return self._postgres_ready
        return _is_running if name == BUSINESS else _answers_readyz(f"{self._plan.url(name)}/readyz")

    async def _postgres_ready(self, started: Process) -> bool:
        return started.pid is not None and self._postgres.answers(started.pid)

    async def _stop_all(self) -> None:
        began = monotonic()
        self._screen.progress("stopping")
        for stage in ((BUSINESS,), SERVICES, (SIMULATOR,), ("postgres", "kafka")):
            left_s = STOP_ALL_S - (monotonic() - began) if "kafka" in stage else 0.0
            together = [self._processes[name] for name in stage if name in self._processes]
            await self._stop_together(together, at_least_s=left_s)
        kill_children()
        self._screen.progress(f"stopped ({monotonic() - began:.1f} s)")

    async def _stop_together(self, processes: Sequence[Process], *, at_least_s: float) -> None:
        budgets = [max(at_least_s, STOP_S.get(p.name, STOP_SERVICE_S)) for p in processes]
        ends = await asyncio.gather(
            *(p.stop(within_s=budget) for p, budget in zip(processes, budgets, strict=True))
        )
        for process, by_itself in zip(processes, ends, strict=True):
            if not by_itself:
                self._screen.alarm(f"{process.name} did not end in time and was killed")


def _answers_readyz(url: str) -> Ready:
    no_certificates = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # plain HTTP: reading them takes 20 ms a look

    async def ready(_: Process) -> bool:
        try:
            async with httpx.AsyncClient(timeout=2, trust_env=False, verify=no_certificates) as client:
                return (await client.get(url)).is_success
        except httpx.TransportError:
            return False

    return ready


async def _is_running(process: Process) -> bool:
    return process.pid is not None


def _first(group: BaseExceptionGroup[StartRefused]) -> StartRefused:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, StartRefused) else StartRefused(str(found))
