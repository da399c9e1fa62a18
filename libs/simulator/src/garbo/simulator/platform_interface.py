"""`/control/...`: what the platform holds of the business, seen and changed from outside.

`GET` shows, `PATCH` merges a JSON object and tells what Meta would tell of it.
"""

import time
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from garbo.common.runtime.http import JSONBytes, problem
from garbo.simulator.assets.asset import Asset
from garbo.simulator.assets.media import Media
from garbo.simulator.control_bodies import first_fault, json_object
from garbo.simulator.graph.nodes.message_templates import find_template
from garbo.simulator.reviews import TemplateChange, shown_template
from garbo.simulator.storms import Storm, blow
from garbo.simulator.world import World

Json = dict[str, Any]


class PlatformInterface:
    """The handlers, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Give all addresses."""
        both = ["GET", "PATCH"]
        return [
            Route("/control/platform", self.show),
            Route("/control/app", self.app, methods=both),
            Route("/control/tokens/{id}", self.token, methods=both),
            Route("/control/numbers/{id}", self.number, methods=both),
            Route("/control/accounts/{id}", self.account, methods=both),
            Route("/control/accounts/{id}/tell/{field}", self.tell, methods=["POST"]),
            Route("/control/storm", self.storm, methods=["POST"]),
            Route("/control/media", self.media, methods=["GET", "DELETE"]),
            Route("/control/media/{id}", self.one_media, methods=["PATCH", "DELETE"]),
            Route("/control/templates/{id}", self.template, methods=both),
        ]

    async def show(self, _: Request) -> Response:
        """`GET /control/platform`: app, numbers, accounts and templates as they are."""
        accounts = self._world.accounts
        return JSONBytes(
            {
                "app": {"id": accounts.app.id, **accounts.app_facts.model_dump()},
                "numbers": {id_: facts.model_dump() for id_, facts in accounts.number_facts.items()},
                "accounts": {id_: facts.model_dump() for id_, facts in accounts.account_facts.items()},
                "templates": {
                    waba: [shown_template(one) for one in shelf] for waba, shelf in accounts.shelves.items()
                },
            }
        )

    async def app(self, request: Request) -> Response:
        """`/control/app`: proof of the app's secret, subscribed fields, callback address."""
        return await self._changed(request, self._world.accounts.app_facts, self._world.operations.app)

    async def token(self, request: Request) -> Response:
        """`/control/tokens/{number}`: the token of this number: scopes, expiry, app, revoked or not."""
        accounts, number_id = self._world.accounts, request.path_params["id"]
        number = accounts.numbers.get(number_id)
        facts = accounts.facts_of(number.token) if number else None
        change = self._world.operations.token
        return await self._changed(request, facts, lambda patch: change(number_id, patch))

    async def number(self, request: Request) -> Response:
        """`/control/numbers/{id}`: quality, throughput, status, name."""
        number_id = request.path_params["id"]
        facts, change = self._world.accounts.number_facts.get(number_id), self._world.operations.number
        return await self._changed(request, facts, lambda patch: change(number_id, patch))

    async def account(self, request: Request) -> Response:
        """`/control/accounts/{waba}`: restriction, review, messaging limit, subscription."""
        waba = request.path_params["id"]
        facts, change = self._world.accounts.account_facts.get(waba), self._world.operations.account
        return await self._changed(request, facts, lambda patch: change(waba, patch))

    async def tell(self, request: Request) -> Response:
        """`POST /control/accounts/{waba}/tell/{field}`: tell this value under this field, as it stands."""
        waba, value = request.path_params["id"], await json_object(request)
        if waba not in self._world.accounts.account_facts:
            return _nothing()
        if value is None:
            return problem(400, "Bad value", "The body must be a JSON object of 256 KiB at most.")
        self._world.operations.tell(waba, request.path_params["field"], value)
        return JSONBytes({"told": True}, status_code=202)

    async def storm(self, request: Request) -> Response:
        """`POST /control/storm`: a burst of webhooks, all at once; 202 with how many."""
        try:
            storm = Storm.model_validate(await json_object(request))
        except ValidationError as error:
            return problem(400, "Bad storm", first_fault(error))
        world = self._world
        told = blow(
            storm, accounts=world.accounts, crowd=world.crowd, ledger=world.ledger, outbox=world.outbox
        )
        return JSONBytes({"told": told}, status_code=202)

    async def media(self, request: Request) -> Response:
        """`/control/media`: the files that are kept; `DELETE` lets Meta forget all of them."""
        store = self._world.accounts.media
        if request.method == "DELETE":
            return JSONBytes({"forgotten": store.forget_all()})
        return JSONBytes([_shown_media(one) for one in store])

    async def one_media(self, request: Request) -> Response:
        """`/control/media/{id}`: `PATCH {"expires_in_s": 60}`; `DELETE` lets Meta forget this one."""
        store, media_id = self._world.accounts.media, request.path_params["id"]
        if request.method == "DELETE":
            return JSONBytes({"forgotten": 1}) if store.forget(media_id) else _nothing()
        media, said = store.get(media_id), await json_object(request) or {}
        if media is None:
            return _nothing()
        seconds = said.get("expires_in_s")
        if set(said) != {"expires_in_s"} or not isinstance(seconds, int | float):
            return problem(400, "Bad change", 'The body must be {"expires_in_s": seconds}.')
        store.expire(media_id, time.time() + seconds)
        return JSONBytes(_shown_media(media))

    async def template(self, request: Request) -> Response:
        """`/control/templates/{id or name}`: status, quality, category, components."""
        found = [
            (waba, template)
            for waba, shelf in self._world.accounts.shelves.items()
            if (template := find_template(shelf, request.path_params["id"]))
        ]
        if not found:
            return _nothing()
        if request.method == "PATCH":
            try:
                change = TemplateChange.model_validate(await json_object(request))
            except ValidationError as error:
                return problem(400, "Bad change", first_fault(error))
            found = [(waba, self._world.reviews.change(waba, one, change)) for waba, one in found]
        return JSONBytes(shown_template(found[0][1]))

    async def _changed(
        self, request: Request, present: Asset | None, change: Callable[[Json], Asset]
    ) -> Response:
        if present is None:
            return _nothing()
        if request.method == "GET":
            return JSONBytes(present.model_dump())
        patch = await json_object(request)
        if patch is None:
            return problem(400, "Bad change", "The body must be a JSON object of 256 KiB at most.")
        try:
            return JSONBytes(change(patch).model_dump())
        except ValidationError as error:
            return problem(400, "Bad change", first_fault(error))


def _shown_media(media: Media) -> Json:
    shown = {"id": media.id, "number_id": media.number_id, "mime_type": media.mime_type}
    return shown | {
        "size_bytes": media.size_bytes,
        "sha256": media.sha256.hex(),
        "expires_at": media.expires_at,
    }


def _nothing() -> Response:
    return problem(404, "No such thing", "GET /control/platform lists what there is.")
