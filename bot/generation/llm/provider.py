"""The provider that uses a model: one request per phase, then requests for only the files that were rejected."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from bot.assessment.finding import Finding, files_at_fault
from bot.errors import BudgetExceeded, NoModelAnswered, PhasebotError, ProviderError, UsageError
from bot.generation.llm.client import ModelRequest, ModelResponse
from bot.generation.llm.prompts import files_request
from bot.generation.llm.response_parser import NOT_THERE, ParsedFiles, parse_files
from bot.generation.llm.retry import RetryingClient
from bot.generation.llm.token_budget import TokenBudget
from bot.generation.provider import GenerationRequest, GenerationResult
from bot.history.reasons import Reason
from bot.sandbox.protocol import Run
from bot.sandbox.worker import Worker, shared_worker

RETRIES = 2
"""How often a rejected file is requested again, by itself."""
_TOO_LONG = Reason("long", "it does not fit in one response of the model")
_STOPPED = Reason("stopped", "the run was stopped first")


@dataclass(slots=True)
class _Progress:
    """The progress of one phase."""

    request: GenerationRequest
    at_head: Mapping[str, str]
    findings: Sequence[Finding] = ()
    """What is wrong with the files as the model sees them."""
    files: dict[str, str] = field(default_factory=dict)
    faults: dict[str, Reason] = field(default_factory=dict)
    rejections: dict[str, int] = field(default_factory=dict)
    """Path → how often its file was rejected."""
    refused: list[str] = field(default_factory=list)
    model: str | None = None
    error: PhasebotError | None = None
    """The first error of a request."""
    stopped: bool = False

    def accept(self, wanted: Sequence[str], parsed: ParsedFiles, model: str, *, cut: bool) -> Iterator[tuple[str, ...]]:
        """Keep the good files of a response; yield the groups of files to request next."""
        self.model = self.model or model
        self.files |= parsed.files
        self.refused += parsed.refused
        for path in parsed.files:
            self.faults.pop(path, None)
        unreached = [path for path, fault in parsed.faults.items() if cut and fault == NOT_THERE]
        if unreached and len(wanted) > 1:  # each request is smaller, so this ends
            half = len(unreached) if parsed.files else (len(unreached) + 1) // 2
            yield from filter(None, (tuple(unreached[:half]), tuple(unreached[half:])))
        for path, fault in parsed.faults.items():
            if path in unreached and len(wanted) > 1:
                continue
            self.faults[path] = _TOO_LONG if path in unreached else fault
            self.rejections[path] = self.rejections.get(path, 0) + (RETRIES if path in unreached else 1)
            if self.rejections[path] <= RETRIES:
                yield (path,)

    def fail(self, wanted: Sequence[str], error: PhasebotError) -> None:
        """Record that the request for *wanted* failed."""
        self.error = self.error or error
        self.stopped = self.stopped or isinstance(error, BudgetExceeded)
        for path in wanted:
            previous = self.faults.get(path)
            detail = f"{previous}; asking again: {error}" if previous else str(error)
            self.faults[path] = Reason(error.code or "prompt", detail)


class LlmProvider:
    """Generates files with a model."""

    def __init__(
        self,
        name: str,
        client: RetryingClient,
        budget: TokenBudget,
        *,
        secrets: Collection[str],
        worker: Worker | None = None,
    ) -> None:
        """Send requests with *client*, and judge answers in *worker*; a file with one of *secrets* is rejected."""
        self.name = name
        self._client = client
        self._budget = budget
        self._secrets = secrets
        self._worker = worker or shared_worker()

    async def generate(self, request: GenerationRequest) -> GenerationResult:
        """Generate the requested files.

        If cancelled, this returns the files received so far, if any, because their tokens are already spent.
        """
        progress = _Progress(request, request.at_head(), request.findings)
        reviewed = _Reviewed()
        try:
            await self._fill(progress, request.paths)
            if progress.files:
                await self._review(progress, reviewed)
        except asyncio.CancelledError:
            if not progress.files:
                raise
            progress.stopped = True
        tokens = self._budget.unrecorded(request.phase.key)
        if isinstance(progress.error, ProviderError) and not (progress.files or tokens.total):
            raise progress.error
        missing = {path: progress.faults.get(path, _STOPPED) for path in request.paths if path not in progress.files}
        return GenerationResult(
            {path: progress.files[path] for path in request.paths if path in progress.files},
            missing,
            progress.model,
            tokens,
            stopped=progress.stopped and bool(missing),
            refused=tuple(progress.refused),
            given=reviewed.given + (len(request.findings) if progress.model else 0),
            findings=tuple(reviewed.left),
        )

    async def _fill(self, progress: _Progress, paths: tuple[str, ...]) -> None:
        """Request the files *paths*, and again those that are rejected."""
        groups = [paths]
        while groups:
            results = await asyncio.gather(*(self._request(progress, group) for group in groups))
            groups = [group for result in results for group in result]

    async def _review(self, progress: _Progress, reviewed: "_Reviewed") -> None:
        """Have the files reviewed; let the model mend them once, and keep its second version if that is better."""
        request = progress.request
        reviewed.left = found = await request.review(progress.files)
        at_fault = files_at_fault(found, progress.files)
        if not at_fault:
            return
        second = _Progress(request, progress.at_head, found, files=dict(progress.files))
        await self._fill(second, at_fault)
        progress.refused += second.refused
        if second.model is None:
            return
        reviewed.given = len(found)
        left = await request.review(second.files)
        if len(left) < len(found):
            reviewed.left, progress.files = left, second.files

    async def _request(self, progress: _Progress, wanted: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Request the files *wanted*; return the groups of files to request next."""

        async def parse(response: ModelResponse) -> tuple[ParsedFiles, bool]:
            return await self._judge(response, wanted), response.cut

        try:
            request = await self._worker.call(partial(_files_request, progress, wanted, dict(progress.files)))
            response = await self._client.ask(request, phase=progress.request.phase.key, parse=parse)
        except (NoModelAnswered, ProviderError, UsageError) as exc:
            progress.fail(wanted, exc)
            return []
        parsed, cut = response.content
        return list(progress.accept(wanted, parsed, response.model, cut=cut))

    async def _judge(self, response: ModelResponse, wanted: Sequence[str]) -> ParsedFiles:
        """Parse and judge an answer, also if the run is stopped in the meantime, because the answer is paid for."""
        parse = partial(parse_files, response.text, wanted, cut=response.cut, secrets=self._secrets)
        parsed, cancelled = await self._worker.finish(parse)
        if cancelled and (task := asyncio.current_task()):
            task.cancel()  # at its next wait, when the files are kept
        return parsed


@dataclass(slots=True)
class _Reviewed:
    """What the reviews of one phase came to."""

    given: int = 0
    left: Sequence[Finding] = ()


def _files_request(
    progress: _Progress, wanted: Sequence[str], generated: Mapping[str, str], *, run: Run
) -> ModelRequest:
    return files_request(
        progress.request,
        wanted,
        at_head=progress.at_head,
        generated=generated,
        faults=dict(progress.faults),
        findings=progress.findings,
        run=run,
    )
