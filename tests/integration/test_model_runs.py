"""Whole runs with a model: the real client, a loopback service, real repositories, compared as pictures."""

import asyncio
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from bot.engine.requests import RunRequest
from bot.engine.snapshot import Snapshot
from bot.errors import BudgetExceeded, ProviderError, UsageError
from tests.gemini_client import MODELS, SENTENCE, TEN, body_of, commits, run, spoiling
from tests.gemini_server import KEY, Asked, Author, FakeGemini, Reply, answer, error, quota
from tests.repositories import Recorder, commit, git, new_repository, tree_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return new_repository(tmp_path / "blog")


@pytest.fixture
def whole(tmp_path: Path) -> str:
    """Return the tree of the blog, made without a single mishap."""
    with FakeGemini(Author()) as fake:
        run(new_repository(tmp_path / "reference"), fake)
    return tree_of(tmp_path / "reference")


# ---- a sentence in, ten commits out


def test_a_sentence_becomes_a_plan_and_ten_commits_one_request_each(folder: Path) -> None:
    author = Author()
    with FakeGemini(author) as fake:
        outcome = run(folder, fake, spec=SENTENCE)

    assert outcome.error is None
    assert commits(folder) == TEN
    assert sorted(map(author.phase, fake.requests)) == sorted(phase.key for phase in author.laid.phases)
    assert outcome.state.tokens == (10_000, 5_000)
    assert dict(outcome.state.models) == {"gemini-3.8-flash": (10_000, 5_000)}
    assert "Phasebot-Provider: gemini\nPhasebot-Model: gemini-3.8-flash\nPhasebot-Tokens: in=1000 out=500" in (
        body_of(folder, "plan")
    )


def test_a_spec_in_the_exact_form_needs_no_request_to_be_planned(folder: Path) -> None:
    author = Author()
    with FakeGemini(author) as fake:
        run(folder, fake)

    assert "plan" not in map(author.phase, fake.requests)
    assert "Phasebot-Model" not in body_of(folder, "plan")


def test_a_finished_run_asks_nothing_when_it_is_run_again(folder: Path) -> None:
    with FakeGemini(Author()) as fake:
        run(folder, fake, spec=SENTENCE)
        before = len(fake.requests)
        announcer = Recorder()

        assert run(folder, fake, spec=SENTENCE, announcer=announcer).state.complete
        assert run(folder, fake, spec=None).state.complete
        assert len(fake.requests) == before

    assert len(announcer.notes) == 1
    assert announcer.notes[0].startswith("phasebot/blog keeps its plan; edit plan.yaml there")


def test_later_phases_are_shown_what_people_made_of_earlier_ones(folder: Path) -> None:
    author = Author()
    with FakeGemini(author) as fake:
        run(folder, fake, request=RunRequest(only=("core",)))
        git(folder, "switch", "--quiet", "phasebot/blog")
        commit(folder, "Rename a thing", {"app/core/errors.py": "# renamed by a person\n"})
        run(folder, fake)

    assert all("# renamed by a person" in asked.prompt for asked in fake.requests if author.phase(asked) == "main")
    assert all("# renamed by a person" in asked.prompt for asked in fake.requests if "entity" in author.phase(asked))


def test_at_most_jobs_requests_are_under_way(folder: Path) -> None:
    with FakeGemini(Author(latency=0.5)) as fake:
        run(folder, fake, request=RunRequest(jobs=3))

    assert fake.most == 3


# ---- answers that can't be taken


def test_a_file_that_does_not_parse_is_asked_for_again_alone(folder: Path, whole: str) -> None:
    def spoil(asked: Asked, made: dict[str, str]) -> dict[str, str]:
        if len(asked.paths) > 1 and "app/models/post.py" in made:
            made["app/models/post.py"] = "class Post(:\n"
        return made

    with FakeGemini(spoiling(spoil)) as fake:
        assert run(folder, fake).state.complete

    again = [asked for asked in fake.requests if asked.paths == ("app/models/post.py",)]
    assert len(again) == 1
    assert "Your last app/models/post.py was refused: line 1 does not parse" in again[0].prompt
    assert tree_of(folder) == whole


def no_post(_: Asked, made: dict[str, str]) -> dict[str, str]:
    return made | ({"app/models/post.py": "# TODO\n"} if "app/models/post.py" in made else {})


def test_a_file_that_stays_bad_makes_its_phase_partial_and_a_rerun_asks_for_it_alone(folder: Path, whole: str) -> None:
    with FakeGemini(spoiling(no_post)) as fake:
        outcome = run(folder, fake)
        assert [asked.paths for asked in fake.requests].count(("app/models/post.py",)) == 2

    assert not outcome.state.complete
    assert outcome.error is None
    assert commits(folder) == [
        *TEN[:3],
        f"{TEN[3][:-8]}partial  Phasebot-Missing: app/models/post.py",
        *TEN[4:7],
        TEN[8],
    ]
    assert "5 of 6 files" in body_of(folder, "entity/Post")
    assert "\nMissing app/models/post.py: the file holds a placeholder\n" in body_of(folder, "entity/Post")
    assert "\nPhasebot-Reason: placeholder app/models/post.py\n" in body_of(folder, "entity/Post") + "\n"
    assert "TODO" not in git(folder, "log", "--format=%B", "phasebot/blog")

    with FakeGemini(Author()) as fake:
        assert run(folder, fake).state.complete
        assert [asked.paths for asked in fake.requests] == [
            ("app/models/post.py",),
            ("migrations/versions/0001.py",),
            ("app/api.py", "main.py"),
        ]
        assert 'path="app/schemas/post.py"' in fake.requests[0].prompt
    assert tree_of(folder) == whole


