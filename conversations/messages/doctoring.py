"""What ``otklik doctor`` says of telephony, checklists, prompts and the language model.

Not here: the names of the checks and everything else that it says (``output``).
"""

from __future__ import annotations

from typing import Final


class ScoringDoctor:
    """Details of a finding. `{}` is filled by the caller."""

    TELEPHONY: Final = "{}, вход по {}"
    LOGIN_PATH: Final = "TBANK_LOGIN_PATH должен начинаться с «/»: {}"
    PROMPTS: Final = "годных: {} ({})"
    NOBODY: Final = "в policy.yaml нет отделов, оценка чатов выключена: оценивать нечего"
    REQUIREMENTS: Final = "прочитаны: {}"
    LAST_GOOD: Final = "Действует последняя годная версия, если она была: otklik requirements"
    NO_KEY: Final = "LLM_API_KEY не задан: оценивают только правила"
    MODEL: Final = "{}, цена известна; {}"
    ANSWERS: Final = "ключ принят"
    NOT_ASKED: Final = "ключ без покупки не проверить"
    KEY_REFUSED: Final = "{}: ключ не принят (LLM_API_KEY)"
    NO_ANSWER: Final = "{}: {} не отвечает ({})"
