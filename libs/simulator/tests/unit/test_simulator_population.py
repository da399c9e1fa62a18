from random import Random

import phonenumbers
import pytest

from garbo.simulator.control import LIVELY, Control, ControlState, Population, livelier
from garbo.simulator.population.customers import Customers
from garbo.simulator.population.reactions import QUICK_REPLIES, STOPS, UNCLEAR_STOPS, Button, Reaction, react

SEED = "a seed"


def test_the_same_seed_gives_the_same_people() -> None:
    one, two = Customers(seed=SEED, count=50), Customers(seed=SEED, count=50)
    assert [(c.phone, c.user_id, c.name) for c in one.population] == [
        (c.phone, c.user_id, c.name) for c in two.population
    ]
    assert len({c.phone for c in one.population}) == 50
    assert one.population[0].phone != Customers(seed="another", count=50).population[0].phone


def test_phones_are_italian_mobiles() -> None:
    for customer in Customers(seed=SEED, count=100).population:
        number = phonenumbers.parse(customer.phone, None)
        assert phonenumbers.is_valid_number(number), customer.phone
        assert phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE


def test_a_person_is_found_by_phone_and_by_user_id() -> None:
    customers = Customers(seed=SEED, count=3)
    person = customers.population[1]
    assert customers.at(person.phone) is person
    assert customers.at(person.user_id) is person
    assert not customers.at("+393990000000").known


@pytest.mark.parametrize(
    ("dialled", "shown"),
    [
        ("+5511987650002", "+551187650002"),
        ("+525512340001", "+5215512340001"),
        ("+5491123456789", "+541123456789"),
        ("+393331234567", "+393331234567"),
    ],
)
def test_person_is_one_by_the_number_that_is_dialled_and_the_one_that_is_shown(
    dialled: str, shown: str
) -> None:
    customers = Customers(seed=SEED, count=3)
    person = customers.at(dialled)
    assert person.wa_id == shown[1:]
    customers.remember(person)
    assert customers.at(dialled) is customers.at(shown) is person


def reactions(seed: str, **habits: float) -> list[Reaction]:
    random = Random(seed)
    population = Population.model_validate(habits)
    return [react(category="marketing", known=True, random=random, habits=population) for _ in range(300)]


def test_the_same_dice_give_the_same_choices() -> None:
    assert reactions(SEED) == reactions(SEED)
    assert reactions(SEED) != reactions("another")


def test_turning_one_ratio_leaves_other_choices_alone() -> None:
    plain, eager = reactions(SEED, stop_ratio=0), reactions(SEED, stop_ratio=0, reply_to_promo_ratio=0.9)
    assert [r.reads for r in plain] == [r.reads for r in eager]
    for before, after in zip(plain, eager, strict=True):
        assert before.reply is None or before.reply == after.reply


def test_promos_bring_quick_replies_free_text_and_stops() -> None:
    replies = [r.reply for r in reactions(SEED, read_ratio=1, reply_to_promo_ratio=0.5) if r.reply]
    assert {r.text for r in replies if r.button} == set(QUICK_REPLIES)
    assert any(not r.button and r.text not in STOPS for r in replies)
    assert any(r.text in STOPS for r in replies)


def test_unclear_words_take_nothing_from_the_clear_ones() -> None:
    plain = reactions(SEED, read_ratio=1)
    unsure = reactions(SEED, read_ratio=1, unclear_stop_ratio=0.2)
    words = {
        after.reply.text
        for before, after in zip(plain, unsure, strict=True)
        if after != before and after.reply
    }
    assert words == set(UNCLEAR_STOPS)
    assert [r for r in plain if r.reply and r.reply.text in STOPS] == [
        r for r in unsure if r.reply and r.reply.text in STOPS
    ]


def test_a_button_of_a_message_is_pressed() -> None:
    habits = Population(read_ratio=1, reply_to_buttons_ratio=1)
    offered = (Button("stop", "Yes, stop"), Button("keep", "No, keep them"))
    random = Random(SEED)
    replies = [
        react(category="service", known=True, random=random, habits=habits, buttons=offered).reply
        for _ in range(20)
    ]
    assert {(r.text, r.button_id) for r in replies if r} == {(b.title, b.id) for b in offered}


def test_somebody_who_moves_is_found_under_the_new_address_alone() -> None:
    moved, again = Customers(seed=SEED, count=3), Customers(seed=SEED, count=3)
    person = moved.population[1]
    before = (person.phone, person.user_id)
    for customers in (moved, again):
        customers.move(customers.population[1])
    assert person.phone not in before
    assert moved.find(person.phone) is moved.find(person.user_id) is person
    assert moved.left == set(before)
    assert [moved.find(address) for address in before] == [None, None]
    assert again.population[1].phone == person.phone


def test_what_control_names_has_the_last_word_over_a_lively_world() -> None:
    assert livelier(ControlState()) == LIVELY
    told = ControlState.model_validate({"cooldown_ratio": 0, "population": {"on": False}})
    assert livelier(told) == LIVELY.model_copy(
        update={"cooldown_ratio": 0, "population": LIVELY.population.model_copy(update={"on": False})}
    )


@pytest.mark.parametrize(
    ("known", "on"), [pytest.param(False, True, id="stranger"), pytest.param(True, False, id="at-rest")]
)
def test_some_only_read(known: bool, on: bool) -> None:
    habits = Population(on=on, read_ratio=1, reply_to_promo_ratio=1)
    random = Random(SEED)
    assert react(category="marketing", known=known, random=random, habits=habits) == Reaction(reads=True)


def test_a_fault_is_used_up_and_a_bad_patch_changes_nothing() -> None:
    control = Control()
    control.change({"faults": [{"kind": "error", "code": 131016, "next": 2, "number_id": "1"}]})
    assert control.take_fault("2") is None
    assert control.take_fault("1") is not None
    assert control.present().faults[0].next == 1
    control.change({"latency_ms": 5})
    assert control.take_fault("1") is not None
    assert control.take_fault("1") is None
    assert control.present().faults == ()
    with pytest.raises(ValueError, match="code"):
        control.change({"latency_ms": 7, "faults": [{"kind": "error", "code": 5, "next": 1}]})
    assert control.state.latency_ms == 5
