"""Fills the page: one HTML file that loads nothing and runs nothing.  Pure.

Jinja escapes every value, ``finalize`` makes hidden characters visible, and the page's own policy lets a browser load
nothing at all.  So text of strangers has no effect, even if one of these fails.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from bot.history.run_state import Commit
from bot.page.er_picture import anchor, draw
from bot.page.next_steps import headline, next_steps
from bot.page.page_facts import PageFacts
from bot.page.phase_cards import PhaseCard, Tone, phase_cards
from bot.page.timeline import sessions
from bot.page.verdict_view import verdict
from bot.page.web_address import page_of
from bot.page.wording import count, harmless, moment, size, span
from bot.planning.entities import Entity
from bot.planning.field_grammar import format_field
from bot.text import truncate

if TYPE_CHECKING:
    from jinja2 import Environment, Template
    from markupsafe import Markup

_MAX_DIFF, _MAX_DIFFS, _MAX_NOTE, _MAX_TEXT = 8_000, 60_000, 500, 2_000
"""Characters."""
_MAX_EDITS = 300
_SHORT = 7


class EntityText(NamedTuple):
    """An entity in words."""

    anchor: str
    name: str
    fields: Sequence[str]
    more: Sequence[str]
    """What it has besides fields."""


class EditRow(NamedTuple):
    """A commit of a person."""

    who: str
    commit: str
    url: str
    time: int
    paths: Sequence[str]
    more: int


def render_page(facts: PageFacts) -> str:
    """Return the page."""
    state, plan, cards = facts.state, facts.plan, phase_cards(facts)
    word, tone = headline(state)
    titles = {each.phase.key: each.phase.title for each in state.phases}
    entities = plan.entities if plan else ()
    return _template().render(
        facts=facts,
        state=state,
        plan=plan,
        title=plan.project if plan else state.run,
        word=word,
        tone=tone,
        steps=next_steps(facts),
        cards=cards,
        totals=_totals(cards, sum(each.done for each in state.phases)),
        sessions=sessions(facts.commits, titles),
        picture=draw(entities) if entities else None,
        entities=[_entity(number, each) for number, each in enumerate(entities)],
        verdict=verdict(facts.verified, state),
        edits=_edits(facts),
        diffs=list(_diffs(facts.rejected)),
        url=lambda *parts: page_of(facts.repository, *parts),
        style=_style(),
    )


class Totals(NamedTuple):
    """Numbers for the head of the page."""

    done: int
    phases: int
    files: int
    size: int
    notable: int
    tones: Mapping[Tone, int]


def _totals(cards: Sequence[PhaseCard], done: int) -> Totals:
    rows = {row.path: row for card in cards for row in card.files if not row.mark.startswith(("missing", "removed"))}
    tones = Counter(card.tone for card in cards)
    notable = sum(card.is_notable for card in cards)
    whole = sum(row.size or 0 for row in rows.values())
    return Totals(done, len(cards), len(rows), whole, notable, tones)


def _entity(number: int, entity: Entity) -> EntityText:
    more = [f"unique together: {', '.join(group)}" for group in entity.unique or ()]
    more += [f"indexed together: {', '.join(group)}" for group in entity.index]
    more += [f"{verb}: {', '.join(who)}" for verb, who in entity.access.items()]
    fields = [format_field(each) for each in entity.fields]
    return EntityText(anchor(number), entity.name, fields, [*more, *entity.rules])


def _edits(facts: PageFacts) -> Sequence[EditRow]:
    """Return the commits of people, the newest first."""
    people = [each for each in facts.commits if each.trailers is None]
    return [_edit(each, facts.repository) for each in reversed(people[-_MAX_EDITS:])]


def _edit(commit: Commit, repository: str) -> EditRow:
    paths, few = [*commit.changes], 12
    who = commit.author.rpartition(" <")[0] or commit.author
    url = page_of(repository, "commit", commit.oid)
    return EditRow(who, commit.oid[:_SHORT], url, commit.time, paths[:few], max(0, len(paths) - few))


def _diffs(rejected: Mapping[str, str]) -> Iterator[tuple[str, Sequence[tuple[str, str]]]]:
    room = _MAX_DIFFS
    for path, diff in rejected.items():
        shown = truncate(diff, min(_MAX_DIFF, max(room, 1)))
        room -= len(shown)
        yield path, [(_kind(line), line) for line in harmless(shown).split("\n")]


def _kind(line: str) -> str:
    return {"+": "added", "-": "gone", "@": "place"}.get(line[:1], "")


@cache
def _style() -> "Markup":
    from markupsafe import Markup

    return Markup((files("bot.page") / "templates" / "page.css").read_text("utf-8"))  # noqa: S704  # our own file


@cache
def _template() -> "Template":
    return _environment().get_template("page.html.j2")


def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("bot.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Markup) else harmless(str(value)),
    )
    environment.filters |= {
        "count": count,
        "size": size,
        "span": span,
        "moment": moment,
        "cut": truncate,
        "px": lambda number: f"{number:.0f}",
        "percent": lambda number: f"{number:.2f}",
    }
    return environment
