"""A published week for the tests of the digest: two managers, two channels, made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from conversations.delta import Delta, DeltaStatus
from conversations.digest import Change, Condition, Facts, Figures

LINK = "https://docs.google.com/spreadsheets/d/abc/edit?a=1&b=2"


def figures(name: str, in_target: int, slow: int, unanswered: int, pending: int = 0, **more: Any) -> Figures:
    """A row; the key is the name's first word."""
    given = {"group": "sales", "answered": in_target + slow, "reply_p50_business_seconds": 600.0, **more}
    settled = in_target + slow + unanswered
    return Figures(name.split()[0], name, settled=settled, in_target=in_target, slow=slow, unanswered=unanswered,
                   pending=pending, **given)  # fmt: skip


ANNA, BORIS = figures("Анна Петрова", 50, 20, 5, 1), figures("Борис Ким", 30, 10, 10, 4)
WHATSAPP = figures("WhatsApp Москва", 60, 20, 10, 3, group=None)
INSTAGRAM = figures("Instagram: Тёплый край", 20, 10, 5, 2, group=None)


def company(status: DeltaStatus = DeltaStatus.WORSENED, **more: Any) -> Delta:
    """80 of 125 after 100 of 125."""
    given = {"previous_value": 0.8, "previous_n": 125, "delta": -0.16, "low": -0.2, "high": -0.1, "p_value": 0.001}
    return Delta(status, 80 / 125, 125, **{**given, **more})  # type: ignore[arg-type]


def change(
    key: str = "Анна", metric: str = "in_target_share", status: DeltaStatus = DeltaStatus.WORSENED, **more: Any
) -> Change:
    """A headline of Anna's."""
    given = {"name": f"{key} Петрова", "value": 50 / 75, "n": 75, "previous_value": 0.84, "previous_n": 50,
             "delta": 50 / 75 - 0.84, "p_value": 0.001, "is_headline": True, "subject_kind": "manager"}  # fmt: skip
    return Change(key=key, metric=metric, status=status, **{**given, **more})


def facts(**more: Any) -> Facts:
    """A whole week without main changes."""
    whole = Facts(
        organisation="Тёплый край",
        week="2026-W46",
        monday=date(2026, 11, 9),
        time_zone="Europe/Moscow",
        as_of=datetime(2026, 11, 16, 5, 0, tzinfo=UTC),
        revision=1,
        company=company(),
        managers=[ANNA, BORIS],
        channels=[WHATSAPP, INSTAGRAM],
        changes=[],
        conditions=[Condition("WhatsApp Москва", "ok", "", False, 90), Condition("Instagram", "ok", "", False, 35)],
        trend=[("2026-W44", 70, 100), ("2026-W45", 100, 125), ("2026-W46", 80, 125)],
        targets=(600, 1800),
        link=LINK,
    )
    return replace(whole, **more)
