"""A schema file as a spec: SQL, DBML, Prisma and the like, by itself or in a fenced block of an issue."""

from collections.abc import Sequence
from functools import lru_cache

from bot.errors import UsageError
from bot.planning.entity_grammar import read_option
from bot.planning.plan import MAX_LINES
from bot.planning.schema_files import SchemaError, SchemaSpec, read_schema, recognise
from bot.planning.spec_draft import DraftEntity, Problem, SpecDraft, refusal

language_of = recognise


def read_schema_spec(schema: str, language: str, text: str, source: str, *, first: int = 0) -> SpecDraft:
    """Read *schema*, which begins after line *first* of the whole *text* of a spec.

    Raises:
        UsageError: It can't be read; the message names the lines.
    """
    try:
        found = _read(schema, language)
    except SchemaError as exc:
        problems = [Problem(line + first, f"read as {language}: {what}") for line, what in exc.problems]
        if not all(line for line, _ in exc.problems):
            told = "; ".join(what for _, what in exc.problems)
            raise UsageError(f"{source}, read as {language}: {told}") from exc
        raise refusal(source, text, problems) from exc
    return SpecDraft(
        text,
        source,
        found.project,
        found.description,
        [
            DraftEntity(
                each.name,
                each.line + first,
                [(field, line + first) for field, line in each.fields],
                [(read_option(option), line + first) for option, line in each.options],
            )
            for each in found.entities
        ],
        left_out=_some(found.left_out),
        notes=[(0, f"read as {language}"), *((0, note) for note in found.notes)],
        language=language,
    )


@lru_cache(maxsize=4)  # a spec is looked at to name its run, and again when its plan is made
def _read(schema: str, language: str) -> SchemaSpec:
    from bot.sandbox.worker import shared_worker

    return read_schema(schema, language, shared_worker().run)


def _some(left_out: Sequence[str]) -> list[str]:
    """Return as many lines as a plan can list, and how many more there are."""
    listed = list(left_out)
    if len(listed) <= MAX_LINES:
        return listed
    return [*listed[: MAX_LINES - 1], f"{len(listed) - MAX_LINES + 1} more things of the schema"]
