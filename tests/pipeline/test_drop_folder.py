"""The drop folder: a file that somebody puts there goes all the way, and nothing tells whose it is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from assets.raw.imports import FILE_TAG, IMPORTS
from orchestration import runner
from orchestration.definitions import defs
from orchestration.drop_folder import drop_folder
from resources.imports.errors import BadImport
from resources.imports.folder import find, folders
from resources.imports.formats import recognise
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from resources.warehouse.locks import account_lock
from tests.person_keys import KEYS, guesses, spellings

MONDAY = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
CUSTOMER, MANAGER = "Марфа Незванова", "Глафира"
NUMBER = "9165550102"
WORDS = "сколько стоит синяя кружка"


def export(path: Path, questions: int, *, title: str = CUSTOMER, chat: int = 71) -> Path:
    """A personal chat of Telegram: a question, its answer ten minutes later, a day apart each."""
    messages = []
    for n in range(questions * 2):
        at = MONDAY + timedelta(days=n // 2, minutes=10 * (n % 2))
        who, key = ((title, f"user{chat}"), (MANAGER, "user9"))[n % 2]
        messages.append(
            {"id": n + 1, "type": "message", "date": at.isoformat()[:19], "date_unixtime": str(int(at.timestamp())),
             "from": who, "from_id": key, "text": f"{WORDS} {n}?" if n % 2 == 0 else "двести рублей"}
        )  # fmt: skip
    document = {"name": title, "type": "personal_chat", "id": chat, "messages": messages}
    path.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path, fresh_database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a connection, in an installation that has nothing else."""
    below = tmp_path / "dropped" / "exports"
    below.mkdir(parents=True)
    (below / "import.yaml").write_text("format: telegram\nmanagers: [user9]\n", "utf-8")
    for name, value in {
        "OTKLIK_HOME": str(tmp_path),
        "DATABASE_URL": fresh_database.url,
        "OTKLIK_IMPORT_DIR": str(below.parent),
    }.items():
        monkeypatch.setenv(name, value)
    yield below


