"""Whole runs with a scripted provider, compared as one picture."""

import asyncio
import itertools
import time
from pathlib import Path

import pytest

from bot.cli.output import render_remaining
from bot.engine.requests import Requester, RunRequest
from bot.errors import Interrupted, ProviderError, UsageError
from bot.generation.provider import GenerationRequest, GenerationResult, Tokens
from bot.generation.templates import TemplateProvider
from bot.history.reasons import Reason
from tests.repositories import (
    House,
    ScriptedProvider,
    commit,
    git,
    leaving_out,
    new_repository,
    phases_of,
    picture,
    tree_of,
)
from tests.unit.values import BLOG

BLOG_PHASES = """\
Generate plan [1/9]  complete
Generate core [2/9]  complete
Generate support files [8/9]  complete
Generate entity User [3/9]  complete
Generate entity Post [4/9]  complete
Generate entity Comment [5/9]  complete
Generate entity Tag [6/9]  complete
Generate entity PostTag [7/9]  complete
Generate main application [9/9]  complete
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return new_repository(tmp_path / "blog")


def commits(folder: Path) -> str:
    """Return the commits of the picture after the first, which is a person's."""
    return picture(folder).partition("\n--\n")[0].partition("\n")[2] + "\n"


async def refuse(request: GenerationRequest) -> GenerationResult:
    raise ProviderError(f"asking for {request.phase.key}: the key is not valid; set another").with_code("key")


def test_a_run_commits_each_phase_the_moment_it_is_done(folder: Path) -> None:
    outcome = House(folder).run()

    assert outcome.state.complete
    assert outcome.error is None
    assert commits(folder) == BLOG_PHASES


def test_a_second_run_of_a_complete_one_asks_nothing_and_commits_nothing(folder: Path) -> None:
    House(folder).run()
    head = git(folder, "rev-parse", "phasebot/blog")
    again = House(folder)

    outcome = again.run()

    assert outcome.state.complete
    assert again.provider.asked == []
    assert git(folder, "rev-parse", "phasebot/blog") == head


def test_the_message_says_what_was_made_and_its_trailers_are_last(folder: Path) -> None:
    provider = ScriptedProvider({"entity/Tag": leaving_out("app/models/tag.py")})

    House(folder, provider=provider).run()

    message = git(folder, "log", "-1", "--format=%B", "--grep", "entity Tag", "phasebot/blog").split("\n")
    assert message[:7] == [
        *("Generate entity Tag [6/9]", "", "1 of 2 files, 0.0 s.", ""),
        *("Missing app/models/tag.py: the file does not parse", "", "Phasebot-Run: blog"),
    ]
    keys = [line.partition(":")[0] for line in message[6:]]
    assert keys == [
        f"Phasebot-{key}"
        for key in ("Run", "Phase", "Status", "Inputs", "Recipe", "Provider", "Model", "Tokens", "Missing", "Reason")
    ]


def test_an_entity_with_a_missing_file_keeps_the_others_and_the_run_goes_on(folder: Path) -> None:
    provider = ScriptedProvider({"entity/Post": leaving_out("app/models/post.py")})

    outcome = House(folder, provider=provider).run()

    assert not outcome.state.complete
    states = {each.phase.key: each for each in outcome.state.phases}
    assert states["entity/Post"].status == "partial"
    assert states["entity/Post"].missing == ("app/models/post.py",)
    assert states["entity/PostTag"].status == "complete"
    assert states["main"].status == "pending"
    assert outcome.state.tokens == (100, 20)
    assert "Generate entity Post [4/9]  partial  Phasebot-Missing: app/models/post.py\n" in commits(folder)


def test_a_rerun_makes_only_what_a_partial_phase_lacks(folder: Path) -> None:
    House(folder, provider=ScriptedProvider({"entity/Post": leaving_out("app/models/post.py")})).run()
    again = House(folder)

    outcome = again.run()

    assert again.provider.asked == [("entity/Post", ("app/models/post.py",)), ("main", ("main.py",))]
    assert outcome.state.complete
    assert [each.tokens for each in outcome.state.phases if each.phase.key == "entity/Post"] == [(100, 20)]


