"""The provider that asks a model: one request for a phase, then only for what was wrong with the answer."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.errors import BudgetExceeded, NoModelAnswered, PhasebotError, ProviderError, UsageError
from bot.generation.llm.client import ModelResponse
from bot.generation.llm.prompts import files_request
from bot.generation.llm.response_parser import NOT_THERE, ParsedFiles, parse_files
from bot.generation.llm.retry import RetryingClient
from bot.generation.llm.token_budget import TokenBudget
from bot.generation.provider import GenerationRequest, GenerationResult

RETRIES = 2
"""How often a file that can't be taken is asked for again, alone."""
_TOO_LONG = "it is longer than one answer of the model can be"


@dataclass(slots=True)
class _Work:
    """What has come of one phase so far."""

    request: GenerationRequest
    at_head: Mapping[str, str]
    files: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    """Path → how often its file was refused."""
    refused: list[str] = field(default_factory=list)
    model: str | None = None
    error: PhasebotError | None = None
    """The first reason why a question was not answered."""
    stopped: bool = False

    def take(self, wanted: Sequence[str], changes: ParsedFiles, model: str, *, cut: bool) -> Iterator[tuple[str, ...]]:
        """Keep what is good of an answer; yield the groups of files to ask for again."""
        self.model = self.model or model
        self.files |= changes.files
        self.refused += changes.refused
        for path in changes.files:
            self.faults.pop(path, None)
        unreached = [path for path, fault in changes.faults.items() if cut and fault == NOT_THERE]
        if unreached and len(wanted) > 1:  # a smaller request each time, so this ends
            half = len(unreached) if changes.files else (len(unreached) + 1) // 2
            yield from filter(None, (tuple(unreached[:half]), tuple(unreached[half:])))
        for path, fault in changes.faults.items():
            if path in unreached and len(wanted) > 1:
                continue
            self.faults[path] = _TOO_LONG if path in unreached else fault
            self.asked[path] = self.asked.get(path, 0) + (RETRIES if path in unreached else 1)
            if self.asked[path] <= RETRIES:
                yield (path,)

    def fail(self, wanted: Sequence[str], error: PhasebotError) -> None:
        """Note that no model answered for *wanted*."""
        self.error = self.error or error
        self.stopped = self.stopped or isinstance(error, BudgetExceeded)
        for path in wanted:
            known = self.faults.get(path)
            self.faults[path] = f"{known}; asking again: {error}" if known else str(error)


class LlmProvider:
    """Has a model write the files."""

    def __init__(self, name: str, asker: RetryingClient, budget: TokenBudget, *, secrets: Collection[str]) -> None:
        """Ask by *asker*; a file that holds one of *secrets* is refused."""
        self.name = name
        self._asker = asker
        self._budget = budget
        self._secrets = secrets

    async def generate(self, request: GenerationRequest) -> GenerationResult:
        """Have the model write the wanted files.

        Cancelled, it answers with the files that are there already, if any: they are paid for.
        """
        work = _Work(request, request.at_head())
        groups: list[tuple[str, ...]] = [request.paths]
        try:
            while groups:
                answers = await asyncio.gather(*(self._ask(work, group) for group in groups))
                groups = [group for found in answers for group in found]
        except asyncio.CancelledError:
            if not work.files:
                raise
            work.stopped = True
        tokens = self._budget.unrecorded(request.phase.key)
        if isinstance(work.error, ProviderError) and not (work.files or tokens.total):
            raise work.error
        missing = {path: work.faults.get(path, "stopped before") for path in request.paths if path not in work.files}
        return GenerationResult(
            {path: work.files[path] for path in request.paths if path in work.files},
            missing,
            work.model,
            tokens,
            stopped=work.stopped,
            refused=tuple(work.refused),
        )

    async def _ask(self, work: _Work, wanted: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Ask for the files *wanted*; return what to ask for next."""

        def read(answer: ModelResponse) -> tuple[ParsedFiles, bool]:
            return parse_files(answer.text, wanted, cut=answer.cut, secrets=self._secrets), answer.cut

        try:
            question = files_request(work.request, wanted, at_head=work.at_head, made=work.files, faults=work.faults)
            asked = await self._asker.ask(question, phase=work.request.phase.key, read=read)
        except (NoModelAnswered, ProviderError, UsageError) as exc:
            work.fail(wanted, exc)
            return []
        changes, cut = asked.content
        return list(work.take(wanted, changes, asked.model, cut=cut))