class Looking:
    """The sensor, look after look, and the runs that it asks for."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.cursor: str | None = None

    def look(self) -> list[dg.RunRequest]:
        with dg.build_sensor_context(self.instance, cursor=self.cursor) as context:
            told = drop_folder(context)
        assert isinstance(told, dg.SensorResult)
        self.cursor, self.said = told.cursor, str(told.skip_reason or "")
        for request in told.dynamic_partitions_requests or ():
            self.instance.add_dynamic_partitions(IMPORTS.name, list(request.partition_keys))
        return list(told.run_requests or ())

    def run(self, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        return defs.resolve_job_def("import_file").execute_in_process(
            partition_key=request.partition_key, tags=request.tags, instance=self.instance, raise_on_error=False
        )

    def told(self) -> str:
        """All that Dagster keeps of what happened."""
        events = [
            dg._core.storage.event_log.sql_event_log.serialize_value(event)
            for run in self.instance.get_runs() for event in self.instance.all_logs(run.run_id)
        ]  # fmt: skip
        return "\n".join([*events, *(str(run.tags) + str(run.run_config) for run in self.instance.get_runs())])


@pytest.fixture
def looking(instance: dg.DagsterInstance) -> Looking:
    return Looking(instance)


def counted(database: Warehouse, statement: str) -> int:
    with database.connect() as sql:
        row = sql.execute(statement).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return int(row[0])


def test_a_file_goes_from_the_folder_to_the_marts(folder: Path, looking: Looking, fresh_database: Warehouse) -> None:
    path = export(folder / f"{CUSTOMER}.json", 3)
    assert looking.look() == [] and "1 not complete yet" in looking.said
    (request,) = looking.look()
    assert request.partition_key and request.partition_key.startswith("exports-")
    assert looking.look() == []
    result = looking.run(request)
    assert result.success

    checks = {one.check_name: (one.passed, one.metadata["count"].value) for one in result.get_asset_check_evaluations()}
    assert checks == {"every_file_was_imported": (True, 0), "every_row_was_understood": (True, 0)}
    event = looking.instance.get_latest_materialization_event(dg.AssetKey(["raw", "telegram_export__messages"]))
    assert event is not None and event.asset_materialization is not None
    metadata = {name: value.value for name, value in event.asset_materialization.metadata.items()}
    assert (metadata["messages"], metadata["inserted"], metadata["quarantined"]) == (6, 6, 0)
    assert event.asset_materialization.partition == request.partition_key
    assert looking.instance.get_latest_materialization_event(dg.AssetKey(["raw", "whatsapp_export__chats"])) is None

    assert counted(fresh_database, "select count(*) from core.messages where connection_id = 'exports'") == 6
    answered = "select count(*) from evaluated.waits where connection_id = 'exports' and outcome = 'in_target'"
    assert counted(fresh_database, answered) == 3
    kept = "\n".join([looking.told(), looking.cursor or "", looking.said, *map(str, request)])
    for secret in (CUSTOMER, MANAGER, WORDS, path.name, "двести"):
        assert secret not in kept and json.dumps(secret) not in kept

    first, last = date(2026, 11, 2), date(2026, 11, 8)
    # an installation of files alone has its nights and its Mondays like any other: nothing to read, all to publish
    assert runner.run_days(first, last, instance=looking.instance).checks_failed == []
    runner.publish_weeks("2026-W45", "2026-W45", instance=looking.instance)
    assert counted(fresh_database, "select sum(waits_settled) from marts.manager_week") == 3
    before = table_hashes(fresh_database, ("raw", "core", "evaluated", "marts"))
    # the same file under another name is another partition of nothing: its content is known
    path.replace(folder / "другое имя.json")
    looking.look()
    (again,) = looking.look()
    assert again.partition_key == request.partition_key
    assert looking.run(again).success
    assert table_hashes(fresh_database, ("raw", "core", "evaluated", "marts")) == before


def test_a_file_that_is_still_being_copied_waits(folder: Path, looking: Looking) -> None:
    path = export(folder / "a.json", 2)
    looking.look()
    os.utime(path, ns=(1, 1))
    assert looking.look() == []
    export(path, 3)
    assert looking.look() == []
    assert len(looking.look()) == 1


def test_a_bad_file_is_written_down_and_the_others_are_imported(
    folder: Path, looking: Looking, fresh_database: Warehouse
) -> None:
    good = export(folder / "good.json", 2)
    bad = folder / "bad.json"
    bad.write_bytes(good.read_bytes()[:-40])
    looking.look()
    requests = looking.look()
    assert len(requests) == 2
    results = [looking.run(request) for request in requests]
    assert sorted(result.success for result in results) == [False, True]
    with fresh_database.connect() as sql:
        files = sql.execute("select state, reason, messages from ops.imports order by state").fetchall()
    assert files == [("done", None, 4), ("failed", "not_this_format", 0)]
    (last,) = [one for one in results if not one.success]
    (failure,) = last.get_step_failure_events() if hasattr(last, "get_step_failure_events") else last.filter_events(
        lambda event: event.is_step_failure
    )  # fmt: skip
    assert "breaks off" in str(failure.step_failure_data)
    # a fault that stays is not tried again and again
    assert looking.look() == []
    # declared otherwise, both are read again
    (folder / "import.yaml").write_text("format: telegram\nmanagers: [user9, user10]\n", "utf-8")
    assert len(looking.look()) == 2


def test_what_must_be_declared_is_said_without_names(folder: Path, looking: Looking, fresh_database: Warehouse) -> None:
    (folder / "import.yaml").unlink()
    group = json.loads(export(folder / "a.json", 2).read_text("utf-8")) | {"type": "private_group"}
    (folder / "a.json").write_text(json.dumps(group), "utf-8")
    looking.look()
    (request,) = looking.look()
    result = looking.run(request)
    assert not result.success
    assert counted(fresh_database, "select count(*) from ops.imports where reason = 'undecided_staff'") == 1
    kept = looking.told()
    assert "who the managers are" in kept and CUSTOMER not in kept and json.dumps(CUSTOMER) not in kept
    # the file went away before its run
    (folder / "a.json").unlink()
    assert not looking.run(request).success


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("managers: Глафира", "managers: list_type"),
        ("staff: [a]", "staff: extra_forbidden"),
        ("time_zone: Mars/Olympus", "time_zone: value_error"),
        ("mapping: ../../etc/passwd", "mapping: value_error"),
        ("mapping: no.yaml", "the mapping is not there"),
        ("!!python/object/apply:os.system [true]", "no YAML"),
        ("[1, 2]", "it: model_type"),
        ("time_zone: 2026-02-30", "no YAML"),
        ("managers: [" + "9" * 5000 + "]", "no YAML"),
        ("[" * 5000, "no YAML"),
    ],
)
def test_a_folder_with_a_wrong_declaration_is_named_and_the_others_go_on(
    folder: Path, looking: Looking, text: str, said: str
) -> None:
    other = folder.parent / "other"
    other.mkdir()
    export(other / "a.json", 1)
    export(folder / "b.json", 1)
    (folder / "import.yaml").write_text(text, "utf-8")
    looking.look()
    assert said in looking.said and "folder exports" in looking.said and "Глафира" not in looking.said
    (request,) = looking.look()
    assert request.partition_key and request.partition_key.startswith("other-")


def test_links_hidden_and_half_copied_files_are_passed_over(folder: Path, looking: Looking, tmp_path: Path) -> None:
    secret = export(tmp_path / "outside.json", 1)
    (folder / "link.json").symlink_to(secret)
    (folder.parent / "linked").symlink_to(tmp_path)
    # nor do they come in as later pages of one that lies there
    first = folder.parent / "messages.html"
    first.write_text('<!DOCTYPE html><html><body class="page_wrap">', "utf-8")
    (folder.parent / "messages2.html").symlink_to(secret)
    assert recognise(first, "pages", "telegram").paths == (first,)
    for name in (".hidden.json", "a.json.part", "b.crdownload"):
        export(folder / name, 1)
    looking.look()
    assert looking.look() == [] and "0 not complete yet" in looking.said


def test_what_dagster_keeps_tells_no_number_of_a_file_name(folder: Path, looking: Looking) -> None:
    """Neither as it is nor as a hash that somebody could try all numbers for."""
    name = f"WhatsApp Chat with +7{NUMBER}.json"
    export(folder / name, 1)
    looking.look()
    (request,) = looking.look()
    looking.run(request)
    kept = f"{looking.cursor}{request.tags}{request.run_key}{looking.told()}"
    tried = {*spellings(NUMBER), name, f"exports/{name}", f"exports\x1f{name}"}
    assert {guess for guess in (*spellings(NUMBER), *guesses(tried, ["exports"])) if guess in kept} == set()
    # control: with the secret it is found
    assert request.tags[FILE_TAG] == KEYS.name_key("exports", name) and request.tags[FILE_TAG] in kept


def test_while_the_database_is_away_no_file_is_looked_at(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    export(folder / "a.json", 1)
    monkeypatch.setenv("OTKLIK_HOME", str(tmp_path / "another"))
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("LOADER_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    told = drop_folder(dg.build_sensor_context())
    assert isinstance(told, dg.SkipReason) and "out of reach" in str(told.skip_message)


def test_without_a_folder_nothing_is_done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OTKLIK_IMPORT_DIR", raising=False)
    told = drop_folder(dg.build_sensor_context())
    assert isinstance(told, dg.SkipReason) and "not set" in str(told.skip_message)
    monkeypatch.setenv("OTKLIK_IMPORT_DIR", str(tmp_path / "absent"))
    told = drop_folder(dg.build_sensor_context())
    assert isinstance(told, dg.SkipReason) and "cannot be read" in str(told.skip_message)


def test_one_folder_that_cannot_be_read_keeps_no_other_back(
    folder: Path, looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root reads everything, so the refusal of the file system is played."""
    other = folder.parent / "other"
    other.mkdir()
    export(other / "a.json", 1)
    export(folder / "b.json", 1)
    real = Path.iterdir

    def refusing(path: Path) -> Iterator[Path]:
        if path == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(Path, "iterdir", refusing)
    looking.look()
    (request,) = looking.look()
    assert request.partition_key and request.partition_key.startswith("other-")
    _, refused = folders(folder.parent)
    assert refused == {}
    with pytest.raises(BadImport, match="cannot be read"):
        find(folder.parent, "exports-0123456789ab")
    monkeypatch.setattr(Path, "is_symlink", lambda path: next(refusing(folder)) if path.parent == folder else False)
    assert folders(folder.parent)[1] == {"exports": "it cannot be read"}


