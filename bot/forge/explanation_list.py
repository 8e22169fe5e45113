"""Why phases are as they are, as Markdown, for the answer to ``/explain``."""

from collections.abc import Iterator, Mapping, Sequence

from bot.forge.markdown import code, cut, line, within
from bot.history.causes import sentence
from bot.history.explanation import Explanation
from bot.history.explanation_words import made_words, status_words
from bot.history.reasons import meaning
from bot.text import count, truncate

_SHORT, _MAX_KEY, _MAX_PHASE, _MAX_LIST = 7, 100, 8_000, 50_000
"""Characters."""


def render_explanations(explained: Sequence[Explanation], costs: Mapping[str, str]) -> str:
    """Return one list per phase; *costs* has the estimated cost of phases that used tokens, by key."""
    if not explained:
        return "Every phase is complete, and nothing that it was made from has changed."
    texts = ["\n".join(_lines(each, costs.get(each.state.phase.key, ""))) for each in explained]
    return cut("\n\n".join(within(texts, _MAX_LIST, "phase", "{}; `/explain PHASE` explains one")))


def _lines(each: Explanation, cost: str) -> Iterator[str]:
    yield f"**{code(truncate(each.state.phase.key, _MAX_KEY))}**: {status_words(each.state)}\n"
    if each.made:
        yield f"- made: {each.made.oid[:_SHORT]}, {line(made_words(each, cost))}"
    causes = (f"- {cause.label}: {line(sentence(cause))}" for cause in each.causes)
    yield from within(causes, _MAX_PHASE, "cause")
    if after := _next(each):
        yield f"- next: {after}"


def _next(each: Explanation) -> str:
    state, regenerate = each.state, f"/regenerate {truncate(each.state.phase.key, _MAX_KEY)}"
    match each.step:
        case "resolve":
            files = count(len(state.open_conflicts), "file")
            return f"edit {files} in conflict, or take the new version with {code(f'{regenerate} --discard-edits')}"
        case "generate":
            again = "makes it again" if state.stale else "makes what is missing" if state.missing else "makes it"
            remedies = dict.fromkeys(meaning(code_).on_forge for code_ in state.reasons.values())
            model = " with a model" if set(state.unwritable) == set(state.wanted) else ""
            return "".join(f"{remedy}; " for remedy in [*remedies][:1]) + f"`/generate`{model} {again}"
        case "model":
            return "`/generate --provider gemini` carries it out; or do it yourself, and take it out of the plan"
        case "cascade" | "regenerate":
            return f"{code(regenerate)} makes it again"
        case _:
            return ""
