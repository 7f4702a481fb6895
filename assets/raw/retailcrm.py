"""RetailCRM's streams as raw tables, read through its APIs.

Here: the door, with the vendor's own counters beside the rows. Not here: what an asset does (``assets.raw.accounts``).
"""

from __future__ import annotations

from assets.raw.accounts import POOL, Door, stream_assets
from resources.accounts import RetailCRMAccount
from resources.sources.retailcrm import RetailCRMSource
from resources.warehouse.completeness import refresh_completeness

SOURCE = RetailCRMSource.name
DOOR = Door(SOURCE, RetailCRMSource.streams, RetailCRMAccount, refresh_completeness)
RETAILCRM_ASSETS = stream_assets(DOOR)

__all__ = ["DOOR", "POOL", "RETAILCRM_ASSETS", "SOURCE"]
