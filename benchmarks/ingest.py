"""ingest: signed webhooks with one message each, answered after Kafka has them."""

import asyncio
import hashlib
import hmac
import subprocess
import sys
from collections.abc import Sequence

import orjson

from benchmarks.figures import Figure
from benchmarks.load import drive, post
from benchmarks.servers import APP_SECRET, NUMBERS, Bench, process
from tests.support.ports import free_ports

BODIES = 4_000
TOTAL = 20_000
ROUNDS = 3


def webhook(n: int) -> bytes:
    """One message of one customer, as Meta posts it."""
    phone = f"39333{n:07d}"
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "390255550100", "phone_number_id": NUMBERS[0]},
        "contacts": [{"profile": {"name": "Maria"}, "wa_id": phone}],
        "messages": [
            {
                "from": phone,
                "id": f"wamid.{n:032x}",
                "timestamp": "1780653600",
                "type": "text",
                "text": {"body": "Buongiorno, dov'è il mio ordine?"},
            }
        ],
    }
    entry = {"id": "102290129340398", "changes": [{"field": "messages", "value": value}]}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})


def signed(body: bytes) -> bytes:
    signature = hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return post("/webhooks/whatsapp", body, X_Hub_Signature_256=f"sha256={signature}")


def measure(bench: Bench) -> Figure:
    """Alternate between the constant server and ingest, with the same requests."""
    requests = [signed(webhook(n)) for n in range(BODIES)]
    bare_port, port = free_ports(2)
    bare = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.constant", str(bare_port)], env=dict(bench.env)
    )
    try:
        with process(bench, "garbo.ingest", ready_port=port, GARBO_INGEST_PORT=str(port)):
            measured, reference = asyncio.run(_rounds(requests, port=port, bare_port=bare_port))
    finally:
        bare.terminate()
        bare.wait(20)
    return Figure(
        "ingest", "webhooks/s", measured, "the same HTTP server answering a constant", reference, aim=0.4
    )


async def _rounds(requests: Sequence[bytes], *, port: int, bare_port: int) -> tuple[list[float], list[float]]:
    measured, reference = [], []
    await drive(port=port, requests=requests, total=TOTAL // 4)
    await drive(port=bare_port, requests=requests, total=TOTAL // 4)
    for _ in range(ROUNDS):
        reference.append(await drive(port=bare_port, requests=requests, total=TOTAL))
        measured.append(await drive(port=port, requests=requests, total=TOTAL))
    return measured, reference
