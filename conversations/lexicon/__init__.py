"""What customers and managers say: intents in single messages, by lexicons that people can edit.

Here: reading lexicons (``data/*.yaml``), finding them in a text, the evidence for every hit. Pure: no clock, no store,
no state but remembered words. Not here: what a session makes of its messages (metric contract, section 5).
"""

from conversations.lexicon.engine import Hit, Lexicon, Place, Reading
from conversations.lexicon.reading import INTENTS, PURCHASE_INTENTS, LexiconError, Side

__all__ = ["INTENTS", "PURCHASE_INTENTS", "Hit", "Lexicon", "LexiconError", "Place", "Reading", "Side"]
