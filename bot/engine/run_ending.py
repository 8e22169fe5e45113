"""How one process's work on a run ended: its result, with the error that explains why something is left."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.engine.requests import RunResult
from bot.engine.worktree_problems import out_of_step, worktree_problems
from bot.errors import Interrupted, PhasebotError, PushError, Stopped
from bot.generation.llm.token_budget import TokenBudget
from bot.history.checkout import OpenRun
from bot.history.push_queue import PushQueue
from bot.history.stop_request import StopRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnding:
    """What ended a process's work, besides that there was nothing more to do."""

    run: OpenRun
    queue: PushQueue
    budget: TokenBudget
    can_push: bool
    """Whether what is generated could still be pushed."""
    stop_request: StopRequest | None
    interrupted: bool
    has_time: bool
    error: PhasebotError | None
    """The provider's."""

    def result(self, left: RunResult, *, progress: bool, note: Callable[[str], None]) -> RunResult:
        """Return the result of the work, where *left* says what is left; *progress* says whether it made something."""
        snapshot, remaining = left.snapshot, left.remaining
        unfinished = bool(remaining) or not snapshot.state.phases
        failure = self._push_failure(unfinished=unfinished)
        error = self.error or failure
        if remaining and self.budget.exhausted:
            error = error or self.budget.stopped(snapshot.likely_tokens)
        if (request := self.stop_request) and unfinished:
            who = f"{request.login} asked" if request.login else "asked"
            error = Stopped(f"stopped as {who}; what was finished is committed, run generate again to continue")
        if self.interrupted and unfinished:
            error = Interrupted("stopped as asked; what was finished is committed, run generate again to continue")
        if failure and error is not failure:
            note(str(failure))
        problems = worktree_problems(self.run)
        behind = None if error or remaining else out_of_step(self.run, problems)
        notes = [*self.run.sync.notes(), *([] if behind else problems)]
        out_of_time = len(remaining) > len(left.stuck) and progress and not self.has_time
        return replace(left, error=error or behind, notes=notes, out_of_time=out_of_time)

    def _push_failure(self, *, unfinished: bool) -> PushError | None:
        failure = self.queue.explain()
        if failure is None or not unfinished or self.can_push or self.queue.conflict:
            return failure
        alternative = (
            "" if self.run.sync.disposable or "--no-push" in str(failure) else "; --no-push goes on without it"
        )
        return PushError(f"{failure}; until then, no model is asked{alternative}")