def test_the_fallback_fills_what_the_model_can_not_and_says_so(folder: Path, whole: str) -> None:
    with FakeGemini(spoiling(no_post)) as fake:
        outcome = run(folder, fake, fallback=True)

    assert outcome.state.complete
    assert tree_of(folder) == whole
    assert "\nPhasebot-Fallback: app/models/post.py\n" in body_of(folder, "entity/Post")
    assert "Phasebot-Missing" not in git(folder, "log", "--format=%B", "phasebot/blog")


HOSTILE = [
    {"path": "../outside.py", "content": "x = 1\n"},
    {"path": "/etc/cron.d/evil", "content": "x"},
    {"path": "C:\\evil.py", "content": "x"},
    {"path": ".github/workflows/evil.yml", "content": "on: push\n"},
    {"path": ".git/hooks/post-checkout", "content": "#!/bin/sh\n"},
    {"path": "app/models/User.py", "content": "x = 1\n"},
    {"path": "app/models/nul\0.py", "content": "x = 1\n"},
    {"path": "main.py", "content": "x = 1\n"},
    {"path": "link", "target": "/etc/passwd", "mode": "120000"},
    {"path": "app/models/\u202eyp.resu", "content": "x = 1\n"},
    ["app/models/user.py", "x = 1\n"],
    "app/models/user.py",
    None,
]


def test_hostile_entries_are_refused_one_by_one_counted_and_never_written(folder: Path, whole: str) -> None:
    author, announcer = Author(), Recorder()

    def script(asked: Asked) -> Reply:
        made = author.texts(asked.paths)
        hostile = [entry for entry in HOSTILE if not (isinstance(entry, dict) and entry["path"] in asked.paths)]
        entries = [*hostile, *({"path": path, "content": text} for path, text in made.items())]
        return answer(json.dumps({"files": entries}))

    with FakeGemini(script) as fake:
        assert run(folder, fake, announcer=announcer).state.complete
        assert len(fake.requests) == 9

    assert tree_of(folder) == whole
    message = body_of(folder, "entity/User")
    assert f"\nRefused {len(HOSTILE)} files that nobody asked for.\n" in message
    for path in ("outside", "evil", "nul"):
        assert path not in git(folder, "log", "--format=%B", "phasebot/blog")
    (told,) = (note for note in announcer.notes if note.startswith("entity/User: discarded, because nobody asked for"))
    assert "'../outside.py': leaves the project; " in told
    assert "'.github/workflows/evil.yml': configures git or GitHub, so it is never generated; " in told
    assert "'app/models/nul\\x00.py'" in told
    assert told.isascii()
    assert git(folder, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    "content",
    ["x = '\0'\n", "x = '\ud800'\n", "# " + "x" * 1_500_000, "\ufeffx = 1\n", "x = '\u202e'\n", f"key = '{KEY}'\n"],
    ids=["nul", "surrogate", "large", "bom", "bidi", "secret"],
)
def test_a_hostile_content_is_refused_and_its_phase_partial(folder: Path, content: str) -> None:
    def spoil(_: Asked, made: dict[str, str]) -> dict[str, str]:
        return made | ({"app/models/user.py": content} if "app/models/user.py" in made else {})

    with FakeGemini(spoiling(spoil)) as fake:
        outcome = run(folder, fake, request=RunRequest(only=("core", "entity/User")))

    assert commits(folder)[2] == f"{TEN[2][:-8]}partial  Phasebot-Missing: app/models/user.py"
    assert outcome.error is None
    assert KEY not in git(folder, "log", "-p", "--all")


def test_an_answer_that_is_cut_off_is_split_and_what_came_through_is_kept(folder: Path, whole: str) -> None:
    def spoil(_: Asked, made: dict[str, str]) -> Mapping[str, str] | Reply:
        text = json.dumps({"files": [{"path": path, "content": text} for path, text in made.items()]})
        return answer(text[:6_000], "MAX_TOKENS") if len(text) > 6_000 and len(made) > 1 else made

    with FakeGemini(spoiling(spoil)) as fake:
        assert run(folder, fake).state.complete

    assert tree_of(folder) == whole


# ---- a service that fails


