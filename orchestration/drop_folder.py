"""Looks at the drop folder and asks for an import of each file that lies there complete.

Here: the sensor and what it remembers. Not here: what a folder may hold (``resources.imports.folder``), the import
(``assets.raw.imports``).

A file is complete when it has the same size and time as at the look before. Cursor, tags and keys hold hashes and
counts: the names of files are often names or numbers of people, so they are hashed with the installation's secret.
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from assets.raw.imports import FILE_TAG, IMPORTS
from conversations.keyed import PersonKeys
from orchestration.jobs import import_file
from resources.imports.errors import BadImport
from resources.imports.folder import UNREADABLE, Folder, folders
from resources.settings import Settings
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import WarehouseError
from resources.warehouse.person_keys import person_keys

SECONDS = 30
MOST_REQUESTS = 50
"""Files asked for at one look; the rest waits for the next one."""
MOST_BYTES = 1024 * 1024 * 1024
"""Read at one look to know contents; a look must end within a minute."""

Memory = dict[str, list[Any]]
"""By keyed hash of the name: size, time of change; once it was asked for, partition and hash of what was declared."""


@dataclass
class Look:
    """What one look found."""

    keys: Callable[[], PersonKeys]
    """Asked for at the first file: an empty folder starts no database."""
    memory: Memory = field(default_factory=dict)
    requests: list[dg.RunRequest] = field(default_factory=list)
    waiting: int = 0
    """Files that are not known to be complete yet."""
    unreadable: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    _bytes: int = 0

    def has_time(self, size: int) -> bool:
        """Whether a file of this size may still be read at this look; one always may."""
        return len(self.requests) < MOST_REQUESTS and (self._bytes == 0 or self._bytes + size <= MOST_BYTES)

    def take(self, folder: Folder, path: Path, before: Memory) -> None:
        """Look at one file."""
        name = folder.name_key(path, self.keys())
        try:
            found = path.stat()
            known = before.get(name)
            is_same = known is not None and known[:2] == [found.st_size, found.st_mtime_ns]
            if known is None or not is_same or found.st_size == 0 or not self.has_time(found.st_size):
                self.waiting += not is_same or known is None or known[2] is None
                kept = known if known is not None and is_same else [found.st_size, found.st_mtime_ns, None, None]
                self.memory[name] = kept
                return
            key = known[2]
            if key is None:
                self._bytes += found.st_size
                key = folder.key_of(path)
        except (OSError, BadImport):
            self.unreadable += 1
            return
        if known[3] != folder.declared_hash:
            # with the time: a file whose run failed for a passing reason is tried again once somebody touches it
            run_key = f"{key}-{folder.declared_hash[:12]}-{found.st_mtime_ns}"
            self.requests.append(dg.RunRequest(run_key=run_key, partition_key=key, tags={FILE_TAG: name}))
        self.memory[name] = [found.st_size, found.st_mtime_ns, key, folder.declared_hash]

    def words(self) -> str:
        """For people: counts, and what is wrong with the folders."""
        told = [f"{len(self.requests)} file(s) to import", f"{self.waiting} not complete yet"]
        if self.unreadable:
            told.append(f"{self.unreadable} cannot be read")
        return ", ".join(told) + "".join(f"; folder {name}: {why}" for name, why in self.refused.items())


def look_around(root: Path, before: Memory, keys: Callable[[], PersonKeys]) -> Look:
    """Look at every file of the drop folder.

    Raises:
        OSError: the drop folder cannot be read.
        WarehouseError: the secret for names cannot be had.
    """
    found, refused = folders(root)
    look = Look(keys, refused=refused)
    for folder in found:
        try:
            for path in folder.files():
                look.take(folder, path, before)
        except OSError:
            # one folder that cannot be read is no reason to pass over the others
            look.refused[folder.path.name] = UNREADABLE
    return look


_KEYS: dict[Path, PersonKeys] = {}
"""By home: no look but the first with a file asks the database."""


def _keys(settings: Settings) -> PersonKeys:
    home = settings.otklik_home
    if home not in _KEYS:
        with Warehouse.open(settings) as warehouse, warehouse.connect("otklik drop folder") as connection:
            _KEYS[home] = person_keys(connection)
    return _KEYS[home]


@dg.sensor(
    name="drop_folder",
    job=import_file,
    description="Every 30 s: a file that lies complete in a folder of OTKLIK_IMPORT_DIR is imported.",
    minimum_interval_seconds=SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def drop_folder(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Reads no setting but the folder's, and of the database the secret for names, once in the life of the process."""
    settings = Settings()
    root = settings.otklik_import_dir
    if root is None:
        return dg.SkipReason("OTKLIK_IMPORT_DIR is not set: no folder is looked at.")
    try:
        look = look_around(root, json.loads(context.cursor) if context.cursor else {}, partial(_keys, settings))
    except WarehouseError as error:
        return dg.SkipReason(f"Names of files can be kept only as keyed hashes, and the key is out of reach: {error}")
    except OSError as error:
        return dg.SkipReason(f"OTKLIK_IMPORT_DIR cannot be read: {error.strerror}.")
    keys = sorted({request.partition_key for request in look.requests if request.partition_key})
    return dg.SensorResult(
        run_requests=look.requests,
        skip_reason=None if look.requests else dg.SkipReason(look.words()),
        cursor=json.dumps(look.memory),
        dynamic_partitions_requests=[IMPORTS.build_add_request(keys)] if keys else [],
    )
