"""What was said in talks that are to be labelled or judged once more: found by their ids, shown without personal data.

Not here: which talks (``store``), how a talk is read (``resources.scoring.subjects``), what is hidden
(``conversations.scoring.masking``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import psycopg

from conversations.messages.scoring import Judge as Shown
from conversations.policy import Policy
from conversations.scoring.labelling import Judged
from conversations.scoring.masking import NameFinder, masked
from conversations.scoring.shapes import Talk
from resources.scoring.subjects import Chosen, Listed, Subject, read_subjects

PORTION = 50


def subjects(
    connection: psycopg.Connection[Any], policy: Policy, talks: Sequence[Judged], days: Mapping[tuple[str, str], date]
) -> Iterator[Subject]:
    """The talks, calls first; one that is not judged any more, or is gone, is left out."""
    if not talks:
        return
    of_talks = sorted(days[one.kind, one.subject_id] for one in talks)
    listed = Listed(
        [one.subject_id for one in talks if one.kind == "call"],
        [one.subject_id for one in talks if one.kind == "session"],
    )
    for portion in read_subjects(connection, policy, Chosen(of_talks[0], of_talks[-1]), listed, PORTION):
        yield from portion


def transcript(talk: Talk, names: NameFinder | None) -> str:
    """A talk as a person reads it: a numbered line for each phrase, contacts (and names) hidden as from a model."""
    hidden = masked(talk.phrases, names, is_call=talk.kind == "call")
    return "\n".join(
        f"{number}. {Shown.SPEAKERS[phrase.speaker]}: {each.text.strip()}"
        for number, (phrase, each) in enumerate(zip(talk.phrases, hidden, strict=True), 1)
    )
