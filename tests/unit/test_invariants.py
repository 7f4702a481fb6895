"""Properties of the judgement of waits and sessions: equal to the slow oracle, and the invariants of section 9.

Here: random customers. Not here: worked examples (``test_contract_examples``).
"""

from __future__ import annotations

from hypothesis import given, settings

from tests.oracle.judge import judge
from tests.unit.conftest import examples
from tests.unit.judging import differences, engine
from tests.unit.scenarios import Scenario, scenarios


@settings(max_examples=examples(400))
@given(scenarios())
def test_the_product_judges_as_the_contract_read_slowly(scenario: Scenario) -> None:
    """Every field of every wait, session and left_waiting row."""
    expected = judge(scenario.contact, scenario.policy, scenario.as_of)
    actual = engine(scenario.contact, scenario.policy, scenario.as_of)
    assert differences(actual, expected) == []
