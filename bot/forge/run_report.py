"""Everything to report about a run at one moment: the values from which every text is rendered."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bot.assessment.finding import Finding
from bot.forge.explanations import url_of
from bot.forge.markdown import link
from bot.history.run_state import RunState
from bot.planning.plan import Plan
from bot.planning.recipe_model import TryIt
from bot.text import count
from bot.verification.verdict import Verified

Outcome = Literal[
    "working",
    "complete",
    "conflicts",
    "incomplete",
    "failed",
    "refused",
    "continued",
    "stopped",
    "planned",
    "regenerated",
    "reverted",
]

_PARENT_FOLDER = re.compile(r"/(\.|%2e){2}(?![\w.])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything to report about a run at one moment."""

    state: RunState
    outcome: Outcome
    requested_by: str
    """A login; empty if unknown."""
    server_url: str
    repository: str
    """``owner/name``."""
    run_url: str = ""
    """The workflow run, with its log."""
    page_url: str = ""
    """Where the page of the run is uploaded to at the end of the job; empty if it is not."""
    pull: int | None = None
    compare_url: str = ""
    """Where people can open the pull request themselves, while there is none."""
    active: Mapping[str, float] = field(default_factory=dict)
    """Phase in progress → seconds since it started."""
    elapsed: float | None = None
    expected: float | None = None
    """Estimated seconds for the whole run."""
    rejected: Mapping[str, str] = field(default_factory=dict)
    """Path → the generated change that was not written, as a diff."""
    regenerated: int = 0
    """Number of phases that the command regenerated."""
    failures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Phase → path → why the file could not be generated."""
    findings: Mapping[str, Sequence[Finding]] = field(default_factory=dict)
    """Phase → the errors left in what a model just wrote for it."""
    verified: Verified | None = None
    """What was verified of the run; None if nothing was yet."""
    error: str | None = None
    error_code: str = ""
    """Its reason in the closed list of :mod:`bot.history.reasons`."""
    cost: str = ""
    notes: Sequence[str] = ()
    next_command: str = ""
    plan: Plan | None = None
    """What is built."""
    try_it: TryIt = field(default_factory=TryIt)
    """What people type to try the project, as its recipe says."""
    warnings: Sequence[str] = ()
    """What people should know about options of the plan."""
    why: Mapping[str, str] = field(default_factory=dict)
    """Phase → the main cause why it is not simply complete, one printable line."""
    unwritable: Collection[str] = ()
    """Keys of the phases that templates were asked for and can't write."""

    @property
    def done(self) -> str:
        return f"{sum(each.done for each in self.state.phases)} of {count(len(self.state.phases), 'phase')}"

    @property
    def files(self) -> int:
        return sum(len(each.files) for each in self.state.phases)

    def url(self, *parts: str) -> str:
        """Return a URL in the repository."""
        return url_of(self.server_url, self.repository, *parts)

    def checked_link(self, label: str, url: str) -> str:
        """Return a link to *url* if it points into the repository, else an empty string; *url* is untrusted."""
        linked = link(label, url)
        return linked if linked != label and url.startswith(self.url("")) and not _PARENT_FOLDER.search(url) else ""
