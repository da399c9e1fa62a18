"""The way back: the app hears of the account, the callback answers, and both know the same secret.

Source: Meta, "Webhooks: endpoint", "Subscribed apps", Graph API "App subscriptions" (read 2026-11).
"""

import hmac
from hashlib import sha256
from secrets import randbelow, token_hex
from typing import Final

import httpx

from garbo.cli.connect.finding import Found, note, ok, skipped, wrong
from garbo.cli.connect.graph import GraphRefused
from garbo.cli.connect.subject import Subject
from garbo.common.runtime.live import reaches_people

APP: Final = "app"
CALLBACK: Final = "callback"
SIGNED: Final = "app secret"
NEEDED: Final = "messages"
WANTED: Final = (
    "message_template_status_update",
    "template_category_update",
    "message_template_components_update",
    "message_template_quality_update",
    "user_preferences",
    "account_update",
    "phone_number_quality_update",
)
"""Beside `messages`: what keeps templates, stops and limits up to date."""
_FIELDS_AT: Final = "in the app's dashboard: WhatsApp, Configuration, Webhook fields"
_EMPTY: Final = b'{"object":"whatsapp_business_account","entry":[]}'
"""A webhook that tells nothing."""


async def check_app(subject: Subject, *, subscribe: bool = False) -> Found:
    """Look whether the app hears of the account and, with its secret, of which fields."""
    if subject.account is None or subject.app_id is None:
        return skipped(APP, "app or account is not known yet: see the lines above")
    edge = f"{subject.account}/subscribed_apps"
    try:
        if subscribe:
            await subject.graph.post(edge)
        listed = await subject.graph.get(edge)
    except GraphRefused as refused:
        return wrong(
            APP, f"subscriptions are not shown, {refused}", "give the token whatsapp_business_management"
        )
    apps = [one.get("whatsapp_business_api_data", {}) for one in listed.get("data", ())]
    if subject.app_id not in {str(app.get("id")) for app in apps}:
        seen = f"app {subject.app_id} is not subscribed to account {subject.account}: no webhook comes"
        return wrong(APP, seen, "type the same again with --subscribe")
    return await _fields(subject)


async def check_callback(subject: Subject) -> Found:
    """Ask the callback as the platform does before it sends anything there."""
    address = subject.callback or subject.effective_callback
    if address is None:
        return wrong(CALLBACK, "no address is set", f"set it and the verify token {_FIELDS_AT}")
    if reaches_people(address) and not address.lower().startswith("https://"):
        mend = "put a proxy with TLS before ingest: the platform calls nothing else"
        return wrong(CALLBACK, f"{address} is not https", mend)
    if subject.verify_token is None:
        return skipped(CALLBACK, f"{address}: the verify token is not told", "say --verify-token-file FILE")
    return await _handshake(subject, address, subject.verify_token)


async def _handshake(subject: Subject, address: str, verify_token: str) -> Found:
    challenge = str(randbelow(2**31))
    params = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    try:
        answer = await subject.graph.client.get(address, params=params)
    except httpx.HTTPError as error:
        mend = "start ingest, and let it be reached from the internet there (a proxy with TLS, or a tunnel)"
        return wrong(CALLBACK, f"{address} does not answer ({type(error).__name__})", mend)
    if answer.status_code in (401, 403):
        mend = "set the same verify token as ingest has: GARBO_WHATSAPP_VERIFY_TOKEN"
        return wrong(CALLBACK, f"{address} does not know the verify token ({answer.status_code})", mend)
    if answer.status_code != httpx.codes.OK or answer.text != challenge:
        mend = "is it ingest's /webhooks/whatsapp? a host it does not know is 421: set GARBO_ALLOWED_HOSTS"
        return wrong(CALLBACK, f"{address} answers {answer.status_code} and not the challenge", mend)
    if subject.effective_callback not in (None, address):
        seen = f"{address} answers, but the platform calls {subject.effective_callback}"
        return wrong(CALLBACK, seen, f"set {address} {_FIELDS_AT}")
    return ok(CALLBACK, f"{address}, verified")


async def check_secret(subject: Subject) -> Found:
    """Send a webhook that tells nothing, signed right and signed wrong: one is taken, the other refused."""
    address = subject.callback or subject.effective_callback
    if subject.app_secret is None:
        return skipped(SIGNED, "is not told", "say --app-secret-file FILE")
    if refused := await _refusal_of_secret(subject):
        mend = "copy it from the app's dashboard: App settings, Basic"
        return wrong(SIGNED, f"it is not the secret of app {subject.app_id} ({refused})", mend)
    if address is None:
        return skipped(SIGNED, "there is no callback yet")
    try:
        right = await _posted(subject, address, subject.app_secret)
        other = await _posted(subject, address, token_hex(16))
    except httpx.HTTPError as error:
        return wrong(SIGNED, f"{address} does not answer ({type(error).__name__})", "see the line above")
    return _judged(subject, right=right, other=other)


def _judged(subject: Subject, *, right: int, other: int) -> Found:
    if right in (401, 403):
        mend = "give ingest the app's secret (App settings, Basic): GARBO_WHATSAPP_APP_SECRETS"
        return wrong(SIGNED, f"ingest refuses what this secret signs ({right})", mend)
    if right != httpx.codes.OK:
        return wrong(SIGNED, f"a signed webhook is answered {right}", "see ingest's log; garbo doctor")
    if other not in (401, 403):
        seen = f"a wrongly signed webhook is answered {other}"
        return wrong(SIGNED, seen, "this address checks no signatures: let the callback be ingest's")
    seen = f"signed webhooks are taken, others refused ({other})"
    if subject.graph.demands_proof and not subject.proves:
        return note(
            SIGNED,
            f"{seen}; the app demands it as a proof of each call",
            "give the sender the secret, too: GARBO_GRAPH_APP_SECRET",
        )
    return ok(SIGNED, seen)


async def _refusal_of_secret(subject: Subject) -> GraphRefused | None:
    """Ask for the app with its own token, which holds the secret; None where that is answered."""
    if subject.app_token is None:
        return None
    try:
        await subject.graph.get(str(subject.app_id), {"fields": "id"}, token=subject.app_token)
    except GraphRefused as refused:
        return refused
    return None


async def _fields(subject: Subject) -> Found:
    seen = f"app {subject.app_id} hears of account {subject.account}"
    if subject.app_token is None:
        return ok(APP, f"{seen} (its fields are shown with --app-secret-file)")
    try:
        listed = await subject.graph.get(f"{subject.app_id}/subscriptions", token=subject.app_token)
    except GraphRefused:
        return ok(APP, f"{seen} (its fields are shown to the right app secret)")
    fields = {
        str(one.get("name") if isinstance(one, dict) else one)
        for subscription in listed.get("data", ())
        if subscription.get("object") == "whatsapp_business_account"
        for one in subscription.get("fields", ())
    }
    if NEEDED not in fields:
        return wrong(APP, "the app is not subscribed to messages", f"tick messages {_FIELDS_AT}")
    missing = [name for name in WANTED if name not in fields]
    if missing:
        return note(APP, f"{seen}, not of {', '.join(missing)}", f"tick these {_FIELDS_AT}")
    return ok(APP, f"{seen}, {len(fields)} fields")


async def _posted(subject: Subject, address: str, secret: str) -> int:
    signature = "sha256=" + hmac.new(secret.encode(), _EMPTY, sha256).hexdigest()
    headers = {"x-hub-signature-256": signature, "content-type": "application/json"}
    answer = await subject.graph.client.post(address, content=_EMPTY, headers=headers)
    return answer.status_code
