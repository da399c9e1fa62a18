"""A whole process with one lane: what the tests kill, terminate and start again.

Arguments: bootstrap servers, service, topic, group, journal file, milliseconds per record, records per batch.
The journal gets one line when a record is begun and one when it is done.
"""

import asyncio
import os
import sys
from collections.abc import Sequence

from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.deliver import Delivered, Deliveries, Lane
from garbo.common.runtime.lifecycle import App, run
from garbo.common.runtime.producer import Producer
from libs.common.tests.support.delivery import Noted, noted_topic


def build() -> App:
    servers, service, topic, group, journal, each_ms, max_records = sys.argv[1:]
    kafka = KafkaSettings(servers, session_s=6.0)
    producer = Producer(kafka=kafka, service=service)
    file = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def handle(batch: Sequence[Delivered[Noted]]) -> None:
        for record in batch:
            os.write(file, b"begun %d\n" % record.event.number)
        for record in batch:
            await asyncio.sleep(int(each_ms) / 1000)  # stands for the work
            os.write(file, b"done %d\n" % record.event.number)

    lane = Lane(group, (noted_topic(topic),), handle, max_records=int(max_records))
    deliveries = Deliveries(kafka=kafka, service=service, producer=producer, lanes=[lane])
    return App(service=service, components=[producer, deliveries])


if __name__ == "__main__":
    sys.exit(run(build))
