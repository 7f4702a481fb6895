"""WhatsApp exports: a reader of lines, the meaning of a body, the title in a file's name.

Here: the package's public names. Words of all languages are data (``data/``).
"""

from conversations.imports.whatsapp.kinds import meaning
from conversations.imports.whatsapp.reader import WhatsAppReader
from conversations.imports.whatsapp.titles import title_of

__all__ = ["WhatsAppReader", "meaning", "title_of"]
