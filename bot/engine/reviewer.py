"""Review what a model wrote for a phase before it is committed: assess it beside the project at head."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from bot.assessment.assess import find_all
from bot.assessment.coverage import Asked
from bot.assessment.finding import Finding
from bot.assessment.outline import Outline, read_outlines
from bot.assessment.project import Project
from bot.assessment.ruff import diagnose
from bot.generation.templates import render_phase
from bot.history.run_branch import RunBranch
from bot.planning.path_rules import outside
from bot.planning.phases import Phase
from bot.planning.resolved_plan import ResolvedPlan
from bot.sandbox.protocol import Run
from bot.sandbox.worker import shared_worker


@dataclass
class Reviewer:
    """Reviews the phases of one run, one after the other; what it has read of the project, it does not read again."""

    branch: RunBranch
    tell: Callable[[str], None]
    """Told why a review failed; its files are committed without one."""
    _texts: dict[str, str | None] = field(default_factory=dict)
    """Blob id → text."""
    _outlines: dict[str, Outline] = field(default_factory=dict)
    """Text → outline."""

    async def review(self, planned: ResolvedPlan, phase: Phase, files: Mapping[str, str]) -> Sequence[Finding]:
        """Return the errors that *files*, repository path → text, bring into the project.

        They can be in other files, too: those of the main application bring it that a router is not mounted.
        """
        folder = planned.plan.output_dir
        texts = self.branch.project_texts(folder, planned.phases, self._texts)
        owners = {outside(folder, path): each.key for each in planned.phases[1:] for path in each.files}
        written = {outside(folder, path): text for path, text in files.items()}
        before = Project({}, texts, owners, folder, frozenset(owners) - texts.keys())
        work = partial(self._assess, planned, phase, before, written)
        # A task of its own, so that a review that fails costs no file.
        task = asyncio.ensure_future(shared_worker().call(work))
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
        if error := task.exception():
            self.tell(f"{phase.key}: it could not be assessed before its commit: {type(error).__name__}: {error}")
            return ()
        return task.result()

    def _assess(
        self, planned: ResolvedPlan, phase: Phase, before: Project, written: Mapping[str, str], *, run: Run
    ) -> Sequence[Finding]:
        """Return the errors in the files *written*, and those elsewhere that are the phase's fault.

        These are the ones that it has to mend, and, if it is made again, those that its earlier files did not cause.
        """
        after = self._with_outlines(replace(before, texts={**before.texts, **written}), run)
        after = replace(after, coming=before.coming - written.keys())
        found = [each for each in self._find(planned, phase, after, written, run) if each.severity == "error"]
        if all(each.path in phase.files for each in found):
            return found
        known, is_made_again = (
            set(find_all(self._with_outlines(before, run))),
            not written.keys().isdisjoint(before.texts),
        )
        return [
            each
            for each in found
            if each.path in phase.files or (each not in known and (is_made_again or each.phase == phase.key))
        ]

    def _find(
        self, planned: ResolvedPlan, phase: Phase, project: Project, written: Mapping[str, str], run: Run
    ) -> Sequence[Finding]:
        folder = planned.plan.output_dir
        rendered = {outside(folder, path): text for path, text in render_phase(planned, phase).items()}
        references = {path: text for path, text in rendered.items() if path in written and path.endswith(".py")}
        item = phase.slice.get("item") or {}
        asked = Asked(phase.key, [outside(folder, path) for path in phase.files], phase.rules, item.get("does", ""))
        return find_all(
            project,
            references=read_outlines(run, references),
            asked=[asked],
            diagnoses=diagnose({path: text for path, text in written.items() if path.endswith(".py")}),
        )

    def _with_outlines(self, project: Project, run: Run) -> Project:
        code = {path: text for path, text in project.texts.items() if path.endswith(".py")}
        new = {path: text for path, text in code.items() if text not in self._outlines}
        self._outlines |= {new[path]: outline for path, outline in read_outlines(run, new).items()}
        return replace(
            project, outlines={path: self._outlines[text] for path, text in code.items() if text in self._outlines}
        )
