"""The special cases of the metric contract, each as a talk that was meant to show it.

Here: what happens in each case and when it may begin. Not here: how many of each there are (``generate``). Every case
leaves wide margins to targets and limits, so that small changes of a policy do not turn it into another case.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.emulators.shop.model import DAY, MINUTE, SECOND
from tests.emulators.shop.talks import Over, Talk

When = Literal["any", "work", "work_before_thursday_night", "weekend", "last_weekend"]
Where = Literal["any", "whatsapp", "instagram"]


@dataclass(frozen=True)
class Case:
    """One kind of talk: how many of a thousand talks it makes up, when and where it can begin."""

    play: Callable[[Talk], None]
    per_thousand: int
    when: When = "any"
    where: Where = "any"
    leaves_open: bool = False
    """The customer waits to the end: nobody writes in that chat soon."""
    is_regular: bool = False
    """Happens with people who are known already."""


def plain(talk: Talk) -> None:
    """A talk as most are, with the manager's habits."""
    talk.begin()
    talk.go_on()
    talk.end()


def outbound(talk: Talk) -> None:
    """The manager writes first."""
    talk.assign(talk.manager, talk.manager)
    talk.pass_time(2)
    talk.reply("outbound")
    if talk.random.random() < 0.75:
        talk.think()
        talk.ask("outbound_reply")
        talk.answer()
        talk.end()


def _middle(talk: Talk, share: float = 0.6) -> None:
    """Come to an open question: mostly the last one of a talk that went well until then."""
    talk.begin()
    if talk.random.random() < share:
        talk.work_time(talk.random.uniform(1, 6))
        talk.pass_time(5)
        talk.reply()
        talk.pass_time(talk.random.randrange(30, 900))
        talk.ask("also")


def slow(talk: Talk) -> None:
    """Answered, but far beyond the target."""
    _middle(talk, 0.5)
    talk.work_time(talk.random.uniform(45, 330))
    talk.reply()
    talk.go_on()
    talk.end()


def ignored(talk: Talk) -> None:
    """No answer within a whole working day; then a late one or none."""
    _middle(talk)
    asked = talk.at
    if talk.random.random() < 0.4:
        talk.pass_time(talk.random.randrange(1800, 12_000))
        talk.ask("push")
    if talk.random.random() < 0.5:
        talk.at = talk.hours.add(asked, talk.random.randrange(520, 900) * MINUTE)
        talk.pass_time(0)
        talk.reply()
        talk.builder.cases["answered_after_limit"] += 1


def expired(talk: Talk) -> None:
    """WhatsApp: the window of 24 hours passes over a weekend before a working day has."""
    talk.begin()
    if talk.random.random() < 0.35:
        talk.at = talk.hours.add(talk.at + 2 * DAY, talk.random.randrange(60) * MINUTE)
        talk.pass_time(0)
        talk.reply()
        talk.builder.cases["answered_after_limit"] += 1


def marked(talk: Talk) -> None:
    """A person decides that no answer is needed."""
    talk.begin("mark_before") if talk.chat.channel is not talk.people.instagram else _middle(talk)
    talk.work_time(talk.random.uniform(3, 60))
    talk.pass_time(9)
    mark = talk.random.choice(("#безответа", "#безответа", "#без ответа"))
    talk.builder.note(talk.dialog, talk.at, talk.manager, mark)
    if talk.random.random() < 0.6:
        talk.close()


def _failed(talk: Talk, entry: str) -> None:
    turned_out = 0 if talk.random.random() < 0.7 else talk.random.randrange(60, 3 * 3600) * SECOND
    code = talk.random.choice(("undeliverable", "recipient_blocked", "timeout", "media_download_error"))
    talk.builder.say(
        talk.dialog, talk.at, talk.manager, talk.text(entry, talk.manager), failed=talk.at + turned_out, error=code
    )


def failed_then_good(talk: Talk) -> None:
    """The first answer is not delivered, the second is."""
    _middle(talk, 0.3)
    entry = talk.fitting(talk.open[0])
    talk.work_time(talk.random.uniform(1, 8))
    talk.pass_time(8)
    _failed(talk, entry)
    talk.work_time(talk.random.uniform(2, 40))
    talk.reply(entry)
    talk.go_on()
    talk.end()


def failed_alone(talk: Talk) -> None:
    """The only answer is not delivered, and nobody notices."""
    talk.begin()
    talk.work_time(talk.random.uniform(2, 15))
    talk.pass_time(8)
    _failed(talk, talk.fitting(talk.open[0]))


def _replaced(talk: Talk) -> None:
    """The talk goes to a colleague, who knows nothing of it yet."""
    before = talk.manager
    talk.manager = talk.people.manager(talk.group, talk.world.week(talk.at), other_than=before)
    talk.assign(talk.manager, before)
    if talk.random.random() < 0.4:
        talk.builder.join(talk.dialog, talk.at, talk.manager)
        talk.builder.join(talk.dialog, talk.at + 60 * SECOND, before, left=True)


