"""The token: alive, of which app, with which scopes, until when.

Source: Meta, Graph API "Debug token" and WhatsApp "Access tokens" (read 2026-11).
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from garbo.cli.connect.finding import Found, note, ok, wrong
from garbo.cli.connect.graph import GraphRefused
from garbo.cli.connect.subject import Subject

NAME: Final = "token"
MANAGEMENT: Final = "whatsapp_business_management"
SCOPES: Final = ("whatsapp_business_messaging", MANAGEMENT)
SOON: Final = timedelta(days=14)
_MAKE: Final = "make one in Business settings, System users, Generate token, and write it to"


async def check_token(subject: Subject) -> Found:
    """Ask what the token is worth; finds out the app and, by the token's targets, the account."""
    try:
        answer = await _asked(subject)
    except GraphRefused as refused:
        if refused.code == 0:
            return wrong(NAME, str(refused), "check the network, and GARBO_GRAPH_URL")
        if "appsecret_proof" in str(refused):
            return wrong(
                NAME, str(refused), "the app demands proofs of its secret: say --app-secret-file FILE"
            )
        return wrong(NAME, f"not valid: {refused}", _new(subject))
    data = answer.get("data")
    if not isinstance(data, dict) or not data.get("is_valid"):
        error = data.get("error") if isinstance(data, dict) else None
        said = str(error.get("message", "")) if isinstance(error, dict) else ""
        return wrong(NAME, f"not valid: {said or 'the platform does not say why'}", _new(subject))
    app = str(data.get("app_id") or "")
    if subject.app_id and app and app != subject.app_id:
        mend = f"generate it with app {subject.app_id} chosen, or say --app-id {app}"
        return wrong(NAME, f"it is of app {app}, not of {subject.app_id}", mend)
    subject.app_id = subject.app_id or app or None
    subject.account = subject.account or _only_target(data)
    return _judged(subject, data)


async def _asked(subject: Subject) -> dict[str, Any]:
    """Ask as the app, who is told of ended tokens, too; where its secret is wrong, with the token itself."""
    graph = subject.graph
    params = {"input_token": graph.token}
    if subject.app_token:
        try:
            return await graph.get("debug_token", params, token=subject.app_token)
        except GraphRefused as refused:
            if refused.code == 0:
                raise
    return await graph.get("debug_token", params)


def _judged(subject: Subject, data: dict[str, Any]) -> Found:
    missing = [scope for scope in SCOPES if scope not in _words(data.get("scopes"))]
    if missing:
        mend = f"generate it again with {' and '.join(SCOPES)} ticked, and write it to {subject.token_shown}"
        return wrong(NAME, f"lacks {', '.join(missing)}", mend)
    kind = str(data.get("type", "?")).lower().replace("_", " ")
    seen = f"{kind}, app {subject.app_id}, both scopes"
    ends = data.get("expires_at")
    if not isinstance(ends, int) or ends <= 0:
        return ok(NAME, f"{seen}, never expires")
    at = datetime.fromtimestamp(ends, UTC)
    seen = f"{seen}, expires {at:%Y-%m-%d %H:%M} UTC"
    if at - subject.now < SOON:
        return note(
            NAME, seen, f"{_MAKE} {subject.token_shown}: a system user's can be one that never expires"
        )
    return ok(NAME, seen)


def _new(subject: Subject) -> str:
    return f"{_MAKE} {subject.token_shown}"


def _only_target(data: dict[str, Any]) -> str | None:
    """Give the account where the token reaches exactly one."""
    granular = data.get("granular_scopes")
    for one in granular if isinstance(granular, list) else ():
        if isinstance(one, dict) and one.get("scope") == MANAGEMENT:
            targets = _words(one.get("target_ids"))
            return targets[0] if len(targets) == 1 else None
    return None


def _words(value: object) -> Sequence[str]:
    return [str(one) for one in value] if isinstance(value, list) else []