def test_touched_once_more_a_file_is_asked_for_once_more(folder: Path, looking: Looking) -> None:
    """Dagster starts no second run of one key: a database that was away would else cost the file for ever."""
    path = export(folder / "a.json", 1)
    looking.look()
    (first,) = looking.look()
    os.utime(path, (1, 1))
    looking.look()
    (second,) = looking.look()
    assert first.partition_key == second.partition_key and first.run_key != second.run_key


def test_a_busy_or_taken_connection_keeps_no_other_file_of_a_backfill_back(
    folder: Path, looking: Looking, fresh_database: Warehouse
) -> None:
    for name in ("busy", "taken"):
        below = folder.parent / name
        below.mkdir()
        (below / "import.yaml").write_text("managers: [user9]", "utf-8")
        export(below / "a.json", 1)
    export(folder / "z.json", 2)
    looking.look()
    keys = sorted(request.partition_key or "" for request in looking.look())
    assert [key.partition("-")[0] for key in keys] == ["busy", "exports", "taken"]
    with fresh_database.connect() as sql:
        sql.execute(
            "insert into raw.whatsapp_export__chats (connection_id, external_id, payload, payload_hash, fetched_at,"
            " first_fetched_at) values ('taken', '1', '{}', '', now(), now())"
        )
    looking.instance.delete_dynamic_partition(IMPORTS.name, keys[1])
    looking.instance.add_dynamic_partitions(IMPORTS.name, [keys[1]])
    tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[1]}
    with fresh_database.connect(autocommit=True) as session, account_lock(session, "busy"):
        result = defs.resolve_job_def("import_file").execute_in_process(
            tags=tags, instance=looking.instance, raise_on_error=False
        )
    assert not result.success
    assert counted(fresh_database, "select count(*) from core.messages where connection_id = 'exports'") == 4
    assert counted(fresh_database, "select count(*) from core.messages where connection_id <> 'exports'") == 0
