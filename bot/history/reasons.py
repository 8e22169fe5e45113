"""Why a file is missing: the closed list of reasons, with words and remedies.

History records the codes, so a later run and ``status`` know the reason.  The detail, which may quote a model, goes to
the log and to comments only.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Self

from bot.history.run_state import RunState


class Meaning(NamedTuple):
    """What a reason is called, and what people can do about it."""

    words: str
    remedy: str
    """On a terminal; with the command to run next."""
    on_forge: str
    """In a comment, in Markdown; the next command follows it."""


_AGAIN = "run generate again"
_OTHER_MODEL = "run generate again with another --model"
_TRY_OTHER = "run generate again, or use another --model"
_INPUT_MODEL = "set the workflow's input `model` to another one"

REASONS: Mapping[str, Meaning] = MappingProxyType(
    {
        "key": Meaning(
            "API key rejected",
            "set GEMINI_API_KEY to a key with access to the model, then run generate again",
            "set the secret for the workflow's input `gemini-api-key` to a key with access to the model",
        ),
        "model": Meaning(
            "unknown model", "correct --model, then run generate again", "correct the workflow's input `model`"
        ),
        "request": Meaning("request rejected", _OTHER_MODEL, _INPUT_MODEL),
        "schema": Meaning("schema rejected", _OTHER_MODEL, _INPUT_MODEL),
        "quota": Meaning(
            "quota used up",
            "run generate again tomorrow, or use another --model",
            f"wait until tomorrow, or {_INPUT_MODEL}",
        ),
        "budget": Meaning(
            "token limit reached", "run generate again with a higher --max-tokens", "give a higher `--max-tokens`"
        ),
        "blocked": Meaning("blocked", "reword the plan, then run generate again", "reword the plan"),
        "recitation": Meaning(
            "recitation",
            "give the phase its own instruction, then run generate again",
            "give the phase its own instruction with `/regenerate PHASE -- instruction`",
        ),
        "connection": Meaning(
            "connection failed", "check the network, then run generate again", "check the network of the runner"
        ),
        "timeout": Meaning(
            "timed out",
            "run generate again, or use a faster --model",
            "try again, or set the workflow's input `model` to a faster one",
        ),
        "server": Meaning("server error", "run generate again later", "try again later"),
        "rate": Meaning(
            "too many requests",
            "run generate again in a few minutes, or lower --jobs",
            "wait a few minutes, or lower the workflow's input `jobs`",
        ),
        "prompt": Meaning("no prompt for a model", "correct the recipe, then run generate again", "correct the recipe"),
        "template": Meaning(
            "the template failed", "correct the recipe's template, then run generate again", "correct the template"
        ),
        "notemplate": Meaning(
            "templates can't write it",
            "set GEMINI_API_KEY or use --provider gemini, write it yourself, "
            "or move what it is for to left-out in plan.yaml, then run generate again",
            "set the workflow's input `gemini-api-key` so that a model writes it, write it yourself, "
            "or move what it is for to `left-out` in the plan",
        ),
        "long": Meaning("too long for one response", _TRY_OTHER, f"try again, or {_INPUT_MODEL}"),
        "unparsable": Meaning("the file does not parse", _TRY_OTHER, f"try again, or {_INPUT_MODEL}"),
        "placeholder": Meaning("the file holds a placeholder", _TRY_OTHER, f"try again, or {_INPUT_MODEL}"),
        "secret": Meaning(
            "the file holds a secret",
            "revoke it if it is real, take it out of plan and recipe if it is there, then run generate again",
            "revoke it if it is real, and take it out of the plan and the recipe if it is there",
        ),
        "unfit": Meaning("the file breaks a rule", _TRY_OTHER, f"try again, or {_INPUT_MODEL}"),
        "absent": Meaning("not in the response", _TRY_OTHER, f"try again, or {_INPUT_MODEL}"),
        "unreadable": Meaning("unreadable response", _AGAIN, "try again"),
        "empty": Meaning("empty response", _AGAIN, "try again"),
        "stopped": Meaning("the run was stopped first", _AGAIN, "try again"),
    }
)
"""Code → meaning, the most serious first.  History holds the codes: add some, but never change one."""

_UNKNOWN = Meaning("another reason", _AGAIN, "try again")
_SHOWN = 3


class Reason(str):
    """Why a file is missing: the detail in one printable line, and the code of its kind."""

    __slots__ = ("code",)
    code: str

    def __new__(cls, code: str, detail: str) -> Self:
        found = super().__new__(cls, detail)
        found.code = code
        return found


def code_of(reason: str) -> str:
    """Return the code of a reason; ``unknown`` if it has none."""
    return reason.code if isinstance(reason, Reason) and reason.code in REASONS else "unknown"


def meaning(code: str) -> Meaning:
    """Return what *code* means; a later release may have recorded one that this one does not know."""
    return REASONS.get(code, _UNKNOWN)


def without_remedy(detail: str, code: str) -> str:
    """Return *detail* for a comment, which has its own remedy: the one for a terminal at its end goes."""
    return detail.removesuffix(f"; {meaning(code).remedy}")


class CountedReason(NamedTuple):
    """A reason, and how many files it keeps from being generated."""

    meaning: Meaning
    files: int

    @property
    def words(self) -> str:
        return f"{self.meaning.words} ({self.files} file{'' if self.files == 1 else 's'})"


def count_reasons(
    state: RunState, failures: Mapping[str, Mapping[str, str]], phases: Sequence[str] | None = None
) -> Sequence[CountedReason]:
    """Return why files are missing: the most frequent reasons first, then the most serious, a few at most.

    *failures* are those of this process, phase → path → reason; history knows the others.  *phases* limits the answer.
    """
    codes = Counter[str]()
    for each in state.phases:
        key = each.phase.key
        if phases is not None and key not in phases:
            continue
        if key in failures:
            codes.update(map(code_of, failures[key].values()))
        elif each.wanted:
            codes.update(each.reasons.values())
    order = [*REASONS, *sorted(codes.keys() - REASONS.keys())]
    ranked = sorted(codes, key=lambda code: (-codes[code], order.index(code)))
    return [CountedReason(meaning(code), codes[code]) for code in ranked[:_SHOWN]]
