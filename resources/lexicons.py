"""The lexicons in force: the folder that ``OTKLIK_LEXICON_DIR`` names, else those that come with the product.

Here: which folder. Not here: what is in it (``conversations.lexicon``).
"""

from __future__ import annotations

from conversations.lexicon import Lexicon
from resources.settings import PROJECT_ROOT, Settings


def load_lexicon(settings: Settings) -> Lexicon:
    """Read and compile them; about half a second of CPU.

    Raises:
        LexiconError: the folder cannot be used; names file, entry and what is wrong.
    """
    folder = settings.otklik_lexicon_dir
    # a relative folder is one of the project, wherever the process was started
    return Lexicon.default() if folder is None else Lexicon.load(PROJECT_ROOT / folder.expanduser())
