"""The few ways Phasebot fails, by who can mend it.

Every message is one sentence or two, safe to show in public: what was being done, what was wrong with
which value, what to do next.  Only :mod:`bot.cli.main` turns one into an exit code.
"""


class PhasebotError(Exception):
    """Something failed; what was finished before is committed."""

    exit_code = 1


class UsageError(PhasebotError):
    """The person can mend it: a bad spec, plan, name or option.  Nothing was written."""

    exit_code = 2


class RepositoryError(PhasebotError):
    """Git, or the state of the repository, refused."""


class PushError(RepositoryError):
    """The remote could not be reached or refused the push for good; the commits are safe locally."""


class ProviderError(PhasebotError):
    """The provider cannot go on with any phase: asking it for the next one would fail the same way."""


class NoModelAnswered(PhasebotError):
    """No model answered one question, after all retries and fallbacks; a later run may fare better."""

    exit_code = 3


class BudgetExceeded(NoModelAnswered):
    """The run may not ask a model any more (``--max-tokens``)."""


class ForgeError(PhasebotError):
    """The forge (GitHub) could not be reached, or refused; what is committed and pushed is safe."""


class ForgeRefusedError(ForgeError):
    """The forge is well, and this token may not do it."""


class ForgeGoneError(ForgeError):
    """What was asked for is not there (any more), or this token can't see it."""


class Interrupted(PhasebotError):
    """A person or the system asked the process to stop (SIGINT, SIGTERM)."""

    exit_code = 130


class Stopped(PhasebotError):
    """A person asked the run to stop after the phases that were under way."""

    exit_code = 3