def in_vain(code: str, tokens: Tokens | None = None) -> ScriptedProvider:
    """Return a provider that makes no file of ``support``."""

    async def nothing(request: GenerationRequest) -> GenerationResult:
        reason = Reason(code, "the model said @alice")
        return GenerationResult({}, dict.fromkeys(request.paths, reason), tokens=tokens or Tokens())

    return ScriptedProvider({"support": nothing})


def test_why_a_phase_was_asked_for_in_vain_is_known_to_later_runs(folder: Path) -> None:
    outcome = House(folder, provider=in_vain("connection")).run()

    support = outcome.snapshot.phase("support")
    assert (support.status, support.files, support.missing) == ("partial", (), support.wanted)
    assert support.reasons == dict.fromkeys(support.missing, "connection")
    assert outcome.remaining == ["support"]
    assert outcome.snapshot.phase("main").status == "complete"
    assert "@alice" not in git(folder, "log", "--format=%B", "phasebot/blog")

    head = git(folder, "rev-parse", "phasebot/blog")
    assert House(folder, provider=in_vain("connection")).run().remaining == ["support"]
    assert git(folder, "rev-parse", "phasebot/blog") == head, "it would say nothing new"

    House(folder, provider=in_vain("quota")).run()
    assert phases_of(folder).count("support") == 2
    assert House(folder).run().state.complete


def test_the_last_line_names_reasons_and_phases_that_nobody_asked_for(folder: Path) -> None:
    request = RunRequest(only=["core", "support", "main"])

    outcome = House(folder, provider=in_vain("rate"), request=request).run()

    assert render_remaining(outcome) == (
        "support, main, which need entity/User, entity/Post, entity/Comment, entity/Tag, entity/PostTag; "
        "too many requests (2 files): run generate again in a few minutes, or lower --jobs; "
        "run generate for those, or for all phases"
    )


@pytest.mark.parametrize("tokens", [None, Tokens(100, 20)], ids=["free", "paid"])
def test_a_complete_phase_that_is_regenerated_in_vain_stays_as_it_is(folder: Path, tokens: Tokens | None) -> None:
    House(folder).run()
    before = picture(folder)
    again = House(folder, provider=in_vain("blocked", tokens), request=RunRequest(regenerate=["support"]))

    outcome = again.run()

    assert picture(folder) == before
    assert outcome.state.complete
    assert outcome.remaining == ["support"]
    assert set(outcome.snapshot.failures) == {"support"}
    assert render_remaining(outcome) == "support; blocked (2 files): reword the plan, then run generate again"


def test_a_phase_without_a_single_file_is_remembered_if_it_cost_tokens(folder: Path) -> None:
    provider = ScriptedProvider({"support": leaving_out("README.md", ".gitignore")})

    outcome = House(folder, provider=provider).run()

    support = next(each for each in outcome.state.phases if each.phase.key == "support")
    assert (support.status, support.files, support.tokens) == ("partial", (), (100, 20))
    assert House(folder).run().state.complete


def test_a_provider_that_gives_up_ends_the_run_with_what_was_finished(folder: Path) -> None:
    provider = ScriptedProvider({"entity/Tag": refuse})

    outcome = House(folder, provider=provider).run()

    assert isinstance(outcome.error, ProviderError)
    assert "entity/User" in phases_of(folder)
    assert "main" not in phases_of(folder)
    assert set(outcome.snapshot.phase("entity/Tag").reasons.values()) == {"key"}
    head = git(folder, "rev-parse", "phasebot/blog")
    House(folder, provider=provider).run()
    assert git(folder, "rev-parse", "phasebot/blog") == head
    assert House(folder).run().state.complete


