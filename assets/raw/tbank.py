"""The telephony's calls and transcripts as raw tables.

Here: the door. Not here: what an asset does (``assets.raw.accounts``).
"""

from __future__ import annotations

from assets.raw.accounts import Door, stream_assets
from resources.sources.tbank import TBankSource
from resources.tbank_account import TBankAccount
from resources.warehouse.tbank_context import refresh_tbank_completeness

SOURCE = TBankSource.name
DOOR = Door(SOURCE, TBankSource.streams, TBankAccount, refresh_tbank_completeness, last="transcripts")
TBANK_ASSETS = stream_assets(DOOR)
