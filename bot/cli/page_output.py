"""A run as one page for a browser, for the commands that show it."""

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.cli.output import other_maker

if TYPE_CHECKING:
    from bot.engine.overview import Overview
    from bot.history.repository import Identity


def render_overview(found: "Overview", own: "Collection[Identity]") -> str:
    """Return the page; phases of which nobody of *own* made the commit say who did."""
    from bot.page.web_page import render_page

    facts = found.facts
    makers = {each.phase.key: maker for each in facts.state.phases if (maker := other_maker(each, own))}
    return render_page(replace(facts, makers=makers))
