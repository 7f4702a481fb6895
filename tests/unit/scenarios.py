"""Random customers: chats, messages, events, policies and moments to look at them, for the property tests.

Here: strategies. Times come from a coarse grid on purpose: targets, limits, closing times and windows are hit exactly
far more often than by chance. Not here: what is expected of a scenario.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from conversations.timeline import SECOND, Chat, Contact, Instant, TimedEvent, TimedMessage
from tests.oracle.policy import CalendarVersion, ChannelSettings, Choices, Hours, OraclePolicy
from tests.unit.judging import at, message

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

DELTAS = (
    (0,) * 6
    + (1, 5, 30, 59, 60, 61, MINUTE * 5, MINUTE * 10, MINUTE * 10 + 1, MINUTE * 15, MINUTE * 20, MINUTE * 30)
    + (MINUTE * 30 + 1, MINUTE * 60, MINUTE * 60 - 1, MINUTE * 90, HOUR * 2, HOUR * 4, HOUR * 8, HOUR * 12)
    + (DAY - 1, DAY, DAY + 1, 2 * DAY, 7 * DAY, 8 * DAY, 31 * DAY)
)

WEEKDAY: Hours = ((540, 780), (840, 1080))
LUNCH = CalendarVersion("Europe/Moscow", (WEEKDAY,) * 5 + (((600, 900),), ()))
ROUND_THE_CLOCK = CalendarVersion("Europe/Moscow", (((0, 1440),),) * 7)

CALENDARS: dict[str, tuple[CalendarVersion, ...]] = {
    "lunch": (replace(LUNCH, exceptions={date(2026, 4, 30): ((540, 780), (840, 1020)), date(2026, 5, 1): ()}),),
    "night": (CalendarVersion("Europe/Berlin", (((1320, 1800),),) * 6 + ((),), {date(2026, 3, 28): ((1200, 1620),)}),),
    "almaty": (CalendarVersion("Asia/Almaty", (((540, 1080),),) * 7),),
    "round": (ROUND_THE_CLOCK,),
    "changing": (
        LUNCH,
        CalendarVersion(
            "Europe/Moscow", (((1200, 1560), (600, 1230)),) * 7, {date(2026, 4, 30): ()}, date(2026, 4, 29)
        ),
    ),
    "new_york": (CalendarVersion("America/New_York", (((60, 180), (480, 1020)),) * 7),),
}

STARTS = (
    at("2026-04-27 09:00"),
    at("2026-04-29 17:00"),
    at("2026-04-30 12:50"),
    at("2024-02-29 17:30", "Asia/Almaty"),
    at("2026-03-28 21:00", "Europe/Berlin"),
    at("2025-11-01 23:00", "America/New_York"),
    at("2026-03-07 23:30", "America/New_York"),
)

MANAGERS = ("anna", "boris", "vera")
TEAMS = {"anna": "sales", "boris": "care"}

TEXTS = (
    "Сколько стоит доставка?",
    "у вас есть 42 размер",
    "спасибо",
    "Спасибо!",
    "ок 👍🏽",
    "Хорошо, спасибо.",
    "спасибо 42",
    "ок?",
    "спасибо, договорились, хорошо, ок",
    "позовите оператора",
    "нужен живой человек",
    "👍",
    "...",
    "",
    None,
)


def _clock(instant: Instant | None) -> str:
    return "never" if instant is None else str(datetime.fromtimestamp(instant / SECOND, ZoneInfo("Europe/Moscow")))[:-6]


@dataclass(frozen=True, repr=False)
class Scenario:
    """A customer, the policy and the moment at which he is judged."""

    contact: Contact
    policy: OraclePolicy
    as_of: Instant

    def __repr__(self) -> str:
        """The story in the order of time, what differs from a plain message beside it."""
        plain = message("", "", 0, "")._asdict()
        lines = [f"as_of {_clock(self.as_of)}, {[tuple(chat) for chat in self.contact.chats]}"]
        for row in sorted((*self.contact.messages, *self.contact.events), key=lambda row: repr(row[3])):
            fields = {name: value for name, value in row._asdict().items() if plain.get(name, "") != value}
            shown = {name: _clock(value) if name.endswith("at") else value for name, value in fields.items()}
            lines.append(" ".join(f"{name}={value}" for name, value in shown.items()))
        policy = {name: value for name, value in vars(self.policy).items() if getattr(OraclePolicy(), name) != value}
        policy.pop("calendars", None)
        return "\n".join([*lines, repr(policy)])


@st.composite
def channel_settings(draw: st.DrawFn, valid_from: date | None = None, bots: bool | None = None) -> ChannelSettings:
    """Small limits make for many settlements in a short story."""
    return ChannelSettings(
        target=draw(st.sampled_from((30, 20, 60))) * MINUTE,
        first_target=draw(st.sampled_from((10, 30, 60))) * MINUTE,
        limit=draw(st.sampled_from((60, 90, 480, 2000))) * MINUTE,
        missed_call_target=draw(st.sampled_from((15, 30))) * MINUTE,
        missed_call_limit=draw(st.sampled_from((60, 480))) * MINUTE,
        window=draw(st.sampled_from((None, None, HOUR, 2 * HOUR, 24 * HOUR))),
        bot_can_resolve=draw(st.booleans()) if bots is None else bots,
        valid_from=valid_from,
    )


@st.composite
def choices(draw: st.DrawFn) -> Choices:
    """A calendar, sometimes another one from a day on."""
    first = draw(st.sampled_from(sorted(CALENDARS)))
    if draw(st.integers(0, 4)):
        return ((None, first),)
    return ((None, first), (date(2026, 4, 28), draw(st.sampled_from(sorted(CALENDARS)))))


@st.composite
def policies(draw: st.DrawFn, bots: bool | None = None) -> OraclePolicy:
    """An organisation with two kinds of channels, two teams and any calendars, or none."""
    channels = {}
    for kind in ("wa", "ig"):
        versions = [draw(channel_settings(bots=bots))]
        if draw(st.integers(0, 5)) == 0:
            versions.append(draw(channel_settings(date(2026, 4, 28), bots)))
        channels[kind] = tuple(versions)
    maybe = st.one_of(st.just(()), choices(), choices())
    teams = {team: draw(maybe) for team in ("sales", "care")} if draw(st.booleans()) else {}
    kinds = {"wa": draw(maybe)} if draw(st.booleans()) else {}
    named = [None, *(team for team, chosen in teams.items() if chosen)]
    moves = {}
    if draw(st.integers(0, 2)) == 0:
        days = draw(st.sampled_from(((None,), (date(2026, 4, 28),), (None, date(2026, 4, 28), date(2026, 4, 29)))))
        moves["anna"] = tuple((day, draw(st.sampled_from(named))) for day in days)
    persons = {}
    if not moves and draw(st.integers(0, 2)) == 0:
        persons["one"] = draw(st.sampled_from((("anna", "vera"), ("vera", "boris"), ("boris", "anna"))))
    return OraclePolicy(
        zone=draw(st.sampled_from(("Europe/Moscow", "Europe/Moscow", "Asia/Almaty"))),
        calendars=CALENDARS,
        organisation_calendars=draw(maybe),
        team_calendars={team: chosen for team, chosen in teams.items() if chosen},
        channel_calendars={kind: chosen for kind, chosen in kinds.items() if chosen},
        manager_teams=TEAMS,
        moves=moves,
        persons=persons,
        channels=channels,
        session_idle=draw(st.sampled_from((1, 2, 24, 24))) * HOUR,
        late_reply=draw(st.sampled_from((1, 7))) * DAY,
        new_contact=draw(st.sampled_from((1, 30))) * DAY,
        early_delete=draw(st.sampled_from((60, 60, 1800))),
    )


ASKS = ("customer", "customer", "customer", "manager")
EVERYTHING = (
    *("customer",) * 9,
    *("manager",) * 6,
    *("bot",) * 3,
    *("autoreply", "system", "campaign", "campaign", "note", "reaction", "customer_reaction", "failed", "failed"),
    *("call_in", "missed_call", "missed_call", "call_out", "call_out_unanswered", "private", "sticker", "media"),
    *("assigned",) * 4,
    *("handoff", "handoff", "closed", "closed", "closed", "no_reply_needed"),
)
THEMES = (
    EVERYTHING,
    EVERYTHING,
    (*ASKS, "assigned", "assigned", "assigned"),
    (*ASKS, "assigned", "handoff", "bot"),
    (*ASKS, "bot", "bot", "handoff", "closed", "autoreply"),
    (*ASKS, "closed", "closed", "failed", "campaign"),
    (*ASKS, "manager", "missed_call", "call_in", "call_out", "call_out_unanswered", "closed"),
    (*ASKS, "manager", "media", "sticker", "reaction", "customer_reaction", "no_reply_needed"),
)
"""Each story keeps to one theme: a transfer or a hand-off needs several rare things in a row."""

STEP = st.tuples(
    st.sampled_from(DELTAS),
    st.integers(0, len(EVERYTHING) - 1),  # which action of the theme
    st.integers(0, 5),  # which chat: 0-3 the first
    st.sampled_from((*MANAGERS, "anna", "boris", None)),
    st.sampled_from(TEXTS),
    st.integers(0, 15),  # trouble: deletions, versions, fractions of a second, skew
    st.sampled_from((0, 0, 1, 30, 59, 60, 600, 1800, 7200)),  # seconds to a deletion
)


@st.composite
def contacts(draw: st.DrawFn, min_steps: int = 1, max_steps: int = 14) -> tuple[Contact, list[Instant]]:
    """A customer with up to three chats, and the instants of his story."""
    steps = draw(st.lists(STEP, min_size=min_steps, max_size=max_steps))
    theme = draw(st.sampled_from(THEMES))
    number = draw(st.sampled_from((1, 1, 2, 3)))
    sequences = [draw(st.sampled_from(("none", "none", "all", "skewed", "some"))) for _ in range(number)]
    untimed = draw(st.integers(0, 20)) == 0
    chats = tuple(
        Chat(f"chat{index}", ("acc0", "acc0", "acc1")[index], ("wa", "wa", "ig")[index], untimed and index == 1)
        for index in range(number)
    )
    now = draw(st.sampled_from(STARTS))
    messages: list[TimedMessage] = []
    events: list[TimedEvent] = []
    instants = []
    for count, (delta, choice, which, manager, text, trouble, to_deletion) in enumerate(steps):
        action = theme[choice % len(theme)]
        now += delta * SECOND
        index = (0, 0, 0, 0, 1, 2)[which] % number
        when = now + (300_000 if trouble == 1 else 0)
        instants.append(when)
        chat_id = chats[index].conversation_id
        if action in ("assigned", "handoff", "closed", "no_reply_needed"):
            assignee = manager if action == "assigned" else None
            events.append(TimedEvent(chat_id, f"e{count:02d}", when, action, assignee))
            continue
        sequence = None if sequences[index] == "none" or (sequences[index] == "some" and trouble == 2) else count
        if sequences[index] == "skewed" and trouble in (3, 4, 5):
            when += (-90, 45, 700)[trouble - 3] * SECOND
        row = _message(action, chat_id, f"m{(count * 7) % 10}{count:02d}", when, manager, text)
        row = row._replace(source_seq=sequence)
        if trouble in (6, 7, 8) and row.content_kind != "call":
            row = row._replace(deleted_at=when + to_deletion * SECOND)
        messages.append(row)
        if trouble == 9:
            later = row._replace(
                ingested_at=row.ingested_at + SECOND, edited_at=when + SECOND, text="ок", sent_at=when + 5
            )
            messages.append(later)
        if trouble == 10:
            messages.append(row._replace(edited_at=when + SECOND, text="ок"))
        if trouble == 11 and untimed:
            messages[-1] = row._replace(sent_at=None)
    return Contact(chats, messages, events), instants


def _message(
    action: str, chat: str, message_id: str, when: Instant, manager: str | None, text: str | None
) -> TimedMessage:
    if action == "manager":
        return message(chat, message_id, when, "manager", manager_id=manager)
    if action == "failed":
        return message(chat, message_id, when, "manager", manager_id=manager, delivery_status="failed")
    if action == "reaction":
        return message(chat, message_id, when, "manager", manager_id=manager, content_kind="reaction")
    if action == "customer_reaction":
        return message(chat, message_id, when, "customer", content_kind="reaction", text="👍")
    if action == "private":
        return message(chat, message_id, when, "manager", manager_id=manager, is_public=False)
    if action in ("sticker", "media"):
        return message(chat, message_id, when, "customer", content_kind=action, text=None)
    if action in ("call_in", "missed_call"):
        answered = action == "call_in"
        who = manager if answered else None
        return message(
            chat, message_id, when, "customer", content_kind="call", text=None, manager_id=who, call_answered=answered
        )
    if action in ("call_out", "call_out_unanswered"):
        return message(
            chat,
            message_id,
            when,
            "manager",
            content_kind="call",
            manager_id=manager,
            call_answered=action == "call_out",
        )
    return message(chat, message_id, when, action, text=text if action == "customer" else None)


@st.composite
def scenarios(draw: st.DrawFn, bots: bool | None = None, max_steps: int = 14) -> Scenario:
    """A customer looked at somewhere in the middle, at the end, or long after it."""
    contact, instants = draw(contacts(max_steps=max_steps))
    moments = (instants[-1] + 40 * DAY * SECOND, instants[-1] + 40 * DAY * SECOND, instants[-1], instants[-1] + HOUR)
    as_of = draw(st.sampled_from((*moments, *instants)))
    return Scenario(contact, draw(policies(bots)), as_of)
