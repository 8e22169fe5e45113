"""Hold the commits of a run against what the recipe makes, oldest first.

A phase commit of templates can be made again: from the plan and the recipe that it names by their digests, and from
what stood before it, the way :mod:`bot.history.commits` composes it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from bot.history.commit_ledger import InheritedPhases
from bot.history.fast_import import EXECUTABLE
from bot.history.ledger import TEMPLATES, Ledger
from bot.history.line_origins import Step, first_difference, follow, relevant
from bot.history.merged_runs import RenderPhase
from bot.history.plan_history import PlanHistory, PlannedPhase
from bot.history.proof import CommitProof, FileOrigins, FileProof, Origin
from bot.history.repository import Repository, object_id
from bot.history.run_state import Commit, Entry
from bot.history.three_way_merge import RenderAgain, common_lines, merge_content, merge_files
from bot.history.trailers import Trailers
from bot.planning.phases import PLAN_PHASE, Phase

MERGED = "merged with people's edits"
RESTORED = "as the base has it"
_NOT_MADE = "neither what the recipe makes nor a merge of that with people's edits"
_BY_NOBODY = "it does not say what made its files"
_MAX_BASES = 20
"""How many earlier versions of a file are tried as the base of a merge: people rebase, and drop commits."""


class Rebuilder:
    """Makes the commits of a run again, one after the other."""

    def __init__(  # where to read, and how to make
        self,
        repository: Repository,
        ledger: Ledger,
        plans: PlanHistory,
        render: RenderPhase,
        render_again: RenderAgain,
        *,
        fork: str | None,
    ) -> None:
        """Begin before the first commit: *ledger* has read none, and reads each once it is made again."""
        self._repository, self._ledger, self._plans = repository, ledger, plans
        self._render, self._render_again, self._fork = render, render_again, fork
        self._texts: dict[tuple[str, str, str], Mapping[str, str]] = {}
        self._steps: dict[str, list[Step]] = defaultdict(list)
        """Path → what became of it, oldest first."""
        self._forks: dict[str, str | None] = {}
        """Commit → where it left the base, as far as somebody asked."""
        self._executable: set[str] = set()
        """Paths that were executable once."""

    def read(self, commit: Commit) -> CommitProof | None:
        """Make the next *commit* again; None for people's commits, and for those of the plan."""
        trailers, proof = commit.trailers, None
        if trailers is None or trailers.run != self._ledger.run:
            self._note(commit, {}, "human")
        elif trailers.phase is None:
            judged = {path: self._roll_back(commit, path, trailers.reverts) for path in commit.changes}
            self._note(commit, judged, "human")
            proof = CommitProof(commit.oid, None, [*judged.values()])
        elif trailers.phase == PLAN_PHASE:
            judged = {path: self._judge_beside_plan(commit, path) for path in self._beside_plan(commit)}
            self._note(commit, judged, "bot")
            proof = CommitProof(commit.oid, PLAN_PHASE, [*judged.values()]) if judged else None
        else:
            proof = self._phase(commit, trailers, trailers.phase)
        self._ledger.add(commit)
        return proof

    # ---- phases

    def _phase(self, commit: Commit, trailers: Trailers, key: str) -> CommitProof:
        by_templates = trailers.provider == TEMPLATES
        if not by_templates and not trailers.fallback:
            why = "" if trailers.provider else _BY_NOBODY
            self._note(commit, {}, "unproven" if why else "model")
            return CommitProof(commit.oid, key, by_model=not why, why=why)
        found = self._plans.find(trailers)
        if isinstance(found, str):
            self._note(commit, {}, "unproven")
            return CommitProof(commit.oid, key, why=found)
        texts = self._rendered(found)
        judged = {
            path: self._judge(commit, path, entry, found, texts)
            for path, entry in commit.changes.items()
            if by_templates or path in trailers.fallback
        }
        self._note(commit, judged, "model", texts)
        lacking = self._lacking(commit, trailers, texts) if by_templates else ()
        return CommitProof(commit.oid, key, [*judged.values(), *lacking], by_model=not by_templates)

    def _beside_plan(self, commit: Commit) -> Sequence[str]:
        """Return the files that are not the plan's own, in a commit of the plan."""
        return [path for path in commit.changes if not self._ledger.is_of(path, PLAN_PHASE)]

    def _judge_beside_plan(self, commit: Commit, path: str) -> FileProof:
        if self._is_as_in_base(commit, path):
            return FileProof(path, "proven", RESTORED)
        return FileProof(path, "tampered", f"no file of phase {PLAN_PHASE}")

    def _rendered(self, found: PlannedPhase) -> Mapping[str, str]:
        phase = found.phase
        key = (phase.key, phase.inputs, phase.recipe)
        if key not in self._texts:
            self._texts[key] = self._render(found.plan, phase)
        return self._texts[key]

    def _judge(
        self, commit: Commit, path: str, entry: Entry | None, found: PlannedPhase, texts: Mapping[str, str]
    ) -> FileProof:
        phase = found.phase
        if path not in phase.files:
            return self._foreign(commit, path, entry, found)
        if entry is None:
            return FileProof(path, "tampered", "it is removed, and the recipe makes it")
        if not self._is_plain(path, entry):
            return FileProof(path, "tampered", "it is no plain file, as the recipe makes them")
        if not phase.files[path]:
            return FileProof(path, "tampered", "the recipe has no template for it")
        if path not in texts:
            return FileProof(path, "unproven", "its template can't be rendered here")
        return self._compare(commit, path, entry, texts[path].encode())

    def _is_plain(self, path: str, entry: Entry) -> bool:
        """Whether *entry* is a file, executable only if one at *path* was before: a person's choice stays."""
        in_base = self._ledger.in_base(path)
        was_executable = path in self._executable or (in_base and in_base.mode == EXECUTABLE)
        return entry.is_file and (entry.mode != EXECUTABLE or bool(was_executable))

    def _compare(self, commit: Commit, path: str, entry: Entry, content: bytes) -> FileProof:
        """Hold what *commit* has at *path* against the *content* that the recipe makes."""
        if entry.oid == object_id(content, commit.oid):
            return FileProof(path, "proven")
        trailers, state = commit.trailers, self._ledger.file(path)
        expected, has_edits = content, state.head is not None and state.head != state.generated
        brought = self._repository.blob(entry.oid)
        if has_edits and trailers and path not in trailers.discarded:
            for merged in self._merges(commit, path, content):
                if merged == brought:
                    return FileProof(path, "proven", MERGED)
                expected = merged if expected is content else expected
            if self._is_woven(state.head, content, brought):
                return FileProof(path, "unproven", "people's edits are in it, and how they were merged is not known")
        if any(step.oid == entry.oid for step in self._steps[path]):
            return FileProof(path, "unproven", "it is an earlier version of the file")
        return FileProof(path, "tampered", _NOT_MADE, first_difference(expected, brought))

    def _merges(self, commit: Commit, path: str, content: bytes) -> Iterator[bytes]:
        """Yield what a merge of *content* with the version that stood before can be: first as the bot merges."""
        state = self._ledger.file(path)
        merge = merge_files(self._repository, self._ledger, {path: content}, commit.oid, self._render_again)
        if path in merge.files:
            yield merge.files[path]
        if state.head is None or not state.head.is_file:
            return
        ours = self._repository.blob(state.head.oid)
        in_base = self._ledger.in_base(path)
        versions = [in_base.oid if in_base and in_base.is_file else None, *(step.oid for step in self._steps[path])]
        for oid in list(filter(None, dict.fromkeys(reversed(versions))))[:_MAX_BASES]:
            merged = merge_content(self._repository, self._repository.blob(oid), ours, content)
            if merged is not None:
                yield merged

    def _is_woven(self, head: Entry | None, content: bytes, brought: bytes) -> bool:
        """Whether each line of a file is one that stood before or one that the recipe makes."""
        if head is None or not head.is_file:
            return False
        known = {*self._repository.blob(head.oid).split(b"\n"), *content.split(b"\n")}
        return known.issuperset(brought.split(b"\n"))

    def _foreign(self, commit: Commit, path: str, entry: Entry | None, found: PlannedPhase) -> FileProof:
        """Judge a path that is not of the phase: one that it does not make any more is as the base has it."""
        if self._ledger.is_of(path, found.phase.key) and self._is_as_in_base(commit, path):
            return FileProof(path, "proven", RESTORED)
        owner = next((each for each in found.plan.phases if path in each.files), None)
        text = self._rendered(PlannedPhase(found.plan, owner)).get(path) if owner else None
        if entry and text is not None and entry.oid == object_id(text.encode(), commit.oid):
            return FileProof(path, "proven")
        return FileProof(path, "tampered", f"no file of phase {found.phase.key}")

    def _lacking(self, commit: Commit, trailers: Trailers, texts: Mapping[str, str]) -> Iterator[FileProof]:
        """Yield the files that the recipe makes, and that are neither in *commit* nor anywhere before."""
        told = {*trailers.missing, *trailers.conflict, *trailers.kept, *commit.changes}
        for path in texts:
            state = self._ledger.file(path)
            if path not in told and state.head is None and state.made is None and not self._ledger.is_blocked(path):
                yield FileProof(path, "tampered", "the recipe makes it, and the commit lacks it")

    # ---- rollbacks

    def _roll_back(self, commit: Commit, path: str, keys: Sequence[str]) -> FileProof:
        entry = commit.changes[path]
        if not any(self._ledger.is_of(path, key) for key in keys):
            return FileProof(path, "tampered", f"no file of phase {', '.join(keys)}")
        if self._is_as_in_base(commit, path) or (entry is None and self._ledger.is_inherited(path)):
            return FileProof(path, "proven", RESTORED)
        return FileProof(path, "tampered", "not as the base has it, which a rollback restores")

    def _is_as_in_base(self, commit: Commit, path: str) -> bool:
        """Whether *commit* left *path* as the base has it, or had it before people merged more of it."""
        entry = commit.changes[path]
        if entry == self._ledger.in_base(path):
            return True
        if commit.oid not in self._forks:
            self._forks[commit.oid] = self._repository.merge_base(f"{commit.oid}^", self._fork) if self._fork else None
        older = self._forks[commit.oid]
        return bool(older and older != self._fork) and entry == self._repository.entries(older or "", [path]).get(path)

    # ---- lines

    def _note(
        self, commit: Commit, judged: Mapping[str, FileProof], by: Origin, texts: Mapping[str, str] | None = None
    ) -> None:
        """Keep what *commit* made of each path; *by* is who made those that are not *judged*."""
        for path, entry in commit.changes.items():
            state, text = self._ledger.file(path), (texts or {}).get(path)
            is_alone = state.head is None or state.head == state.generated
            step = Step(
                entry.oid if entry and entry.is_file else None,
                by,
                is_whole=is_alone and by in ("bot", "model", "unproven"),
            )
            if proof := judged.get(path):
                step = _judged(step, proof, None if text is None else text.encode(), is_alone=is_alone)
            self._steps[path].append(step)
            if entry and entry.mode == EXECUTABLE:
                self._executable.add(path)

    def origins(self, phases: Sequence[Phase], inherited: InheritedPhases | None) -> list[FileOrigins]:
        """Return who wrote the lines of the files of *phases* that stand there once all commits are read.

        *inherited* is what the base has of them.
        """
        steps = {
            path: (phase.key, relevant([*self._before(phase.key, path, inherited), *self._steps[path]]))
            for phase in phases
            for path in phase.files
            if (head := self._ledger.file(path).head) and head.is_file
        }
        oids = list({step.oid: None for _, each in steps.values() for step in each if step.oid})
        contents = dict(zip(oids, self._repository.blobs(oids), strict=True))
        common = partial(common_lines, self._repository)
        return [FileOrigins(path, key, follow(each, contents, common)) for path, (key, each) in steps.items()]

    def _before(self, key: str, path: str, inherited: InheritedPhases | None) -> Iterator[Step]:
        """Yield what the base has at *path*, on top of what the bot once made of it."""
        entry = self._ledger.in_base(path)
        if entry is None or not entry.is_file:
            return
        made = inherited.generated.get(path) if inherited else None
        if inherited and made and made.entry and made.entry.is_file:
            record = inherited.records.get(key)
            source = made.trailers or (record.trailers if record else None)
            is_rendered = made.trailers is None and made.entry != entry  # else it is what stands there
            by_templates = is_rendered or (source is not None and source.provider == TEMPLATES)
            by: Origin = "bot" if by_templates else "model" if source and source.provider else "base"
            yield Step(made.entry.oid, by, is_whole=True)
        yield Step(entry.oid, "base")


def _judged(step: Step, proof: FileProof, rendered: bytes | None, *, is_alone: bool) -> Step:
    """Return *step* with whose its lines are by *proof*; *rendered* is what the recipe makes."""
    match proof.verdict:
        case "proven" if proof.why == RESTORED:
            return Step(step.oid, "base")
        case "proven":
            return Step(step.oid, "bot", is_whole=proof.why != MERGED)
        case "unproven":
            return Step(step.oid, "unproven", rendered, is_whole=is_alone and rendered is None)
    return Step(step.oid, "human", rendered)
