"""Exceptions, grouped by who can fix the problem.

Every message is one or two sentences and safe to show in public.  It says what was being done, what was wrong
with which value, and what to do next.  Only :mod:`bot.cli.main` turns an exception into an exit code.
"""

from typing import Self


class PhasebotError(Exception):
    """Something failed; phases finished before are committed."""

    exit_code = 1
    code = ""
    """Its reason in the closed list of :mod:`bot.history.reasons`, if it is about a model."""

    def with_code(self, code: str) -> Self:
        """Set the reason and return the error."""
        self.code = code
        return self

    def with_message(self, message: str) -> Self:
        """Say the same in other words, and return the error."""
        self.args = (message,)
        return self


class UsageError(PhasebotError):
    """The user can fix it: a bad spec, plan, name or option.  Nothing was written."""

    exit_code = 2


class RepositoryError(PhasebotError):
    """Git failed, or the state of the repository does not allow the operation."""


class PushError(RepositoryError):
    """The remote is unreachable or refused the push; the commits are on the local branch."""


class ProviderError(PhasebotError):
    """The provider can't continue: every further phase would fail the same way."""


class NoModelAnswered(PhasebotError):
    """No model answered a request, after all retries and fallback models; a later run may succeed."""

    exit_code = 3


class BudgetExceeded(NoModelAnswered):
    """The token budget (``--max-tokens``) leaves no room for another model request."""

    code = "budget"


class WorktreeOutOfStep(PhasebotError):
    """The branch is complete, but a worktree has a plan edit without a commit, or files that could not be written."""

    exit_code = 3


class ForgeError(PhasebotError):
    """The forge (GitHub) is unreachable or returned an error; pushed commits are safe."""


class ForgeRefusedError(ForgeError):
    """The forge is reachable, but the token lacks the permission."""


class ForgeGoneError(ForgeError):
    """The requested object does not exist (any more), or the token has no read access to it."""


class Interrupted(PhasebotError):
    """A person or the system stopped the process (SIGINT, SIGTERM)."""

    exit_code = 130


class Stopped(PhasebotError):
    """A person stopped the run; the phases in progress were finished first."""

    exit_code = 3
