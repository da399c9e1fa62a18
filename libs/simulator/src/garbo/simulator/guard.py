"""Who may see and change the simulated world: this machine, or whoever has a key of the business file."""

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from garbo.common.business import Business
from garbo.common.runtime.door.keyless import Keyless
from garbo.common.runtime.door.keys import bearer_of
from garbo.common.runtime.http import problem

OPEN: Final = frozenset({"/livez", "/readyz", "/metrics"})
SCOPE: Final = "read"


class Guard:
    """Before an application: lets pass what needs no key, and keys with the scope `read`; else 401."""

    def __init__(self, app: ASGIApp, *, business: Business, keyless: Keyless) -> None:
        self._app, self._business, self._keyless = app, business, keyless

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["path"] in OPEN or self._keyless.admits(scope) or self._has_key(scope):
            await self._app(scope, receive, send)
            return
        refusal = problem(
            401, "No valid API key", "Ask from this machine, or with a key of the business file (scope read)."
        )
        await refusal(scope, receive, send)

    def _has_key(self, scope: Scope) -> bool:
        key = bearer_of(scope["headers"])
        client = self._business.client_of_key(key) if key else None
        return client is not None and SCOPE in client.scopes
