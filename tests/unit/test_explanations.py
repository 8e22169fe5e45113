"""Why a run is not complete, in Markdown: reasons with remedies, and the place where the plan is broken."""

import pytest

from bot.forge.explanations import explain_fault, explain_reasons
from bot.history.run_state import PlanFault
from tests.unit.test_reasons import run_state

SERVER, OID = "https://github.com/", "0123456789abcdef0123456789abcdef01234567"


def test_reasons_are_a_list_with_remedies_and_the_error_s_own_comes_first() -> None:
    state = run_state({"a": "rate", "b": "empty", "c": "rate"})
    rate = "- Too many requests (2 files): wait a few minutes, or lower the workflow's input `jobs`."
    empty = "- Empty response (1 file): try again."

    assert explain_reasons(state, {}, "") == f"{rate}\n{empty}"
    assert explain_reasons(state, {}, "rate") == f"{rate}\n{empty}"
    assert explain_reasons(state, {}, "blocked") == f"- Blocked: reword the plan.\n{rate}\n{empty}"
    assert explain_reasons(run_state({}), {}, "") == ""


@pytest.mark.parametrize(
    ("fault", "link"),
    [
        (
            PlanFault("m", "a b/.x/plan.yaml", OID, 3),
            f"[See line 3 of `a b/.x/plan.yaml`]({SERVER}o/r/blob/{OID}/a%20b/.x/plan.yaml#L3)",
        ),
        (PlanFault("m", "plan.yaml", OID), f"[See `plan.yaml`]({SERVER}o/r/blob/{OID}/plan.yaml)"),
        (PlanFault("m", "plan.yaml", OID, removed=True), f"[See commit `0123456789`]({SERVER}o/r/commit/{OID})"),
    ],
)
def test_a_broken_plan_links_its_place(fault: PlanFault, link: str) -> None:
    assert explain_fault(fault, SERVER, "o/r") == f"m\n\n{link}"


def test_the_text_of_a_broken_plan_has_no_effect() -> None:
    told = explain_fault(PlanFault("line 3: '@alice <b>': what?", "p`|x.yaml", OID, 3), SERVER, "o/r")

    assert "@`alice`" in told
    assert "\\<b" in told