def test_phases_run_at_the_same_time_within_jobs_and_needs(folder: Path) -> None:
    active: set[str] = set()
    seen: list[set[str]] = []

    async def slowly(request: GenerationRequest) -> GenerationResult:
        active.add(request.phase.key)
        seen.append(set(active))
        await asyncio.sleep(0.02)
        active.discard(request.phase.key)
        return await TemplateProvider().generate(request)

    keys = ("core", "support", "main", *(f"entity/{name}" for name in ("User", "Post", "Comment", "Tag", "PostTag")))
    provider = ScriptedProvider(dict.fromkeys(keys, slowly))
    House(folder, provider=provider, request=RunRequest(jobs=3)).run()

    assert max(map(len, seen)) == 3
    assert {"core", "support"} in seen
    assert {"main"} in seen
    assert all(not (now & {"core", "main"} and any(key.startswith("entity/") for key in now)) for now in seen)


def test_only_makes_the_named_phases(folder: Path) -> None:
    House(folder, request=RunRequest(only=("core", "entity/Tag"))).run()

    assert phases_of(folder) == ["plan", "core", "entity/Tag"]


def test_an_unknown_phase_lists_the_phases_nearest_first(folder: Path) -> None:
    with pytest.raises(UsageError, match="'entity/Pots' is not in the plan; phases are: entity/Post, "):
        House(folder, request=RunRequest(only=("entity/Pots",))).run()


def test_a_deadline_begins_no_phase_that_would_likely_take_longer(folder: Path) -> None:
    ticks = itertools.count()
    request = RunRequest(jobs=1, seconds=12)

    outcome = House(folder, request=request, timer=lambda: float(next(ticks))).run()

    assert not outcome.state.complete
    assert outcome.error is None
    assert 1 < len(phases_of(folder)) < 9
    assert House(folder).run().state.complete


def test_a_deadline_ends_a_phase_that_takes_for_ever(folder: Path) -> None:
    async def for_ever(_: GenerationRequest) -> GenerationResult:
        await asyncio.Event().wait()
        raise AssertionError

    provider = ScriptedProvider({"entity/Tag": for_ever})

    outcome = House(folder, provider=provider, request=RunRequest(seconds=1.5), timer=time.monotonic).run()

    assert not outcome.state.complete
    assert len(phases_of(folder)) == 7


def test_a_stop_cancels_what_is_under_way_and_keeps_what_is_done(folder: Path) -> None:
    house = House(folder)

    async def stop(_: GenerationRequest) -> GenerationResult:
        house.stop.set()
        await asyncio.Event().wait()
        raise AssertionError

    house.provider = ScriptedProvider({"entity/Tag": stop})

    outcome = house.run()

    assert isinstance(outcome.error, Interrupted)
    assert {"plan", "core", "support", "entity/User", "entity/Post", "entity/Comment"} <= set(phases_of(folder))
    assert "entity/Tag" not in phases_of(folder)


def test_a_plan_edited_on_the_branch_makes_only_what_it_changes(folder: Path) -> None:
    git(folder, "switch", "--quiet", "-c", "phasebot/blog")
    House(folder).run()
    plan = (folder / ".phasebot" / "plan.yaml").read_text()
    commit(
        folder,
        "Give posts a subtitle",
        {".phasebot/plan.yaml": plan.replace("title: string", "title: string\n    subtitle: string?")},
    )
    again = House(folder)

    outcome = again.run()

    assert [key for key, _ in again.provider.asked] == ["entity/Post", "support"]
    assert outcome.state.complete
    assert "subtitle" in git(folder, "show", "HEAD:app/models/post.py")
    assert [each.stale for each in outcome.state.phases if each.phase.key == "main"] == ["dependency"]