def transfer_long(talk: Talk) -> None:
    """A manager holds an open question far too long, then a colleague gets it."""
    _middle(talk, 0.4)
    talk.work_time(talk.random.uniform(42, 110))
    _replaced(talk)
    talk.work_time(talk.random.uniform(2, 12))
    talk.reply()
    talk.end()


def transfer_short(talk: Talk) -> None:
    """The question goes to a colleague at once."""
    _middle(talk, 0.4)
    talk.work_time(talk.random.uniform(2, 5))
    _replaced(talk)
    talk.work_time(talk.random.uniform(1, 15))
    talk.reply()
    talk.go_on()
    talk.end()


def transfer_answered(talk: Talk) -> None:
    """The talk changes hands while nobody waits."""
    talk.begin()
    talk.work_time(talk.random.uniform(1, 6))
    talk.pass_time(8)
    talk.reply()
    talk.pass_time(talk.random.randrange(60, 1500))
    _replaced(talk)
    talk.pass_time(talk.random.randrange(30, 1200))
    talk.ask("also")
    talk.work_time(talk.random.uniform(1, 20))
    talk.reply()
    talk.end()


def transfer_ignored(talk: Talk) -> None:
    """Handed over after a long time, and the colleague does not answer either."""
    talk.begin()
    talk.work_time(talk.random.uniform(42, 110))
    _replaced(talk)


def bot_handled(talk: Talk) -> None:
    """Instagram: the bot answers everything."""
    talk.ask("bot_faq_ask")
    talk.bot_welcome(is_handed_off=False)
    talk.pass_time(talk.random.randrange(2, 6))
    talk.bot("bot_faq_told")
    if talk.random.random() < 0.5:
        talk.pass_time(talk.random.randrange(20, 300))
        talk.ask("bot_more_ask")
        talk.pass_time(talk.random.randrange(2, 6))
        talk.bot("bot_more_told")
    if talk.random.random() < 0.4:
        talk.pass_time(talk.random.randrange(20, 200))
        talk.ask("thanks")
        talk.pass_time(talk.random.randrange(2, 6))
        talk.bot("bot_bye")
    if talk.random.random() < 0.6:
        talk.pass_time(talk.random.uniform(0.2, 12) * 3600)
        talk.builder.close(talk.dialog, talk.at)


def _asks_for_human(talk: Talk) -> None:
    talk.ask("bot_faq_ask")
    talk.bot_welcome(is_handed_off=False)
    talk.pass_time(talk.random.randrange(2, 6))
    talk.bot(talk.random.choice(("bot_unclear", "bot_faq_told")))
    talk.pass_time(talk.random.randrange(15, 120))
    talk.ask("human_please")


def human_request(talk: Talk) -> None:
    """The customer asks the bot for a person and gets one."""
    _asks_for_human(talk)
    talk.pass_time(talk.random.randrange(2, 6))
    talk.bot("human_coming")
    talk.pass_time(talk.random.randrange(2, 40))
    talk.assign(talk.manager)
    talk.flow = []
    talk.answer()
    talk.end()


def human_request_silent(talk: Talk) -> None:
    """The same, but nothing is written down: a manager simply begins to answer."""
    _asks_for_human(talk)
    talk.work_time(talk.random.uniform(4, 25))
    talk.pass_time(10)
    talk.reply()
    talk.pass_time(talk.random.randrange(30, 300))
    talk.builder.assign(talk.dialog, talk.at, talk.manager, talk.manager)
    talk.end()


def handoff_ignored(talk: Talk) -> None:
    """Handed over by the bot, and nobody answers for a working day."""
    talk.begin()


def handoff_late(talk: Talk) -> None:
    """The bot holds the customer for a long time before it hands over."""
    talk.ask("bot_faq_ask")
    talk.bot_welcome(is_handed_off=False)
    talk.pass_time(4)
    talk.bot("bot_unclear")
    talk.pass_time(talk.random.randrange(30, 200))
    talk.ask("also")
    talk.work_time(talk.random.uniform(40, 90))
    talk.bot("bot_stuck")
    talk.pass_time(5)
    talk.assign(talk.manager)
    talk.work_time(talk.random.uniform(2, 20))
    talk.reply()
    talk.end()


def handoff_transfer_long(talk: Talk) -> None:
    """Handed over by the bot, held too long by the first manager, answered by the second."""
    talk.begin()
    talk.work_time(talk.random.uniform(42, 100))
    _replaced(talk)
    talk.work_time(talk.random.uniform(2, 15))
    talk.reply()
    talk.end()


def unassigned_then_manager(talk: Talk) -> None:
    """Nobody's talk for a while, then somebody's."""
    talk.begin(assign=False)
    talk.work_time(talk.random.uniform(12, 70))
    talk.assign(talk.manager, talk.manager)
    talk.work_time(talk.random.uniform(1, 9))
    talk.pass_time(6)
    talk.reply()
    talk.go_on()
    talk.end()


def unassigned_forever(talk: Talk) -> None:
    """Nobody's talk, and nobody answers."""
    talk.begin(assign=False)


