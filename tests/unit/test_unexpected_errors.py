"""An error that nobody expected: the event log gets its kind, where it was and what to do, never what it quotes.

Here: the last branch of ``assets.failures``. Not here: the errors with words of their own (``tests/pipeline``).
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

import dagster as dg
import pytest

from assets.failures import explained
from resources.clients.redact import hide

PHONE = "+7 701 555-01-99"
SECRET = "canary-value-of-nobody"
WORDS = "где мой заказ, Вера?"


@dg.op
def breaks(context: dg.OpExecutionContext) -> None:
    """Quotes a phone and a secret three times: in the cause, in the first line and below it."""
    with explained(context):
        try:
            raise KeyError(f"{PHONE} {SECRET}")
        except KeyError as error:
            raise RuntimeError(f"cannot read {WORDS} {PHONE}\nheld by {SECRET}") from error


@dg.op
def gives_up(context: dg.OpExecutionContext) -> None:
    """Says itself what happened."""
    with explained(context):
        raise dg.Failure("said already", metadata={"reason": "own"})


@dg.job
def broken() -> None:
    """One op."""
    breaks()


@dg.job
def given_up() -> None:
    """One op."""
    gives_up()


def test_the_event_log_does_not_repeat_what_an_unexpected_error_quotes() -> None:
    hide(SECRET)
    with dg.DagsterInstance.ephemeral() as instance:
        run = broken.execute_in_process(instance=instance, raise_on_error=False)
        entries = instance.all_logs(run.run_id)
    everything = "\n".join([*(dg.serialize_value(entry) for entry in entries), *map(repr, entries)])
    assert everything.count(PHONE) == everything.count(SECRET) == everything.count(WORDS) == 0
    (failed,) = [event for event in run.all_events if event.is_step_failure]
    said = failed.step_failure_data.user_failure_data.description
    assert said.startswith("RuntimeError in breaks, line ") and ". Nobody expected this: " in said
    (places,) = [entry.user_message for entry in entries if "most recent call last" in entry.user_message]
    assert places.index("KeyError") < places.index("RuntimeError") and f"breaks ({__file__}:" in places
    assert not [event for event in run.all_events if event.event_type_value == "STEP_RESTARTED"]


def test_a_failure_with_its_own_words_passes_unchanged() -> None:
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(dg.Failure, match=r"^said already$") as caught:
        given_up.execute_in_process(instance=instance)
    assert caught.value.metadata["reason"].value == "own"
