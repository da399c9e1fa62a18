"""Who may ask the Graph API for what: the token, its permissions, the proof that the app itself calls."""

import hmac
from urllib.parse import parse_qsl

from starlette.types import Scope

from garbo.simulator.assets.tokens import Holder
from garbo.simulator.graph.accounts import Accounts
from garbo.simulator.graph.errors import (
    GraphError,
    Refusal,
    expired_token,
    graph_error,
    plain_error,
    unscoped_token,
)

NO_PROOF = "API calls from the server require an appsecret_proof argument"
WRONG_PROOF = "Invalid appsecret_proof provided in the API argument"


def query_of(scope: Scope) -> dict[str, str]:
    """Read the query of a request; the last of several values counts."""
    return dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))


def token_of(scope: Scope, query: dict[str, str]) -> str | None:
    """Read the access token: the bearer's, else the parameter `access_token`."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            kind, _, token = value.decode("latin-1").partition(" ")
            return token.strip() if kind.lower() in ("bearer", "oauth") else None
    return query.get("access_token")


def holder_of(accounts: Accounts, token: str | None) -> Holder:
    """Find who calls; raises `Refusal` for a token that is unknown, revoked, expired or another app's."""
    holder = accounts.holder(token)
    if holder is None:
        raise Refusal(graph_error(190))
    error = token_error(holder)
    if error:
        raise Refusal(error)
    return holder


def token_error(holder: Holder) -> GraphError | None:
    """Say what is wrong with a token that was given out."""
    if not holder.facts.valid:
        message = "Error validating access token: The session has been invalidated by its owner."
        return plain_error(message, code=190, subcode=460, status=401)
    return expired_token(holder.facts.expires_at) if holder.facts.expired else None


def check_proof(accounts: Accounts, token: str, given: str | None) -> None:
    """Check `appsecret_proof`; raises `Refusal`. One that is given must be right, needed or not."""
    if given is None:
        if accounts.app_facts.require_proof:
            raise Refusal(plain_error(NO_PROOF))
    elif not hmac.compare_digest(accounts.app.proof(token).encode(), given.encode()):
        raise Refusal(plain_error(WRONG_PROOF))


def check_scope(holder: Holder, *scopes: str) -> None:
    """Check that a token has one of the permissions; raises `Refusal`. The app's own has none of them."""
    if not set(scopes) & set(holder.facts.scopes) or holder.is_app:
        raise Refusal(unscoped_token(*scopes))