def assigned_to_nobody(talk: Talk) -> None:
    """Taken from a manager without giving it to another; a colleague finds it later."""
    talk.begin()
    talk.work_time(talk.random.uniform(14, 50))
    talk.assign(None, talk.manager)
    talk.work_time(talk.random.uniform(10, 60))
    talk.manager = talk.people.manager(talk.group, talk.world.week(talk.at), other_than=talk.manager)
    talk.assign(talk.manager, talk.manager)
    talk.pass_time(talk.random.randrange(40, 400))
    talk.reply()
    talk.end()


def assigned_to_nobody_forever(talk: Talk) -> None:
    """Taken from a manager, and nobody answers any more."""
    _middle(talk, 0.5)
    talk.work_time(talk.random.uniform(14, 50))
    talk.assign(None, talk.manager)


def closed_unanswered(talk: Talk) -> None:
    """The dialog is closed over an open question."""
    _middle(talk)
    talk.work_time(talk.random.uniform(10, 200))
    talk.builder.close(talk.dialog, talk.at, talk.manager)


def question_deleted(talk: Talk) -> None:
    """The customer takes his only question back before anybody answers."""
    row = talk.write(talk.text("mark_before"))
    row.deleted = row.created + talk.random.randrange(40, 600) * SECOND
    talk.pass_time(30)
    talk.assign(talk.manager)


def reply_deleted_early(talk: Talk) -> None:
    """An answer is deleted within seconds: it went to the wrong chat."""
    talk.begin()
    talk.work_time(talk.random.uniform(1, 7))
    talk.pass_time(8)
    row = talk.builder.say(talk.dialog, talk.at, talk.manager, talk.text("wrong_reply", talk.manager))
    row.deleted = row.created + talk.random.randrange(4, 50) * SECOND
    talk.work_time(talk.random.uniform(2, 25))
    talk.pass_time(60)
    talk.reply()
    talk.go_on()
    talk.end()


def reply_deleted_late(talk: Talk) -> None:
    """An answer is deleted hours later: the customer has read it."""
    talk.begin()
    talk.work_time(talk.random.uniform(1, 25))
    talk.pass_time(8)
    row = talk.reply()
    row.deleted = row.created + talk.random.randrange(3600, 40 * 3600) * SECOND
    talk.end()


def pending(talk: Talk) -> None:
    """Asked on the last Sunday: still open when the week is counted, answered on Monday morning."""
    talk.begin()
    talk.work_time(talk.random.uniform(2, 90))
    if talk.at < talk.world.start + talk.world.weeks * 7 * DAY + 8 * 60 * MINUTE:
        raise Over
    talk.reply()


CASES: dict[str, Case] = {
    "outbound": Case(outbound, 40, "work", is_regular=True),
    "slow": Case(slow, 62, "work"),
    "ignored": Case(ignored, 26, "work_before_thursday_night", "whatsapp", leaves_open=True),
    "expired": Case(expired, 26, "weekend", "whatsapp", leaves_open=True),
    "marked": Case(marked, 12, "work", "whatsapp", is_regular=True),
    "failed_then_good": Case(failed_then_good, 11, "work"),
    "failed_alone": Case(failed_alone, 7, "work_before_thursday_night", "whatsapp", leaves_open=True),
    "transfer_long": Case(transfer_long, 13, "work"),
    "transfer_short": Case(transfer_short, 11, "work"),
    "transfer_answered": Case(transfer_answered, 11, "work"),
    "transfer_ignored": Case(transfer_ignored, 7, "work_before_thursday_night", "whatsapp", leaves_open=True),
    "bot_handled": Case(bot_handled, 55, "any", "instagram"),
    "human_request": Case(human_request, 20, "any", "instagram"),
    "human_request_silent": Case(human_request_silent, 7, "work", "instagram"),
    "handoff_ignored": Case(handoff_ignored, 9, "work_before_thursday_night", "instagram", leaves_open=True),
    "handoff_late": Case(handoff_late, 7, "work", "instagram"),
    "handoff_transfer_long": Case(handoff_transfer_long, 7, "work", "instagram"),
    "unassigned_then_manager": Case(unassigned_then_manager, 15, "work", "whatsapp"),
    "unassigned_forever": Case(unassigned_forever, 7, "work_before_thursday_night", "whatsapp", leaves_open=True),
    "assigned_to_nobody": Case(assigned_to_nobody, 9, "work", "whatsapp"),
    "assigned_to_nobody_forever": Case(
        assigned_to_nobody_forever, 7, "work_before_thursday_night", "whatsapp", leaves_open=True
    ),
    "closed_unanswered": Case(closed_unanswered, 7, "work_before_thursday_night", "whatsapp", leaves_open=True),
    "question_deleted": Case(question_deleted, 8, "work", "whatsapp"),
    "reply_deleted_early": Case(reply_deleted_early, 8, "work", "whatsapp"),
    "reply_deleted_late": Case(reply_deleted_late, 8, "work"),
    "pending": Case(pending, 10, "last_weekend"),
}
