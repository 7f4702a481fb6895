"""One talk, from the first message to the closing of its dialog: who writes when, in which order, in what words.

Here: the mechanics of a normal talk, which the special cases (``scenarios``) are made of.
"""

from __future__ import annotations

from random import Random
from typing import Any

from tests.emulators.shop.items import Items
from tests.emulators.shop.model import DAY, HOUR, MINUTE, SECOND, Bot, Chat, Message, Order, User
from tests.emulators.shop.people import People
from tests.emulators.shop.words import Words

# what a manager says to a question; also the line of the answer that belongs to the line of the question
ANSWERS = {
    "ask_have": "have_yes",
    "ask_price": "price_told",
    "ask_price_first": "price_told",
    "ask_fit": "fit_told",
    "ask_delivery": "delivery_told",
    "take_it": "order_made",
    "take_other": "order_made",
    "take_none": "no_problem",
    "where_order": "order_status",
    "ask_more_order": "more_order_told",
    "ask_return": "return_told",
    "ask_return_more": "return_more_told",
    "complain": "complain_told",
    "complain_more": "complain_more_told",
    "ask_pay": "pay_told",
    "ask_pay_more": "pay_more_told",
    "ask_store": "store_told",
    "ask_store_more": "store_more_told",
    "ask_gift": "gift_told",
    "ask_gift_more": "gift_more_told",
    "ask_care": "care_told",
    "also": "also_told",
    "outbound": "outbound_reply",
    "outbound_reply": "outbound_told",
    "bot_faq_ask": "bot_faq_told",
    "bot_more_ask": "bot_more_told",
    "mark_before": "bye",
    "thanks_long": "bye",
}
_PAIRED = {
    answer: question for question, answer in ANSWERS.items() if answer not in ("price_told", "order_made", "bye")
}


class Over(Exception):
    """The talk has reached the end of what is generated."""


