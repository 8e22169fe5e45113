"""Verifies one commit of a run in a job that has no secrets, and hands over what it found."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bot.action.inputs import ActionInputs
from bot.action.open_run import open_run
from bot.engine.verification import VerifiedRun, verify_commit
from bot.verification.verify import Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyJob:
    """The verification of one commit; every collaborator is an argument."""

    workspace: Path
    inputs: ActionInputs
    run: str
    head: str
    default_branch: str
    around: Surroundings
    now: Callable[[], datetime]

    def work(self) -> VerifiedRun:
        """Verify it, with what is in the workspace and no more.

        Raises:
            NothingToVerifyError: The recipe has no commands for it.
            PhasebotError: It can't be verified.
        """
        run = open_run(self.workspace, self.inputs, self.run, self.default_branch, self.now, credentials=None)
        private = [*self.around.private, *(str(each) for each in run.files.folders)]
        return verify_commit(run, self.head, replace(self.around, private=private))