def test_a_persons_edit_survives_a_phase_that_is_made_again(folder: Path) -> None:
    git(folder, "switch", "--quiet", "-c", "phasebot/blog")
    House(folder).run()
    model = folder / "app" / "models" / "post.py"
    mine = "import mine\n" + model.read_text()
    plan = (folder / ".phasebot" / "plan.yaml").read_text()
    changed = plan.replace("author: -> User", "author: -> User\n    summary: text?", 1)
    commit(folder, "Mine", {"app/models/post.py": mine, ".phasebot/plan.yaml": changed})

    outcome = House(folder).run()

    assert model.read_text().startswith("import mine\n")
    assert "summary" in model.read_text()
    assert [each.edited for each in outcome.state.phases if each.phase.key == "entity/Post"] == [
        ("app/models/post.py",)
    ]
    assert outcome.state.complete


def test_a_broken_plan_names_the_commit_and_the_line(folder: Path) -> None:
    git(folder, "switch", "--quiet", "-c", "phasebot/blog")
    House(folder).run()
    plan = (folder / ".phasebot" / "plan.yaml").read_text()
    oid = commit(folder, "Break it", {".phasebot/plan.yaml": plan.replace("title: string", "title: strng")})

    with pytest.raises(UsageError, match=r"line 13: 'title: strng': unknown type 'strng'; did you mean 'string'"):
        House(folder).run()

    assert git(folder, "rev-parse", "HEAD") == oid


def test_a_reverted_phase_is_made_again(folder: Path) -> None:
    git(folder, "switch", "--quiet", "-c", "phasebot/blog")
    House(folder).run()
    tree = tree_of(folder)
    post = git(folder, "log", "-1", "--format=%H", "--grep", "entity Post ")
    git(folder, "revert", "--no-edit", post)
    again = House(folder)

    outcome = again.run()

    assert [key for key, _ in again.provider.asked] == ["entity/Post"]
    assert outcome.state.complete
    assert tree_of(folder) == tree


def test_a_phase_commit_dropped_by_a_reset_is_made_again(folder: Path) -> None:
    House(folder).run()
    tree = tree_of(folder)
    git(folder, "branch", "--force", "phasebot/blog", "phasebot/blog~3")
    again = House(folder)

    again.run()

    assert [key for key, _ in again.provider.asked] == ["entity/Tag", "entity/PostTag", "main"]
    assert tree_of(folder) == tree


def test_a_spec_that_changed_does_not_change_the_plan_in_history(folder: Path) -> None:
    House(folder).run()
    head = git(folder, "rev-parse", "phasebot/blog")

    House(folder, spec=BLOG + "- Extra: name string\n").run()

    assert git(folder, "rev-parse", "phasebot/blog") == head


@pytest.mark.parametrize("how", ["--ff-only", "--no-ff"])
def test_a_run_that_was_merged_is_still_complete(folder: Path, how: str) -> None:
    House(folder).run()
    head = git(folder, "rev-parse", "phasebot/blog")
    git(folder, "merge", "--quiet", how, "--no-edit", "phasebot/blog")
    again = House(folder)

    outcome = again.run()

    assert outcome.state.complete
    assert again.provider.asked == []
    assert git(folder, "rev-parse", "phasebot/blog") == head


def test_a_merge_of_main_into_the_branch_is_a_persons_commit_like_any_other(folder: Path) -> None:
    House(folder, request=RunRequest(only=("core", "support"))).run()
    commit(folder, "Main moves on", {"LICENSE": "some\n"})
    git(folder, "switch", "--quiet", "phasebot/blog")
    git(folder, "merge", "--quiet", "--no-edit", "main")
    again = House(folder)

    outcome = again.run()

    assert outcome.state.complete
    assert "core" not in [key for key, _ in again.provider.asked]
    assert (folder / "LICENSE").read_text() == "some\n"


def test_who_asked_for_a_run_stands_in_its_commits(folder: Path) -> None:
    House(folder, requested=Requester("alice", "2381234567")).run()

    form = "%(trailers:key=Phasebot-Requested-By,valueonly,separator=%x2C) %(trailers:key=Phasebot-Comment,valueonly)"
    assert git(folder, "log", "-1", f"--format={form}", "phasebot/blog").strip() == "alice 2381234567"