def test_a_refused_key_stops_the_run_with_what_was_finished_and_does_not_show_it(folder: Path) -> None:
    author = Author()
    invalid = partial(error, 400, f"API key not valid: {KEY}", "INVALID_ARGUMENT")

    with FakeGemini(lambda asked: author(asked) if "core" in author.phase(asked) else invalid()) as fake:
        outcome = run(folder, fake)

    assert isinstance(outcome.error, ProviderError)
    assert "set GEMINI_API_KEY" in str(outcome.error)
    assert KEY not in str(outcome.error)
    assert {"plan", "core"} == {each.phase.key for each in outcome.state.phases if not each.wanted}
    rejected = [each for each in outcome.state.phases if each.reasons]
    assert rejected, "a later status knows the reason"
    assert {code for each in rejected for code in each.reasons.values()} == {"key"}
    assert not any(each.files for each in rejected)


def test_a_used_up_quota_goes_on_with_the_next_model_and_the_commits_name_it(folder: Path) -> None:
    author = Author()
    used_up = partial(error, 429, "quota", "RESOURCE_EXHAUSTED", [quota("GenerateRequestsPerDayPerProjectPerModel")])
    announcer = Recorder()

    with FakeGemini(lambda asked: author(asked) if asked.model == MODELS[1] else used_up()) as fake:
        outcome = run(folder, fake, announcer=announcer)

    assert outcome.state.complete
    assert list(outcome.state.models) == [MODELS[1]]
    assert [note for note in announcer.notes if "continuing with" in note] == [
        f"{MODELS[0]}: quota used up: 429 quota; continuing with {MODELS[1]}"
    ]


def test_when_no_model_answers_the_phase_stops_and_the_others_go_on(folder: Path) -> None:
    author = Author()

    with FakeGemini(lambda asked: error(503) if author.phase(asked) == "entity/Tag" else author(asked)) as fake:
        outcome = run(folder, fake)

    assert outcome.error is None
    assert [each.phase.key for each in outcome.state.phases if each.wanted] == ["entity/Tag", "migration", "main"]
    with FakeGemini(author) as fake:
        assert run(folder, fake).state.complete
        assert list(map(author.phase, fake.requests)) == ["entity/Tag", "migration", "main"]


# ---- the budget


def test_a_run_stops_before_it_needs_more_tokens_than_it_may_use(folder: Path) -> None:
    with FakeGemini(Author(latency=0.02)) as fake:
        outcome = run(folder, fake, request=RunRequest(max_tokens=6_000))
        assert len(fake.requests) == 4

    assert isinstance(outcome.error, BudgetExceeded)
    assert sum(outcome.state.tokens) == 6_000
    assert len(commits(folder)) == 5

    with FakeGemini(Author()) as fake:
        assert isinstance(run(folder, fake, request=RunRequest(max_tokens=7_400)).error, BudgetExceeded)
        assert fake.requests == []
        assert run(folder, fake, request=RunRequest(max_tokens=13_500)).state.complete


def test_a_budget_stops_nothing_that_was_not_to_be_done(folder: Path) -> None:
    with FakeGemini(Author()) as fake:
        outcome = run(folder, fake, request=RunRequest(max_tokens=1_500, only=("core",)))

    assert outcome.error is None
    assert outcome.remaining == []
    assert not outcome.state.complete


def test_a_budget_that_is_spent_in_the_middle_of_a_phase_keeps_its_files(folder: Path) -> None:
    with FakeGemini(spoiling(no_post)) as fake:
        outcome = run(folder, fake, request=RunRequest(max_tokens=4_500, only=("core", "entity/Post")), fallback=True)
        assert len(fake.requests) == 3

    assert sum(outcome.state.tokens) == 4_500
    assert commits(folder)[2] == f"{TEN[3][:-8]}partial  Phasebot-Missing: app/models/post.py"
    assert "Phasebot-Fallback" not in body_of(folder, "entity/Post")


# ---- interruptions


def test_a_stop_in_the_middle_of_repairs_keeps_the_files_that_are_paid_for(folder: Path) -> None:
    stop = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    def spoil(asked: Asked, made: dict[str, str]) -> Mapping[str, str] | Reply:
        if asked.paths == ("app/models/post.py",):
            loops[0].call_soon_threadsafe(stop.set)
            return Reply(wait=0.5)
        return no_post(asked, made)

    class Watching(Recorder):
        def show(self, snapshot: Snapshot) -> None:
            loops.append(asyncio.get_running_loop())
            super().show(snapshot)

    with FakeGemini(spoiling(spoil)) as fake:
        outcome = run(folder, fake, stop=stop, announcer=Watching())

    assert outcome.error is not None
    assert outcome.error.exit_code == 130
    assert commits(folder)[3] == f"{TEN[3][:-8]}partial  Phasebot-Missing: app/models/post.py"


def test_a_deadline_during_planning_leaves_nothing_behind(folder: Path) -> None:
    with FakeGemini(Author(latency=1.0)) as fake:
        outcome = run(folder, fake, spec=SENTENCE, request=RunRequest(seconds=0.2))

    assert outcome.error is not None
    assert outcome.error.exit_code == 3
    assert not outcome.state.complete
    assert git(folder, "branch", "--list", "phasebot/*") == ""


def test_an_over_long_description_is_refused_before_any_request(folder: Path) -> None:
    with FakeGemini(Author()) as fake, pytest.raises(UsageError, match="200,000 characters are too many"):
        run(folder, fake, spec="word " * 40_000)

    assert fake.requests == []
