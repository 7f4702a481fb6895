"""Files from the drop folder as raw tables: a partition for each file.

Here: one function for the tables of all kinds of files, since a file says by itself which it is. It takes the whole
walk, raw to evaluated, as ``otklik import`` does: nothing else would judge a connection that no run reads. Not here:
who notices a file (``orchestration.drop_folder``), reading, meaning.

A file is brought by a person, so nothing here has a schedule or must be fresh.
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Iterator

import dagster as dg

from assets.failures import described, explained
from assets.tables import spec
from conversations.imports.survey import CHATS, MESSAGES, Undecided
from conversations.lexicon import Lexicon
from conversations.policy import Policy
from resources.clients.errors import SourceError
from resources.imports.bring import Brought, bring, write_failure
from resources.imports.errors import BadImport, ConnectionTaken
from resources.imports.folder import find, undecided
from resources.imports.formats import SOURCES
from resources.settings import Settings
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy
from resources.warehouse.person_keys import person_keys
from resources.warehouse_resource import PolicyResource, WarehouseResource

IMPORTS = dg.DynamicPartitionsDefinition(name="imports")
"""``<connection>-<the first 12 digits of the content's SHA-256>``."""
FILE_TAG = "otklik/file"
"""Hash of the file's name in its folder: finds it without reading all others."""
POOL = "imports"
TABLES = {source: [f"{source}__{stream}" for stream in (CHATS, MESSAGES)] for source in SOURCES.values()}


@dg.multi_asset(
    name="imports",
    specs=[
        spec("raw", table, skippable=True, kinds={"file", "postgres"}, tags={"pii": "content", "source": source})
        for source, tables in TABLES.items()
        for table in tables
    ],
    partitions_def=IMPORTS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool=POOL,
)
def imports(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, policy: PolicyResource
) -> Iterator[dg.MaterializeResult]:
    """The chats and messages of the files, as the files have them; what else follows from them is brought up to date.

    A file that cannot be used is written down with its reason; the others are imported.
    """
    done: list[Brought] = []
    failed: list[Exception] = []
    with explained(context):
        rules, lexicon = policy.load(), policy.lexicon()
        for key in context.partition_keys:
            try:
                done.append(_brought(context, key, warehouse.open(), rules, lexicon))
            except (SourceError, ConnectionTaken, Busy) as error:
                context.log.error(f"{key}: {described(error)[0]}")
                failed.append(error)
    for source in dict.fromkeys(one.source for one in done):
        of_source = [one for one in done if one.source == source]
        for table in TABLES[source]:
            yield dg.MaterializeResult(asset_key=["raw", table], metadata=_counts(of_source))
    with explained(context):
        if failed:
            raise failed[0]


def _brought(
    context: dg.AssetExecutionContext, key: str, warehouse: Warehouse, policy: Policy, lexicon: Lexicon
) -> Brought:
    root = Settings().otklik_import_dir
    if root is None:
        raise BadImport(key.rpartition("-")[0], "missing")
    with warehouse.connect("otklik drop folder") as connection:
        keys = person_keys(connection)
    folder, path = find(root, key, context.run.tags.get(FILE_TAG), keys)
    file = folder.opened(path, policy.organisation.time_zone)
    try:
        return bring(file, warehouse, policy, lexicon, run_id=context.run.run_id)
    except Undecided as error:
        write_failure(warehouse, file, undecided(file.connection_id, error))
        raise undecided(file.connection_id, error) from None
    except BadImport as error:
        write_failure(warehouse, file, error)
        raise


def _counts(done: list[Brought]) -> dict[str, int]:
    counts = {
        name: sum(getattr(one, name) for one in done)
        for name in ("chats", "messages", "inserted", "updated", "quarantined")
    }
    return {"files": len(done), "unchanged_files": sum(one.is_unchanged for one in done), **counts}
