"""Exports of Telegram Desktop, JSON and HTML.

Here: the reader (``reader``), what a message says (``kinds``), ids (``keys``). Not here: reading the files
(``resources.imports.telegram_json``, ``resources.imports.telegram_html``).
"""

from conversations.imports.telegram.keys import is_person_id, is_vendor_key
from conversations.imports.telegram.kinds import meaning
from conversations.imports.telegram.reader import MOST_CHATS, NOT_CONVERSATIONS, TelegramReader

__all__ = ["MOST_CHATS", "NOT_CONVERSATIONS", "TelegramReader", "is_person_id", "is_vendor_key", "meaning"]
