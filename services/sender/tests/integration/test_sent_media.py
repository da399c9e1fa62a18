"""Files that messages show: uploaded once a number, sent by id, uploaded again when they are forgotten."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from garbo.sender.domain.outcomes import Answer
from libs.common.tests.support.waiting import until
from libs.simulator.tests.support.world import NUMBER, SLOW, running_world
from services.sender.tests.support.builders import a_grant
from services.sender.tests.support.media_stand import (
    PNG,
    a_media_stand,
    a_simulated_stand,
    an_image,
    showing,
)
from services.sender.tests.support.media_stores import MemoryMediaStore
from services.sender.tests.support.postgres import SenderDatabase
from services.sender.tests.support.running_sender import only

pytestmark = pytest.mark.integration

ACCEPTED = ("accepted", None)


async def test_a_file_is_uploaded_once_and_its_id_is_sent(
    sender_database: SenderDatabase, tmp_path: Path
) -> None:
    async with a_simulated_stand(sender_database, tmp_path) as stand:
        file = await stand.file()
        assert await stand.send(*(an_image(file) for _ in range(20))) == [ACCEPTED] * 20
        assert await stand.send(an_image(file)) == [ACCEPTED]
        assert stand.platform.uploads == [(NUMBER.id, file)]
        [media_id] = stand.ids()
        assert [entry["files"] for entry in stand.ledger()] == [[media_id]] * 21
        [media] = stand.running.world.accounts.media
        assert (media.mime_type, stand.running.world.accounts.media.content(media)) == ("image/png", PNG)
        assert stand.noted == [("upload", "done")]


async def test_each_number_uploads_a_file_for_itself(sender_database: SenderDatabase, tmp_path: Path) -> None:
    async with a_simulated_stand(sender_database, tmp_path) as stand:
        file = await stand.file()
        assert await stand.send(an_image(file), an_image(file, number=SLOW.id)) == [ACCEPTED] * 2
        assert sorted(stand.platform.uploads) == [(NUMBER.id, file), (SLOW.id, file)]


async def test_of_two_senders_one_uploads(sender_database: SenderDatabase, tmp_path: Path) -> None:
    store = MemoryMediaStore()
    async with (
        running_world(tmp_path) as running,
        a_media_stand(sender_database, running, store=store, shards=only(0)) as one,
        a_media_stand(sender_database, running, store=store, shards=only(1)) as other,
    ):
        file = await one.file()
        mine, theirs = [an_image(file) for _ in range(10)], [an_image(file) for _ in range(10)]
        await asyncio.gather(one.take(*mine, shard=0), other.take(*theirs, shard=1))
        assert await one.ended(*mine) == await other.ended(*theirs) == [ACCEPTED] * 10
        assert [*one.platform.uploads, *other.platform.uploads] == [(NUMBER.id, file)]


async def test_what_the_platform_forgot_is_uploaded_again(
    sender_database: SenderDatabase, tmp_path: Path
) -> None:
    async with a_simulated_stand(sender_database, tmp_path) as stand:
        file = await stand.file()
        assert await stand.send(an_image(file)) == [ACCEPTED]
        stand.running.world.accounts.media.forget_all()
        assert await stand.send(*(an_image(file) for _ in range(5))) == [ACCEPTED] * 5
        assert len(stand.platform.uploads) == 2
        [media_id] = stand.ids()
        assert [entry["files"] for entry in stand.ledger()][1:] == [[media_id]] * 5


async def test_what_the_platform_never_knows_is_given_up(
    sender_database: SenderDatabase, tmp_path: Path
) -> None:
    async with a_simulated_stand(sender_database, tmp_path) as stand:
        file, goes_on = await stand.file(), stand.platform.inner.upload

        class Forgetful:
            async def upload(self, *asked: Any) -> Answer:  # noqa: ANN401 - passed on
                answer = await goes_on(*asked)
                stand.running.world.accounts.media.forget_all()
                return answer

        stand.platform.inner = Forgetful()
        assert await stand.send(an_image(file)) == [("failed", "media_refused")]
        assert len(stand.platform.uploads) == 3


async def test_an_id_is_used_no_longer_than_it_lives(sender_database: SenderDatabase, tmp_path: Path) -> None:
    async with a_simulated_stand(sender_database, tmp_path) as stand:
        file = await stand.file()
        assert await stand.send(an_image(file)) == [ACCEPTED]
        async with sender_database.database.connection() as connection:
            await connection.execute("UPDATE sender.media_upload SET expires_at = clock_timestamp()")
        assert await stand.send(an_image(file)) == [ACCEPTED]
        assert len(stand.platform.uploads) == 2
        assert len({entry["files"][0] for entry in stand.ledger()}) == 2


REFUSED = {
    "no such file": ("image", "sha256:" + "0" * 64, "media_unknown"),
    "an image as a video": ("video", None, "media_refused"),
    "an image as a sticker": ("sticker", None, "media_refused"),
}


@pytest.mark.parametrize(("kind", "file", "reason"), REFUSED.values(), ids=REFUSED)
async def test_what_cannot_be_shown_is_not_sent(
    sender_database: SenderDatabase, tmp_path: Path, kind: str, file: str | None, reason: str
) -> None:
    async with a_simulated_stand(sender_database, tmp_path) as stand:
        file = file or await stand.file()
        assert await stand.send(showing({"type": kind, kind: {"file": file}})) == [("not_sent", reason)]
        assert stand.ledger() == []


async def test_what_is_too_large_or_of_no_type_is_not_sent(
    sender_database: SenderDatabase, tmp_path: Path
) -> None:
    async with a_simulated_stand(sender_database, tmp_path) as stand:
        large = await stand.file(PNG + bytes(5 * 1024 * 1024))
        strange = await stand.file(b"whatever", "application/x-strange")
        document = showing({"type": "document", "document": {"file": strange, "filename": "a.x"}})
        assert await stand.send(an_image(large), document) == [("not_sent", "media_refused")] * 2
        assert [outcome for kind, outcome in stand.noted if kind == "upload"].count("media_refused") >= 1


async def test_another_brands_file_is_not_shown(sender_database: SenderDatabase, tmp_path: Path) -> None:
    async with a_simulated_stand(sender_database, tmp_path) as stand:
        theirs = await stand.file(brand="other")
        assert await stand.send(an_image(theirs)) == [("not_sent", "media_unknown")]
        mine = await stand.file()
        assert mine == theirs
        assert await stand.send(an_image(mine)) == [ACCEPTED]


async def test_one_persons_messages_leave_in_their_order_and_nobody_else_waits(
    sender_database: SenderDatabase, tmp_path: Path
) -> None:
    async with a_simulated_stand(sender_database, tmp_path) as stand:
        slow, quick = await stand.file(), await stand.file(PNG + b"2")
        goes_on = asyncio.Event()

        async def may(file: object) -> None:
            if getattr(file, "name", "") == slow:
                await goes_on.wait()

        stand.platform.may = may
        first = an_image(slow)
        theirs = [
            first,
            a_grant(number=NUMBER.id, contact_id=first.contact_id),
            an_image(quick, contact_id=first.contact_id),
            a_grant(number=NUMBER.id, contact_id=first.contact_id),
        ]
        other, other_image = a_grant(number=NUMBER.id), an_image(quick)
        await stand.take(*theirs[:2])
        await stand.take(*theirs[2:], other, other_image)
        assert await stand.ended(other, other_image) == [ACCEPTED] * 2
        assert [stand.sender.published(one) for one in theirs] == [[]] * 4
        goes_on.set()
        assert await stand.ended(*theirs) == [ACCEPTED] * 4
        left = [entry["biz_opaque"].rpartition(".")[0] for entry in stand.ledger()]
        assert [one for one in left if one in {str(m.message_id) for m in theirs}] == [
            str(one.message_id) for one in theirs
        ]


async def test_who_stood_behind_what_is_not_sent_goes_on(
    sender_database: SenderDatabase, tmp_path: Path
) -> None:
    async with a_simulated_stand(sender_database, tmp_path) as stand:
        refused = an_image("sha256:" + "1" * 64)
        behind = a_grant(number=NUMBER.id, contact_id=refused.contact_id)
        assert await stand.send(refused, behind) == [("not_sent", "media_unknown"), ACCEPTED]


async def test_an_upload_that_fails_is_tried_again(sender_database: SenderDatabase, tmp_path: Path) -> None:
    async with a_simulated_stand(sender_database, tmp_path) as stand:
        stand.running.world.control.change(
            {"faults": [{"kind": "error", "on": "media", "code": 131000, "next": 1}]}
        )
        assert await stand.send(an_image(await stand.file())) == [ACCEPTED]
        assert len(stand.platform.uploads) == 2


async def test_what_a_killed_sender_had_in_hand_is_taken_up(
    sender_database: SenderDatabase, tmp_path: Path
) -> None:
    store = MemoryMediaStore()
    async with running_world(tmp_path) as running:
        async with a_media_stand(sender_database, running, store=store) as killed:
            file, hangs = await killed.file(), asyncio.Event()

            async def may(_: object) -> None:
                hangs.set()
                await asyncio.Event().wait()

            killed.platform.may = may
            grant = an_image(file)
            await killed.take(grant)
            await asyncio.wait_for(hangs.wait(), 20)
        async with sender_database.database.connection() as connection:
            await connection.execute("UPDATE sender.media_work SET claimed_until = clock_timestamp()")
        async with a_media_stand(sender_database, running, store=store) as stand:
            assert await stand.ended(grant) == [ACCEPTED]


async def test_every_place_of_a_message_shows_its_file(
    sender_database: SenderDatabase, tmp_path: Path
) -> None:
    async with a_simulated_stand(sender_database, tmp_path) as stand:
        one, two = await stand.file(), await stand.file(PNG + b"2")
        cards = [
            {
                "card_index": place,
                "type": "cta_url",
                "header": {"type": "image", "image": {"file": file}},
                "body": {"text": "card"},
                "action": {
                    "name": "cta_url",
                    "parameters": {"display_text": "Go", "url": "https://a.example"},
                },
            }
            for place, file in enumerate([one, two])
        ]
        carousel = {"type": "carousel", "body": {"text": "choose"}, "action": {"cards": cards}}
        grant = showing({"type": "interactive", "interactive": carousel})
        assert await stand.send(grant) == [ACCEPTED]
        assert sorted(stand.ledger()[0]["files"]) == sorted(stand.ids())
        assert len(stand.ids()) == 2


async def test_a_deadline_ends_what_waits_for_a_file(sender_database: SenderDatabase, tmp_path: Path) -> None:
    async with a_simulated_stand(sender_database, tmp_path) as stand:

        async def may(_: object) -> None:
            await asyncio.Event().wait()

        stand.platform.may = may
        late = an_image(await stand.file(), valid_for=timedelta(seconds=1))
        behind = a_grant(number=NUMBER.id, contact_id=late.contact_id)
        assert await stand.send(late, behind) == [("not_sent", "lease_expired"), ACCEPTED]
        await until(lambda: _empty(sender_database))


async def _empty(database: SenderDatabase) -> bool:
    return not await database.waiting()


async def test_a_large_file_that_breaks_off_is_uploaded_whole_the_next_time(
    sender_database: SenderDatabase, tmp_path: Path
) -> None:
    async with a_simulated_stand(sender_database, tmp_path) as stand:
        content = b"%PDF-1.7 " + bytes(90 * 1024 * 1024)
        file = await stand.file(content, "application/pdf")
        stand.running.world.control.change({"faults": [{"kind": "reset", "on": "media", "next": 1}]})
        document = {"file": file, "filename": "plan.pdf"}
        grant, other = showing({"type": "document", "document": document}), a_grant(number=NUMBER.id)
        await stand.take(grant, other)
        assert await stand.ended(grant, other, within_s=60) == [ACCEPTED] * 2
        assert stand.noted[-1] == ("upload", "done")
        assert len(stand.platform.uploads) == 2
        [media] = stand.running.world.accounts.media
        assert media.size_bytes == len(content)
