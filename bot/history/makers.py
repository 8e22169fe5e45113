"""Say whose commits count as generated, where not everybody's do.  Pure."""

from collections.abc import Iterator, Sequence

from bot.history.repository import Identity
from bot.history.run_state import Commit
from bot.text import one_line

_SHOWN, _NAME, _SHORT = 3, 60, 10


def notes_on_makers(branch: str, commits: Sequence[Commit], bot: Identity | None) -> Iterator[str]:
    """Yield what people should know of *commits* that carry trailers and that *bot* did not make."""
    if bot is None:
        return
    disowned = [each for each in commits if each.disowned]
    if disowned:
        shown = ", ".join(f"{each.oid[:_SHORT]} by {_name(each.author)}" for each in disowned[:_SHOWN])
        more = f" and {len(disowned) - _SHOWN} more" if len(disowned) > _SHOWN else ""
        one = len(disowned) == 1
        yield (
            f"{'a commit' if one else f'{len(disowned)} commits'} on {branch} that say{'s' if one else ''} to be of a "
            f"phase {'is' if one else 'are'} not by {bot.name}, so {'it counts' if one else 'they count'} as people's "
            f"work and nothing of {'it' if one else 'them'} is overwritten: {shown}{more}"
        )
    elsewhere = [each for each in commits if each.trailers and each.author not in ("", str(bot))]
    if elsewhere:
        keys = dict.fromkeys(each.trailers.phase for each in elsewhere if each.trailers and each.trailers.phase)
        yield (
            f"{_name(elsewhere[0].author)} began {branch} outside GitHub Actions, so what they generated counts, too: "
            f"{', '.join(filter(None, keys))}"
        )


def _name(author: str) -> str:
    return one_line(author.rpartition(" <")[0] or author, _NAME)
