"""Keys of people and chats: of any text that a file may hold."""

from __future__ import annotations

from conversations.imports.survey import key_of


def test_half_of_a_pair_of_surrogates_has_a_key_of_its_own() -> None:
    # JSON spells it, no encoding holds it
    keys = {key_of("Анна \ud800"), key_of("Анна \udc00"), key_of("Анна")}
    assert len(keys) == 3
    assert all(len(key) == 16 for key in keys)
