"""The router's HTTP resources over a store in memory."""

from collections.abc import AsyncGenerator

import orjson

from garbo.router.flow.commands.erase_contact import EraseContact
from garbo.router.flow.commands.import_suppressions import ImportSuppressions
from garbo.router.flow.commands.split_contact import SplitContact
from garbo.router.flow.directory import Directory
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.flow.queries.contact import GetContact
from garbo.router.flow.queries.preview import PreviewRequests
from garbo.router.inbound.http.contacts import Contacts
from garbo.router.inbound.http.decisions import Decisions
from garbo.router.inbound.http.policies import PolicySimulations, Simulate
from garbo.router.inbound.http.suppressions import Suppressions
from services.router.tests.support.build import HASH_KEY
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.memory_reading import InMemoryContactReader, InMemoryPreviewReader
from services.router.tests.support.router import Router


async def no_simulation(_: bytes) -> AsyncGenerator[bytes]:
    """Answer as a simulation that had nothing to do."""
    yield orjson.dumps({"kind": "progress", "done": 0, "total": 0}) + b"\n"


def resources_of(router: Router, memory: InMemoryStore, simulate: Simulate = no_simulation) -> list[object]:
    """Give what people ask over HTTP."""
    directory, policies = Directory(router.business), PolicyInForce(router.policy)
    reading = GetContact(
        reader=InMemoryContactReader(memory), policies=policies, directory=directory, hash_key=HASH_KEY
    )
    dependencies = router.dependencies
    suppress = ImportSuppressions(dependencies)
    return [
        Decisions(previews=PreviewRequests(dependencies, InMemoryPreviewReader(memory)), store=router.store),
        Contacts(
            contacts=reading,
            erasing=EraseContact(dependencies),
            splitting=SplitContact(dependencies),
            directory=directory,
        ),
        Suppressions(suppress=suppress, directory=directory, hash_key=HASH_KEY),
        PolicySimulations(policies=policies, directory=directory, simulate=simulate),
    ]
