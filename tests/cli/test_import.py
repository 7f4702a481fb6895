"""``otklik import``: the invented file of the format goes all the way, and twice is once.

Expected figures are worked out here from the file itself, by hand of its few conversations.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from tests.cli.conftest import Otklik

FIXTURE = Path(__file__).resolve().parents[1] / "fixtures" / "twitter_care_conversations.json"
DOCUMENT = json.loads(FIXTURE.read_text("utf-8"))

pytestmark = pytest.mark.usefixtures("on_database")


def test_the_summary_counts_what_the_file_holds(otklik: Otklik) -> None:
    result = otklik("import", str(FIXTURE), "--format", "twitter-care", "--json")
    summary = json.loads(result.stdout)

    assert result.exit_code == 0, result.stderr
    assert summary["conversations"] == len(DOCUMENT) == 5
    # each conversation's listed messages and its final reply
    assert summary["messages"] == sum(len(talk["dialogContent"]) + 1 for talk in DOCUMENT)
    assert summary["managers"] == len({talk["dialogHeader"]["company"] for talk in DOCUMENT})
    assert summary["flagged"] == {"negative_reply_time": 1, "reply_before_last_message": 1, "second_customer": 1}
    assert summary["quarantined"] == {}
    # agent_inside 10 min, plain 1 h, second_customer 2 h, reply_before_last_message 24 h 20 min (the agent's dated
    # message; the undated final reply is kept out, as in negative_reply_time): the middle of 3,600 and 7,200 s
    assert summary["first_replies"] == 4
    assert summary["first_reply_p50_seconds"] == 5400


def test_a_second_import_changes_no_table(otklik: Otklik, on_database: Warehouse) -> None:
    otklik("import", str(FIXTURE), "--format", "twitter-care", "--json")
    before = table_hashes(on_database)
    result = otklik("import", str(FIXTURE), "--format", "twitter-care", "--json")

    assert result.exit_code == 0
    assert table_hashes(on_database) == before


def test_the_summary_for_people_names_the_reasons(otklik: Otklik) -> None:
    shown = otklik("import", str(FIXTURE), "--format", "twitter-care").stdout

    assert "negative_reply_time: ответ раньше вопроса" in shown
    assert "90,00" in shown


def test_another_connection_has_rows_of_its_own(otklik: Otklik) -> None:
    arguments = ("import", str(FIXTURE), "--format", "twitter-care", "--json")
    first = json.loads(otklik(*arguments).stdout)
    second = json.loads(otklik(*arguments, "--connection", "care-2").stdout)

    assert second == first | {"connection": "care-2"}


def test_a_broken_file_is_one_clear_error_and_stores_nothing(
    otklik: Otklik, on_database: Warehouse, tmp_path: Path
) -> None:
    broken = tmp_path / "cut.json"
    broken.write_text(FIXTURE.read_text("utf-8")[:-40], encoding="utf-8")
    before = table_hashes(on_database)
    result = otklik("import", str(broken), "--format", "twitter-care", "--connection", "cut")

    assert result.exit_code == 1
    assert "cut: файл не читается" in result.stderr
    assert "Traceback" not in result.output
    assert table_hashes(on_database) == before


def test_a_connection_of_another_source_is_refused(otklik: Otklik, on_database: Warehouse) -> None:
    with on_database.connect() as sql:
        sql.execute(
            "insert into raw.retailcrm__channels (connection_id, external_id, payload, payload_hash, fetched_at,"
            " first_fetched_at) values ('shop', '1', '{}', '', now(), now())"
        )
    before = table_hashes(on_database)
    result = otklik("import", str(FIXTURE), "--format", "twitter-care", "--connection", "shop")

    assert result.exit_code == 2
    assert "«shop»" in result.stderr and "(retailcrm)" in result.stderr and "--connection" in result.stderr
    assert table_hashes(on_database) == before


def test_talks_without_times_are_kept_flagged_and_in_no_wait_and_no_week(
    otklik: Otklik, on_database: Warehouse
) -> None:
    file = FIXTURE.with_name("abcd_conversations.json")
    document = json.loads(file.read_text("utf-8"))
    arguments = ("import", str(file), "--format", "abcd", "--json")
    summary = json.loads(otklik(*arguments).stdout)
    before = table_hashes(on_database)
    again = json.loads(otklik(*arguments).stdout)

    assert (summary["conversations"], summary["messages"]) == (3, sum(len(talk["original"]) for talk in document))
    assert summary["flagged_conversations"] == {"no_times": 3}
    assert (summary["first_replies"], summary["first_reply_p50_seconds"]) == (0, None)
    assert again == summary and table_hashes(on_database) == before
    with on_database.connect() as sql:
        counted = """
            select (select count(*) from evaluated.waits where connection_id = 'abcd'),
                   (select count(*) from evaluated.sessions where connection_id = 'abcd'),
                   (select count(*) from core.messages where connection_id = 'abcd' and business_on is not null),
                   (select count(*) from core.channels where connection_id = 'abcd' and is_active)
        """
        assert sql.execute(counted).fetchone() == (0, 0, 0, 0)
    shown = otklik(*arguments[:-1]).stdout
    assert "no_times: чат без времени сообщений" in shown
