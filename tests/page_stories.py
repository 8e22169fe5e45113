"""Runs that the page is looked at with: complete, in trouble, large, hostile.  Plain values, without git."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.assessment.finding import Finding
from bot.history.causes import Change, Conflict, Edit, Missing, PlanChange, Reverted
from bot.history.explanation import Explanation
from bot.history.ledger import derive_state
from bot.history.run_state import Commit, RunState
from bot.page.page_facts import PageFacts
from bot.planning.entities import Item
from bot.planning.phases import Phase
from bot.planning.plan import Plan
from bot.planning.resolved_plan import ResolvedPlan, resolve_exact_spec
from bot.planning.schema_changes import MigrationStart
from bot.verification.verdict import CommandResult, Counts, Verification, Verified
from tests.unit.values import BLOG, SOURCE, blob, bot_commit, human_commit, rollback

_BEGIN = 1_795_795_200
"""27 Nov 2026, 16:00 UTC."""
_ADA, _BOB = "Ada Lovelace <ada@example.com>", "Bob <bob@example.com>"
REPOSITORY = "https://github.com/acme/blog"
HOSTILE_TEXT = "<script>alert(1)</script><img src=https://evil.example/x onerror=alert(1)>\"'`{{7*7}}&amp;"
_DIFF = '@@ -1,4 +1,4 @@\n """Posts."""\n-PAGE = 50  # as the customer wants it\n+PAGE = 20\n \n def f():'
HIDDEN = "a\u202egnp.exe\u200b\u2066\x1b[31m\ufeff"


def resolved(spec: str) -> ResolvedPlan:
    """Read a spec into a plan with its phases."""
    found = resolve_exact_spec(spec, source=SOURCE, project="Untitled", recipe="fastapi", output_dir=".")
    return found.on(MigrationStart())


def large_spec(number: int) -> str:
    """Return a spec of so many entities: departments of a firm, in which most refer to what is near."""
    words = ("Order", "Invoice", "Ticket", "Shipment", "Account", "Contract", "Asset", "Visit", "Course", "Recipe")
    lines = []
    for place in range(number):
        name = f"{words[place % len(words)]}{place:03}"
        parts = ["name string(80)", "note text?", "amount decimal(10,2)", "state enum(open|done) = open"]
        near = place - place % 10
        if place % 10:
            parts.append(f"owner -> {words[near % len(words)]}{near:03}")
        if place % 10 > 1:
            parts.append(f"before -> {words[(place - 1) % len(words)]}{place - 1:03}?")
        if place % 30 == 10:
            parts.append(f"above -> {words[(place - 10) % len(words)]}{place - 10:03}?")
        lines.append(f"- {name}: {', '.join(parts)}")
    return "# Firm\n\n" + "\n".join(lines) + "\n"


def at(commit: Commit, seconds: float, took: float | None = None, author: str = "") -> Commit:
    """Return *commit* as made so many seconds after the beginning; *took* is in its message."""
    body = "" if took is None else f"6 of 6 files, {took:.1f} s.\n"
    return replace(commit, time=_BEGIN + int(seconds), body=body, author=author or commit.author)


def state_of(phases: Sequence[Phase], commits: Sequence[Commit]) -> RunState:
    """Return the state that *commits* lead to."""
    ledger = derive_state("blog", {}, commits)
    return RunState(
        run="issue-12",
        branch="phasebot/issue-12",
        base="main",
        head=commits[-1].oid if commits else "",
        phases=[ledger.state(phase) for phase in phases],
        tokens=ledger.tokens,
        models=ledger.models,
        pushed=True,
    )


def oid_of(place: int) -> int:
    """Return the number of a commit whose id looks like one."""
    return place * 0x1A2B3C4D5E6F << 108


def sizes_of(state: RunState) -> Mapping[str, int]:
    """Return a size for each file that is there."""
    paths = [path for each in state.phases for path in each.files]
    return {path: 137 * (place + 1) * len(path) % 9_000 + 12 for place, path in enumerate(paths)}


def made(phases: Sequence[Phase], model: str | None = "gemini-3.8-flash") -> list[Commit]:
    """Return the commits of *phases*, one after the other."""
    tokens = (4100, 1020) if model else None
    return [
        at(bot_commit(oid_of(place), phase, model=model, tokens=tokens), 14 * place, 11.5 + place % 4)
        for place, phase in enumerate(phases, 1)
    ]


def facts(plan: Plan, phases: Sequence[Phase], commits: Sequence[Commit]) -> PageFacts:
    """Return the facts of a run with a model."""
    state = state_of(phases, commits)
    cost = "about $0.0213 (estimate)" if any(state.tokens) else ""
    costs = {each.phase.key: "about $0.0021 (estimate)" for each in state.phases if any(each.tokens)}
    return PageFacts(
        state=state, commits=commits, plan=plan, sizes=sizes_of(state), cost=cost, costs=costs, repository=REPOSITORY
    )


def verified(*findings: Finding, tests: Counts, is_current: bool = True) -> Verified:
    """Return what commands said: ruff well, pytest with *findings*."""
    commands = [
        CommandResult(run=["ruff", "check", "."], folder=".", ending="passed", seconds=0.4),
        CommandResult(
            run=["python", "-m", "pytest", "-q"],
            folder=".",
            ending="failed" if findings else "passed",
            tests=tests,
            findings=findings,
            seconds=38.2,
        ),
    ]
    return Verified(Verification(tree="1" * 40, commands=commands, isolation="Apart.", expected=2), is_current)


def complete() -> PageFacts:
    """The blog, made by a model, and verified."""
    found = resolved(BLOG)
    return replace(facts(found.plan, found.phases, made(found.phases)), verified=verified(tests=Counts(75, 0, 0)))


def trouble() -> PageFacts:
    """The blog, half done: missing files, edits, a conflict, a rollback, findings, things left out."""
    found = resolved(BLOG)
    phases = found.phases
    user, post, comment = (
        next(each for each in phases if each.key == f"entity/{name}") for name in ("User", "Post", "Comment")
    )
    missing, user_file, post_file = [*comment.files][2:4], next(iter(user.files)), [*post.files][3]
    edit = at(human_commit(oid_of(40), {user_file: blob(1), "docs/notes.md": blob(2)}), 90, author=_ADA)
    late = at(human_commit(oid_of(41), {post_file: blob(4)}), 54_000, author=_BOB)
    again = bot_commit(
        oid_of(42), post, changes={}, conflict=[post_file], model="gemini-3.8-flash", tokens=(5200, 1400)
    )
    partial = bot_commit(
        oid_of(43), comment, status="partial", missing=missing, reason="unparsable", model="gemini-3.7-flash",
        tokens=(3900, 700),
    )  # fmt: skip
    first = made(phases)
    commits = [
        *first[:4],
        edit,
        *first[5:7],
        late,
        at(again, 54_120, 17.3),
        at(partial, 54_140, 31.8),
        at(rollback(oid_of(44), "entity/Tag"), 54_400),
    ]
    plan = found.plan.model_copy(
        update={
            "collections": {
                "features": (
                    Item(name="Feed", does="`GET /feed` returns the newest posts, paged.", uses=("Post",)),
                    Item(name="Search", does="Finds posts by words.", rules=("Case does not matter.",)),
                )
            },
            "rules": ("A comment has at most 2,000 characters.",),
            "left_out": ("sending mail", "pictures in posts"),
            "instructions": {"main": "Serve everything below /api."},
        }
    )
    given = facts(plan, phases, commits)
    states = {each.phase.key: each for each in given.state.phases}
    ada, bob = Change(edit.oid, "Ada Lovelace"), Change(late.oid, "Bob")
    causes = {
        "entity/User": (
            Edit(user_file, (ada,)),
            PlanChange("entities.User.fields.bio", "User.bio", "text?", "text(500)?", (ada,)),
        ),
        "entity/Post": (Conflict(post_file, (bob,)),),
        "entity/Comment": tuple(Missing(path, "unparsable") for path in missing),
        "entity/Tag": (Reverted((Change(commits[-1].oid, "bob"),)),),
    }
    findings = [
        Finding(
            path=user_file, line=12, rule="test-failed", phase="entity/User",
            message="tests/test_users.py::test_create: assert 201 == 422",
        ),
        *(
            Finding(
                path="app/routers/post_tags.py", line=number, rule="test-failed", phase="entity/PostTag",
                message=f"test_{number}: no",
            )
            for number in range(1, 9)
        ),
        Finding(path="app/main.py", rule="F401", severity="warning", message="unused import", phase="main"),
    ]  # fmt: skip
    return replace(
        given,
        explained={key: Explanation(states[key], None, each) for key, each in causes.items()},
        verified=verified(*findings, tests=Counts(66, 9, 1)),
        rejected={post_file: _DIFF},
        notes=["phasebot/issue-12 keeps its plan, which differs from this spec"],
        by_comments=True,
        version="0.1.0",
    )


def large(number: int = 500) -> PageFacts:
    """A run of so many entities, made by templates, of which a few are not done."""
    found = resolved(large_spec(number))
    commits = [
        at(bot_commit(oid_of(place) % (1 << 160), phase), place // 3, 0.9)
        for place, phase in enumerate(found.phases, 1)
        if place % 97
    ]
    return replace(facts(found.plan, found.phases, commits), repository="")


def hostile() -> PageFacts:
    """The blog with names, paths and messages of an attacker, and with very long ones."""
    found, long = resolved(BLOG), "x" * 400
    paths = {f"app/{HOSTILE_TEXT}/{HIDDEN}.py": "", f"{long}.py": "", "app/\u202eevil.py": ""}
    nasty = [
        replace(found.phases[2], key=HOSTILE_TEXT, title=HOSTILE_TEXT, files=paths),
        replace(found.phases[3], key=long, title=long),
        replace(found.phases[4], title=HIDDEN),
    ]
    phases = [*found.phases[:2], *nasty]
    person = human_commit(oid_of(30), {path: blob(9) for path in paths})
    commits = [
        *made(phases, model=HOSTILE_TEXT),
        at(person, 200, author=f"{HOSTILE_TEXT}{HIDDEN} <x@example.com>"),
        at(bot_commit(oid_of(31), phases[3], conflict=[*phases[3].files][:1]), 230, 4),
    ]
    entities = tuple(each.model_copy(update={"rules": (HOSTILE_TEXT, HIDDEN, long)}) for each in found.plan.entities)
    plan = found.plan.model_copy(
        update={
            "project": HOSTILE_TEXT,
            "description": f"{HOSTILE_TEXT}\n{HIDDEN}\n{long}",
            "entities": entities,
            "rules": (HOSTILE_TEXT, long),
            "left_out": (HIDDEN,),
            "options": {"auth": HOSTILE_TEXT},
            "instructions": {HOSTILE_TEXT: HOSTILE_TEXT},
            "collections": {
                HOSTILE_TEXT: (Item(name=HOSTILE_TEXT, does=long, uses=(HOSTILE_TEXT,), rules=(HOSTILE_TEXT,)),)
            },
        }
    )
    finding = Finding(
        path=HOSTILE_TEXT, line=1, rule=HOSTILE_TEXT, message=f"{HOSTILE_TEXT} {long}", phase=HOSTILE_TEXT
    )
    given = facts(plan, phases, commits)
    return replace(
        given,
        state=replace(given.state, base=HOSTILE_TEXT),
        verified=verified(finding, tests=Counts(0, 1, 0)),
        rejected={HOSTILE_TEXT: f"@@ {HOSTILE_TEXT}\n+{HIDDEN}\n-{long}"},
        makers={phases[1].key: HOSTILE_TEXT},
        notes=[HOSTILE_TEXT, long],
        cost=HOSTILE_TEXT,
    )


def nothing() -> PageFacts:
    """A run that nothing was made of yet."""
    return PageFacts(state=state_of((), ()))


STORIES = {"complete": complete, "trouble": trouble, "hostile": hostile, "nothing": nothing}