class World:
    """What all talks share."""

    def __init__(self, team: People, start: int, weeks: int, horizon: int) -> None:
        self.people = team
        self.builder = team.builder
        self.random: Random = team.random
        self.start, self.weeks, self.horizon = start, weeks, horizon
        self.words = {language: Words(language, self.random) for language in ("ru", "kk")}

    def week(self, at: int) -> int:
        return min(max((at - self.start) // (7 * DAY), 0), self.weeks - 1)


class Talk(Items):
    """One matter of one customer. ``at`` is the moment of the last thing that happened."""

    def __init__(self, world: World, chat: Chat, at: int, *, returning: bool = False) -> None:
        self.world, self.chat, self.at = world, chat, at
        self.random, self.builder, self.people = world.random, world.builder, world.people
        self.customer = chat.customer
        self.words = world.words[self.customer.language]
        self.russian = world.words["ru"]
        self.facts: dict[str, Any] = self.people.facts(self.customer)
        names = list(self.words.topics)
        topic = self.words.topics[self.random.choices(names, [self.words.topics[n]["weight"] for n in names])[0]]
        self.flow: list[str] = list(self.random.choice(topic["flows"]))
        group = "almaty" if chat.channel is self.people.almaty else topic["team"]
        self.group = group
        self.hours = self.people.hours[group]
        self.manager = self.people.manager(group, world.week(at))
        self.facts["hours"] = (
            "с 9 до 21, в выходные с 10 до 18" if group == "care" else "с 9 до 18, в субботу с 10 до 15"
        )
        self.returning = returning
        self.asked: int | None = None
        self.open: list[str] = []
        """Questions that the customer has put and nobody has answered."""
        self._lines: dict[str, int] = {}
        self.order: Order | None = None
        self.is_greeted = False
        self._not_before = at
        self.dialog = self.builder.dialog(chat, at)

    # ---- moves ------------------------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Let calendar time go by."""
        self.at += int(seconds * SECOND)
        if self.at > self.world.horizon:
            raise Over

    def work_time(self, minutes: float) -> None:
        """Let opening time of the manager's office go by."""
        self.at = self.hours.add(self.at, int(minutes * MINUTE))
        if self.at > self.world.horizon:
            raise Over

    def text(self, entry: str, who: User | Bot | None = None) -> str:
        """Words of a customer (``who`` is ``None``) or of the shop, in the language of the talk where there are any."""
        words = self.words if entry in self.words else self.russian
        line = self._lines.get(_PAIRED.get(entry, ""))
        if who is None:
            said, self._lines[entry] = words.say(entry, self.facts, self.customer.is_male, line)
            return said if entry in ("thanks", "push") else words.typed(said)
        is_male = isinstance(who, User) and self.people.habits[who.id].is_male
        facts = {**self.facts, "mname": who.first_name} if isinstance(who, User) else self.facts
        if self.is_greeted:
            facts["mhi"] = ""
        self.is_greeted = self.is_greeted or isinstance(who, User)
        said, self._lines[entry] = words.say(entry, facts, is_male, line)
        return said

    def ask(self, entry: str) -> Message:
        """The customer writes."""
        text = self.text(entry)
        if entry in ANSWERS:
            self.open.append(entry)
        if self.returning:
            self.returning = False
            self.write(self.text("returning"))
            self.pass_time(self.random.randrange(4, 40))
        return self.write(text)

    def write(self, text: str | None, **more: Any) -> Message:
        """The customer writes these words."""
        if self.asked is None:
            self.asked = self.at
        # telephones without a net: the gateway gets it much later
        delay = self.random.randrange(5 * 60, 180 * 60) * SECOND if self.random.random() < 0.004 else 0
        delay = min(delay, max(self.world.horizon - self.at, 0))
        self.builder.cases["late_arrival"] += delay > 0
        return self.builder.say(self.dialog, self.at, self.customer, text, delay=delay, **more)

    def reply(self, entry: str | None = None, **more: Any) -> Message:
        """The manager writes now: ``entry``, or what answers the open questions."""
        self.asked = None
        if entry is None:
            entry = self.fitting(self.open[0] if self.open else "also")
        rest = [question for question in self.open if ANSWERS[question] != entry and question == "also"]
        if entry != "wait_a_bit":
            self.open = []
        row = self.builder.say(self.dialog, self.at, self.manager, self.text(entry, self.manager), **more)
        if rest and entry not in ("wait_a_bit", "order_made"):
            self.pass_time(self.random.randrange(9, 45))
            self.builder.say(self.dialog, self.at, self.manager, self.text("also_told", self.manager))
        return row

    def fitting(self, question: str) -> str:
        """The answer that the flow has for a question, which is then given and not left in the flow."""
        for position, step in enumerate(self.flow):
            kind, _, entry = step.partition(" ")
            if kind[0] == "c" or question == "also":
                break
            if kind[0] == "m" and entry != "wait_a_bit":
                del self.flow[: position + 1]
                return entry
        return ANSWERS[question]

    def bot(self, entry: str, who: Bot | None = None) -> Message:
        """A bot writes now."""
        who = who or self.people.sonya
        return self.builder.say(self.dialog, self.at, who, self.text(entry, who))

    def assign(self, to: User | Bot | None, by: User | None = None) -> None:
        self.builder.assign(self.dialog, self.at, to, by)

    def think(self) -> None:
        """The customer takes his time, now and then until the next day."""
        roll = self.random.random()
        self.pass_time(self.random.uniform(1, 15) * 3600 if roll < 0.05 else 12 + self.random.lognormvariate(4.2, 1.1))

    def wait_for_reply(self) -> None:
        """The manager gets round to the open question, by his habits."""
        world, random = self.world, self.random
        habit = self.people.habits[self.manager.id]
        asked = self.asked if self.asked is not None else self.at
        if random.random() < habit.forgets:
            minutes = random.uniform(90, 700)
        else:
            minutes = random.lognormvariate(0.0, 1.45) * habit.median(world.week(self.at), world.weeks)
        late = (asked + self.hours.offset) % DAY
        if not self.hours.is_open(asked) and 8 * HOUR < late < 22 * HOUR and random.random() < 0.12:
            # some answer from home in the evening
            self.builder.cases["reply_outside_hours"] += 1
            self.at = max(self.at, asked) + int(minutes * MINUTE)
        else:
            self.at = self.hours.add(asked, int(minutes * MINUTE))
        self.at = max(self.at, asked + 10 * SECOND, self._last() + 6 * SECOND, self._not_before + 9 * SECOND)
        if self.at > world.horizon:
            raise Over

    def _last(self) -> int:
        return max((m.time for m in self.builder.messages[-6:] if m.dialog is self.dialog), default=self.at)

    # ---- beginnings -------------------------------------------------------------------------------------------

    def begin(self, entry: str | None = None, *, assign: bool = True) -> None:
        """The first message of the customer and what the machines do about it."""
        steps = self.flow
        if entry is None:
            while steps[0] == "i":
                steps.pop(0)
                self.picture()
                self.pass_time(self.random.randrange(3, 30))
            entry = steps.pop(0).split()[1]
        self.ask(entry)
        if self.chat.channel is self.people.instagram:
            self.bot_welcome()
            return
        opened = self.hours.is_open(self.at)
        moment = self.at
        if not opened or self.random.random() < 0.22:
            self.at += self.random.randrange(2, 7) * SECOND
            is_lunch = not opened and self.hours.is_open(self.at + HOUR) and self.hours.is_open(self.at - HOUR)
            kind = "autoreply_day" if opened else "autoreply_lunch" if is_lunch else "autoreply_night"
            self.bot(kind, self.people.answering)
            self.builder.cases[kind] += 1
        if self.random.random() < 0.3:
            self.pass_time(self.random.randrange(8, 90))
            if self.random.random() < 0.25:
                self.ask("push" if self.random.random() < 0.2 else "also")
            else:
                self.picture()
        if assign:
            at = max(self.at, moment + self.random.randrange(2, 100) * SECOND)
            if not opened and self.random.random() < 0.4:
                at = self.hours.add(self.at, self.random.randrange(1, 400) * SECOND)
            if at > self.world.horizon:
                raise Over
            self.builder.assign(self.dialog, at, self.manager)
            self._not_before = at

    def bot_welcome(self, is_handed_off: bool = True) -> None:
        """Instagram: the bot takes the talk and, unless told otherwise, hands it to the manager."""
        self.at += SECOND
        self.assign(self.people.sonya)
        self.pass_time(self.random.randrange(1, 5))
        self.bot("bot_hi")
        if not is_handed_off:
            return
        self.builder.cases["handoff"] += 1
        self.pass_time(self.random.randrange(6, 40))
        if self.random.random() < 0.3:
            self.bot("bot_unclear")
            self.pass_time(self.random.randrange(10, 90))
            self.ask("also") if self.random.random() < 0.4 else self.picture()
            self.pass_time(self.random.randrange(3, 9))
        self.bot("bot_stuck")
        self.pass_time(self.random.randrange(1, 20))
        self.assign(self.manager)

    # ---- the flow ---------------------------------------------------------------------------------------------

    def go_on(self, steps: int | None = None) -> None:
        """Play the flow, or its next ``steps``."""
        while self.flow and (steps is None or steps > 0):
            step = self.flow.pop(0)
            steps = None if steps is None else steps - 1
            kind, _, entry = step.partition(" ")
            if kind.endswith("~") and self.random.random() < 0.5:
                # what was not asked is not answered
                if kind == "c~" and self.flow and self.flow[0].startswith("m "):
                    self.flow.pop(0)
                continue
            self._step(kind.rstrip("~"), entry)

    def _step(self, kind: str, entry: str) -> None:
        if kind == "c":
            self.think()
            self.ask(entry)
            if self.random.random() < 0.12:
                self.pass_time(self.random.randrange(15, 240))
                self.ask("push" if self.random.random() < 0.4 else "also")
        elif kind == "m":
            self.answer(entry)
        elif kind == "i":
            self.pass_time(self.random.randrange(10, 120))
            self.picture()
        elif kind == "p":
            self.pass_time(self.random.randrange(5, 60))
            self.card()
        elif kind == "o":
            self.pass_time(self.random.randrange(20, 200))
            self.order_card()
        else:
            self.pass_time(self.random.randrange(10, 90))
            self.file()

    def answer(self, entry: str | None = None) -> None:
        """The manager answers, some in two messages; "wait a bit" is followed by the real answer later."""
        if self.asked is None:
            self.pass_time(self.random.randrange(25, 400))
        else:
            self.wait_for_reply()
        quoted = self._asking() if self.random.random() < 0.08 else None
        row = self.reply(entry, quoted=quoted)
        if self.random.random() < 0.012:
            row.edits = ((row.time + self.random.randrange(20, 900) * SECOND, f"{row.content} (цена и срок уточнены)"),)
            self.builder.cases["edited_reply"] += 1
        if entry == "order_made":
            self.place_order()
        if self.random.random() < 0.035:
            self.pass_time(self.random.randrange(10, 60))
            self.builder.note(self.dialog, self.at, self.manager, self.russian.say("note_text", self.facts)[0])
            self.builder.cases["private_note"] += 1

    def _asking(self) -> Message | None:
        found = (m for m in reversed(self.builder.messages[-6:]) if m.dialog is self.dialog and m.sender == "customer")
        return next(found, None)

    def end(self) -> None:
        """Goodbye, and mostly the closing of the dialog."""
        random = self.random
        roll = random.random()
        if roll < 0.42:
            self.think()
            asked = self.asked
            if random.random() < 0.12:
                self.sticker()
            else:
                self.builder.say(self.dialog, self.at, self.customer, self.text("thanks"))
            self.asked = asked
            self.builder.cases["thanks"] += 1
            if random.random() < 0.35:
                self.pass_time(random.randrange(8, 300))
                self.reply("bye")
        elif roll < 0.5:
            self.think()
            self.ask("thanks_long")
            self.answer("bye")
        if random.random() < 0.78:
            self.close()

    def close(self) -> None:
        self.pass_time(self.random.uniform(0.1, 20) * 3600)
        self.builder.close(self.dialog, self.at, self.manager)
