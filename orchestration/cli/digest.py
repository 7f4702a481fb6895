"""``otklik digest``: Monday's digest shown, written into files, or put into the outbox by hand.

Here: arguments, files, what is said. Not here: the digest (``conversations``), its rows and its queue
(``resources.digest``), who sends it (``otklik watch``).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from conversations.messages import Errors
from conversations.messages.digest import LONGEST, Digests, late_data, plain_text, telegram_text, units
from conversations.window import monday_of
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError

if TYPE_CHECKING:
    from conversations.digest import Digest, Facts
    from conversations.policy import Policy
    from resources.digest import Addressed
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse


def digest(
    week: str | None,
    *,
    html: Path | None = None,
    pdf: Path | None = None,
    picture: Path | None = None,
    send: bool = False,
    again: bool = False,
) -> None:
    """Show the digest of a week, the newest published one without ``week``; write and queue what is asked for.

    Raises:
        CliError: no such week, nobody to send it to, a file cannot be written, or what was to be sent contradicts
            itself or is too long for the messenger.
    """
    from conversations.digest import digest_of, is_untold
    from conversations.policy import Policy
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse

    if again and not send:
        raise CliError(Digests.AGAIN_ALONE, EXIT_USAGE)
    settings = Settings()
    if week is not None:
        _check_week(week)
    policy = Policy.load(settings.policy_path)
    with Warehouse.open(settings) as warehouse:
        to = _addressed(warehouse, settings, policy)
        made = digest_of(_facts(warehouse, week, policy, to.link))
        screen.say(plain_text(telegram_text(made)))
        if is_untold(made.facts.conditions):
            screen.say(Digests.INCOMPLETE_SENT if again else Digests.INCOMPLETE, style="yellow")
        _write(made, html, pdf, picture)
        if send:
            _send(warehouse, made, to, again=again)


def _check_week(week: str) -> None:
    try:
        monday_of(week)
    except ValueError:
        raise CliError(Errors.WEEK.format(week), EXIT_USAGE) from None


def _addressed(warehouse: Warehouse, settings: Settings, policy: Policy) -> Addressed:
    from resources.digest import addressed
    from resources.warehouse.roles import Role

    with warehouse.as_role(Role.LOADER).connect() as connection:
        return addressed(settings, policy, connection)


def _facts(warehouse: Warehouse, week: str | None, policy: Policy, link: str | None) -> Facts:
    from resources.digest import read
    from resources.warehouse.digests import NotPublished
    from resources.warehouse.roles import Role

    try:
        return read(warehouse.as_role(Role.PUBLISHER), week, policy, link)
    except NotPublished:
        raise CliError(Digests.NOTHING if week is None else Digests.NO_WEEK.format(week, week)) from None


def _write(made: Digest, html: Path | None, pdf: Path | None, picture: Path | None) -> None:
    if html is None and pdf is None and picture is None:
        return
    from conversations.digest_report import report_of
    from resources import report as drawn
    from resources.picture import picture as paint

    report = report_of(made)
    image = paint(made) if html is not None or picture is not None else b""
    for path, content in (
        (html, lambda: drawn.page(report, image).encode("utf-8")),
        (pdf, lambda: drawn.pdf(report)),
        (picture, lambda: image),
    ):
        if path is not None:
            try:
                path.write_bytes(content())
            except OSError as error:
                raise CliError(Digests.NOT_WRITTEN.format(path, error.strerror)) from error
            screen.say(Digests.WRITTEN.format(path))


def _send(warehouse: Warehouse, made: Digest, to: Addressed, *, again: bool) -> None:
    """Queue it under the rules of the asset; a person may overrule incomplete data, but neither of its two checks."""
    from conversations.digest import is_untold
    from resources.digest import enqueue, enqueue_again, enqueue_late
    from resources.picture import picture as paint
    from resources.warehouse.roles import Role

    if not to.chats:
        raise CliError(Digests.NO_CHATS)
    week, text, publisher = made.facts.week, telegram_text(made), warehouse.as_role(Role.PUBLISHER)
    _refuse(made.facts, text)
    if is_untold(made.facts.conditions) and not again:
        told = enqueue_late(publisher, week, to, late_data(made.facts.conditions), is_published=True, by_hand=True)
        screen.say(Digests.QUEUED_LATE.format(told, len(to.chats)))
        return
    if again:
        enqueue_again(publisher, week, to.chats, text, paint(made))
        queued = dict.fromkeys(to.chats, True)
    else:
        queued = enqueue(publisher, week, to.chats, text, paint(made), by_hand=True)
    for chat, is_new in queued.items():
        screen.say(Digests.QUEUED.format(chat) if is_new else Digests.ALREADY.format(chat, week, week))


def _refuse(facts: Facts, text: str) -> None:
    from conversations.digest import contradictions

    wrong = contradictions(facts)
    if wrong:
        raise CliError(Digests.CONTRADICTS.format(facts.week, len(wrong), facts.week))
    if units(text) > LONGEST:
        raise CliError(Digests.TOO_LONG.format(facts.week, units(text), LONGEST))
