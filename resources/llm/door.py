"""The only door to language models: one retry layer, limits, money, repairs.

Here: the rules. Not here: what all questions share (``shared``), the way of one question (``question``), a single call
(``caller``), what is asked and what an answer must be (``conversations.scoring``, handed in), the book (``ledger``,
handed in).

Rules that hold for every question:

- a call begins after its worst price is booked, and its answer is handed out after the call is settled; the next
  question has its place as soon as it is to be settled, so that one commit is for both;
- at most ``attempts`` calls that bring no answer (408, 429, 5xx, no connection, nothing within its time), over all
  models; the libraries' own retries are off. The next model of the list is asked at once, the same one after a pause
  with jitter;
- no model is asked before the moment that its gateway told; told to wait beyond the deadline, the question ends;
- at most two repairs of an answer that is none; a truncated one is asked for once more with twice the length; what is
  to be repaired is booked with its call, and a later run begins with the repair;
- from the first call on, calls, pauses and waiting together stay within ``deadline_seconds``; one call gets its even
  share of what is left, so that a gateway that hangs leaves time to ask another;
- 401, the gateway's own spent budget, a private address, 403 or 404 for every model: the door is shut for good, every
  further question raises the same error, and no call is made; so it is after ``MOST_REJECTED`` questions in a row that
  the gateway did not accept;
- what a model said wrongly after its repairs is the end of the question, too: it was paid for, and asking again would
  be paid again. Only outages are asked again by a later run.
"""

from __future__ import annotations

from conversations.scoring.shapes import Request
from resources.llm.ledger import Begun, Evaluated
from resources.llm.question import Question, Read, Repair
from resources.llm.shared import Shared


class Door(Shared):
    """Asks models within the limits of a policy; for one event loop. ``opening.open_door`` makes and closes it."""

    async def ask(self, request: Request, read: Read, repair: Repair, begun: Begun | None = None) -> Evaluated:
        """Ask until there is an answer, or a reason why there is none.

        Args:
            begun: what was said to it in a run that ended before the repair.

        Reasons: a code of ``Problems`` (final), ``too_long`` or ``refused`` (final), ``rejected``, ``rate_limited``,
        ``timed_out``, ``unavailable`` (not final).

        Raises:
            OverBudget: from the ledger; the call that did not fit was not made.
            SourceError: nobody may be asked any more; a person has to act.
        """
        return await Question(self, request, read, repair, begun).ask()
