"""The streams of the CRM's own chats page as raw tables, read by replaying a captured session.

Here: the door. Not here: what an asset does (``assets.raw.accounts``).
"""

from __future__ import annotations

from assets.raw.accounts import Door, stream_assets
from resources.accounts import RetailCRMWebAccount
from resources.sources.retailcrm_web import RetailCRMWebSource
from resources.warehouse.web_completeness import refresh_web_completeness

SOURCE = RetailCRMWebSource.name
DOOR = Door(SOURCE, RetailCRMWebSource.streams, RetailCRMWebAccount, refresh_web_completeness)
RETAILCRM_WEB_ASSETS = stream_assets(DOOR)
