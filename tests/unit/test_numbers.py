"""Keys of telephone numbers: one for every way of writing a number, none for what is no number."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.keyed import KEYED
from conversations.numbers import NO_NUMBER, international
from conversations.policy import Policy, PolicyError
from tests.person_keys import KEYS

number_key = KEYS.number_key
SEPARATORS = st.sampled_from(["", " ", "-", "\u2011", "\u00a0", "."])


@given(st.from_regex(r"[0-9]{10}", fullmatch=True), st.sampled_from(["+7", "8", "7", "+7 "]), st.data())
def test_a_number_at_home_is_one_however_it_is_written(digits: str, country: str, data: st.DataObject) -> None:
    parts = (digits[:3], digits[3:6], digits[6:8], digits[8:])
    code = f"({parts[0]})" if data.draw(st.booleans()) else parts[0]
    written = country + code + "".join(data.draw(SEPARATORS) + part for part in parts[1:])
    assert international(written) == f"+7{digits}"
    assert number_key(written) == number_key(f"+7{digits}")


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_a_number_of_any_country_is_that_of_the_library(region: str) -> None:
    shapes = phonenumbers.PhoneNumberFormat
    number = phonenumbers.example_number(region)
    expected = phonenumbers.format_number(number, shapes.E164)
    for shape in (shapes.INTERNATIONAL, shapes.E164):
        assert international(phonenumbers.format_number(number, shape)) == expected


def test_other_numbers_have_other_keys_and_no_number_has_none() -> None:
    numbers = [f"+7701000{n:04d}" for n in range(2_000)]
    assert len({number_key(one) for one in numbers}) == len(numbers)
    for one in ("104", "нет", "", "anonymous", "0", "+7701", "8800", "+7 701 000 00 01 доб. 12 или позже", "\ud800"):
        assert number_key(one) == NO_NUMBER, one
    assert number_key(None) is None
    assert all(digits not in str(number_key(one)) for one in numbers for digits in (one, one[1:], one[2:]))


@given(st.text(max_size=30))
def test_whatever_stands_in_the_field_of_a_phone_has_a_key(text: str) -> None:
    key = number_key(text)
    assert key == NO_NUMBER or (key is not None and KEYED.fullmatch(key))


def test_the_policy_says_whether_numbers_join_and_that_changes_no_rule() -> None:
    assert Policy.default().customers.link_by_number
    off = Policy.parse("customers: {link_by_number: false}")
    assert not off.customers.link_by_number
    assert off.hash == Policy.default().hash
    with pytest.raises(PolicyError, match=r"customers\.by_name"):
        Policy.parse("customers: {by_name: true}")
