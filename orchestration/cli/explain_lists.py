"""How the list behind a number is drawn: as a table, as CSV, as JSON, with the words of the messages or without.

Here: cases turned into rows for people and machines. Not here: which cases (``resources.warehouse.evidence``), which
number was asked for (``explain``). Texts are masked whatever the policy lets out into sheets, and left out where it
lets out none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from conversations.messages import NO_MANAGER, NONE, OUTCOMES, Explain, Words, channel_title, minutes, short_name
from orchestration.cli import screen

if TYPE_CHECKING:
    import psycopg

    from conversations.policy import Policy
    from resources.warehouse.engine import Warehouse
    from resources.warehouse.evidence import Case, Evidence
    from resources.warehouse.evidence_figures import View
    from resources.warehouse.evidence_messages import Message

SHORT = 60
"""Characters of a message in the list."""


@dataclass
class Drawing:
    """What lists are drawn with: the session, the policy, the options of the command."""

    warehouse: Warehouse
    connection: psycopg.Connection[Any]
    policy: Policy
    as_csv: bool = False
    as_json: bool = False
    whole_texts: bool = False
    told: list[dict[str, Any]] = field(default_factory=list)
    """What ``--json`` prints in the end."""
    is_headed: bool = False
    """Whether the heading of ``--csv`` is printed."""

    def __post_init__(self) -> None:
        from resources.warehouse.evidence_messages import names

        self.zone = ZoneInfo(self.policy.time_zone)
        self.channels, self.people = names(self.connection)

    @property
    def is_for_people(self) -> bool:
        """Whether words and tables are printed."""
        return not (self.as_csv or self.as_json)

    def say(self, text: str, *, style: str | None = None) -> None:
        """A line for people; nothing where a machine reads."""
        if self.is_for_people:
            screen.say(text, style=style)

    def csv(self, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Lines of the one CSV document of ``--csv``; its heading is that of the first call."""
        from orchestration.cli.sql import write_csv, write_rows

        if self.is_headed:
            write_rows(rows)
        else:
            write_csv(headings, rows)
        self.is_headed = True

    def record(self, mart: str, period: str, figure: str | None = None) -> None:
        """Write down that words of customers are taken out in rows or whole (S15); to be called before they are shown.

        In a session of its own, committed at once: that of the command reads one state and writes nothing.
        """
        from resources.warehouse.audit import record

        if self.policy.exports.texts == "none" or (self.is_for_people and not self.whole_texts):
            return
        with self.warehouse.connect("otklik explain audit") as connection:
            record(connection, "explain_texts", " ".join(filter(None, (mart, period, figure))))

    def evidence(
        self, facts: Mapping[str, Any], found: Evidence, view: View, lead: Mapping[str, Any] | None = None
    ) -> None:
        """The list behind a number; ``facts`` say of which row it is, ``view`` whose it is.

        ``lead``: columns before those of the list in CSV, where several lists are one document.
        """
        if found.cases:
            self.record(facts["mart"], facts.get("period") or facts["week"], found.figure.name)
        texts = self._texts(found.cases)
        if self.as_csv:
            more = lead or {}
            rows = ([*more.values(), *self._told(case, texts).values()] for case in found.cases)
            self.csv((*more, *Explain.HEADINGS), rows)
        elif self.as_json:
            self.told.append({**facts, **_facts(found), "cases": [self._told(case, texts) for case in found.cases]})
        elif found.cases:
            self._table(found, texts, is_managers=view == "manager")

    def finish(self) -> None:
        """Print what ``--json`` has gathered."""
        if self.as_json:
            shown = self.told[0] if len(self.told) == 1 else self.told
            screen.write(f"{json.dumps(shown, ensure_ascii=False, default=_plain)}\n")

    def moment(self, instant: datetime | None) -> str:
        """Local time, as in the list."""
        return NONE if instant is None else f"{instant.astimezone(self.zone):%d.%m.%Y %H:%M}"

    def as_of(self, row: Mapping[str, Any]) -> str:
        """How far the figures of a row reach, and by which rules."""
        return Explain.AS_OF.format(self.moment(row["as_of"]), row["definition_version"])

    def channel(self, channel_id: str) -> str:
        """A channel by its id."""
        found = self.channels.get(channel_id)
        return channel_title(found.kind, found.name) if found is not None else channel_id

    def person(self, key: str | None) -> str:
        """A person by his key."""
        return NO_MANAGER if key in (None, "none") else self.people.get(str(key), str(key))

    def messages(self, conversation_id: str, message_ids: Sequence[str]) -> list[str]:
        """Messages of a chat as whole lines: when, who, what."""
        from resources.warehouse.evidence_messages import messages

        found = messages(self.connection, [(conversation_id, one) for one in message_ids])
        return [self.line(found[conversation_id, one]) for one in message_ids if (conversation_id, one) in found]

    def line(self, message: Message) -> str:
        """One message with its time and sender."""
        when = self.moment(message.sent_at) if message.sent_at is not None else NONE
        return f"{when} {Words.SENDERS.get(message.sender_kind, message.sender_kind)}: {self.words(message)}"

    def words(self, message: Message | None, longest: int | None = None) -> str:
        """The words of a message without contacts; what stands for it where it has none."""
        from conversations.redact import snippet

        if message is None or self.policy.exports.texts == "none":
            return ""
        if message.text is None:
            named = Words.CONTENTS.get(message.content_kind, message.content_kind)
            return Explain.TAKEN_BACK if message.content_kind == "text" else Explain.NO_TEXT.format(named)
        return snippet(message.text, longest)

    def _texts(self, cases: Sequence[Case]) -> dict[tuple[str, str], Message]:
        from resources.warehouse.evidence_messages import messages

        if self.whole_texts and self.is_for_people:
            wanted = [(case.conversation_id, one) for case in cases for one in case.message_ids]
        else:
            wanted = [(case.conversation_id, case.telling) for case in cases if case.telling is not None]
        return messages(self.connection, wanted)

    def _told(self, case: Case, texts: Mapping[tuple[str, str], Message]) -> dict[str, Any]:
        snippet = texts.get((case.conversation_id, str(case.telling)))
        values = (
            case.case_id, case.is_hit, case.at.astimezone(self.zone).isoformat(),
            case.until.astimezone(self.zone).isoformat() if case.until is not None else None, case.conversation_id,
            case.session_id,
            self.channel(case.channel_id), self.person(case.manager_key) if case.manager_key else None, case.what,
            case.business_seconds, case.seconds, " ".join(case.message_ids), self.words(snippet, 280),
        )  # fmt: skip
        return dict(zip(Explain.HEADINGS, values, strict=True))

    def _table(self, found: Evidence, texts: Mapping[tuple[str, str], Message], *, is_managers: bool) -> None:
        has_misses = found.hits < found.n
        is_business = found.figure.value is None or "business" in found.figure.value
        rows = []
        for number, case in enumerate(found.cases, 1):
            is_score = found.figure.kind == "score"
            what = Explain.short("score", case.value) if is_score else self._what(case, has_misses)
            if found.figure.source in ("waits", "behaviour", "pending") and not is_managers:
                what = f"{what}, {short_name(self.person(case.manager_key))}".removeprefix(", ")
            waited = case.business_seconds if is_business and case.business_seconds is not None else case.seconds
            rows.append(
                (
                    str(number),
                    self._when(case),
                    case.conversation_id,
                    Explain.HIT.format(what) if has_misses and case.is_hit else what,
                    minutes(waited) if waited is not None else "",
                    " ".join(case.message_ids),
                    self.words(texts.get((case.conversation_id, str(case.telling))), SHORT),
                )
            )
        drawn = screen.table(None, Explain.CASES, rows)
        for column in drawn.columns:
            column.vertical = "top"
        screen.show(drawn)
        screen.note(Explain.LEGEND.format(Explain.CLOCKS[is_business], self.policy.time_zone))
        if self.policy.exports.texts == "none":
            screen.note(Explain.NO_TEXTS)
        elif self.whole_texts:
            self._whole(found.cases, texts)

    def _whole(self, cases: Sequence[Case], texts: Mapping[tuple[str, str], Message]) -> None:
        for number, case in enumerate(cases, 1):
            screen.say(f"{number}. {case.conversation_id}", style="bold")
            for one in case.message_ids:
                message = texts.get((case.conversation_id, one))
                screen.say(f"   {one}: {self.line(message) if message is not None else NONE}")

    def _when(self, case: Case) -> str:
        begun = f"{case.at.astimezone(self.zone):%d.%m %H:%M}"
        if case.until is None:
            return begun
        until = case.until.astimezone(self.zone)
        is_same_day = until.date() == case.at.astimezone(self.zone).date()
        return f"{begun} – {until:%H:%M}" if is_same_day else f"{begun} – {until:%d.%m %H:%M}"

    def _what(self, case: Case, has_misses: bool) -> str:
        if case.why and not case.is_hit:
            return ", ".join(Explain.WHY_NOT_GOOD.get(one, one) for one in case.why)
        if case.what is not None:
            return OUTCOMES.get(case.what, Explain.WHATS.get(case.what, case.what))
        return Explain.WHATS["hit" if case.is_hit else "miss"] if has_misses else ""


def _facts(found: Evidence) -> dict[str, Any]:
    return {
        "figure": found.figure.name,
        "value": found.shown,
        "hits": found.hits if found.figure.kind == "share" else None,
        "n": found.n,
        "counted_from_list": found.counted,
        "list_adds_up": found.is_equal,
        "list_of_revision": found.revision,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
