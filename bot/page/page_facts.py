"""Everything that the page shows, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.history.explanation import Explanation
from bot.history.run_state import Commit, RunState
from bot.planning.plan import Plan
from bot.verification.verdict import Verified


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """A run at one moment.  The same facts give the same page."""

    state: RunState
    commits: Sequence[Commit] = ()
    """Those of the branch, oldest first."""
    explained: Mapping[str, Explanation] = field(default_factory=dict)
    """Phase → why it is as it is, for phases that are more than simply complete."""
    plan: Plan | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Path at head → bytes; empty where they are not known."""
    verified: Verified | None = None
    rejected: Mapping[str, str] = field(default_factory=dict)
    """Path → the generated change that was not written, as a diff."""
    makers: Mapping[str, str] = field(default_factory=dict)
    """Phase → who made its commit, if that was somebody unexpected."""
    cost: str = ""
    """Of the whole run, estimated."""
    costs: Mapping[str, str] = field(default_factory=dict)
    """Phase → its part of the cost."""
    notes: Sequence[str] = ()
    repository: str = ""
    """The repository's page on the web, for links; empty if it has none."""
    by_comments: bool = False
    """Whether people write commands as comments, ``/generate``, and not in a terminal."""
    version: str = ""
