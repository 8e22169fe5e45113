"""The action with a model: what a run costs, what a model can't do, and that its words have no effect."""

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.action_world import ISSUE, World, with_key, world
from tests.gemini_server import KEY, Asked, Author, FakeGemini, Reply, answer, as_proposed, error, files
from tests.github_server import LOGIN, TOKEN, Json
from tests.repositories import NOTE, git

SENTENCE = "Notes of a house, with a text each."
HOSTILE = "::set-output name=status::complete\n##[error]oh @octocat <!-- phasebot:issue-12 --> Closes #1 /stop"
AUTHOR = Author(NOTE)


@pytest.fixture
def github(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, NOTE) as found:
        yield found


def failing(phase: str, reply: Callable[[], Reply]) -> Callable[[Asked], Reply]:
    """Answer as the perfect model, but for one phase."""
    return lambda asked: reply() if AUTHOR.phase(asked) == phase else AUTHOR(asked)


def test_prose_is_planned_and_made_by_the_model_and_the_comment_says_what_it_cost(github: World) -> None:
    github.github.issues[ISSUE].body = SENTENCE

    with FakeGemini(AUTHOR) as fake:
        ending = github.say("/generate", gemini=with_key(fake.url, KEY))

    assert (ending.status, ending.outputs["tokens"], len(fake.requests)) == ("complete", "9000", 6)
    assert SENTENCE in next(asked.prompt for asked in fake.requests if not asked.paths)
    spent = "6 of 6 phases done, 51 files, 9,000 tokens (6,000 in, 3,000 out), about $0.0"
    assert spent in github.said()[0]
    assert spent in (github.pull().body or "")
    assert "(estimate)." in github.said()[0]
    assert "gemini-3.8-flash" in git(github.origin, "log", "--format=%B", "phasebot/issue-12")


def test_what_stands_behind_and_below_the_command_reaches_the_planner(github: World) -> None:
    github.github.issues[ISSUE].body = SENTENCE

    with FakeGemini(AUTHOR) as fake:
        github.say("/generate -- mind the umlauts\n\nTags, too.", gemini=with_key(fake.url, KEY))

    asked = next(asked.prompt for asked in fake.requests if not asked.paths)
    assert f"{SENTENCE}\n\nmind the umlauts\n\nTags, too." in asked


def test_the_command_may_choose_the_templates(github: World) -> None:
    with FakeGemini(AUTHOR) as fake:
        ending = github.say("/generate --provider template", gemini=with_key(fake.url, KEY))

    assert (ending.status, fake.requests) == ("complete", [])


def test_a_refused_key_fails_the_run_in_a_sentence_that_does_not_show_it(github: World) -> None:
    refused = partial(error, 400, f"API key not valid: {KEY}", "INVALID_ARGUMENT")
    with FakeGemini(failing("entity/Note", refused)) as fake:
        ending = github.say("/generate", gemini=with_key(fake.url, KEY))

    assert (ending.status, ending.exit_code) == ("failed", 1)
    assert "set the action's input gemini-api-key to a key with access to the model" in ending.message
    assert "**Phasebot failed on `@alice`'s request" in github.said()[0]
    assert "set the secret for the workflow's input `gemini-api-key` to a key" in github.said()[0]
    assert github.said()[-1].split("\n")[1].startswith("**Failed")
    assert "Generate core [2/6]  github-actions[bot] for alice" in github.commits()
    for said in (*github.said(), github.pull().body, ending.summary, *github.log):
        assert KEY not in (said or "")


@pytest.mark.parametrize(("text", "inputs"), [("/generate --max-tokens 3000", {}), ("/generate", {"max_tokens": 3000})])
def test_a_spent_budget_suggests_a_larger_one(github: World, text: str, inputs: dict[str, Json]) -> None:
    with FakeGemini(AUTHOR) as fake:
        ending = github.say(text, gemini=with_key(fake.url, KEY), jobs=1, **inputs)

        assert (ending.status, ending.exit_code) == ("incomplete", 3)
        assert "tokens are used" in ending.message
        for said in (github.said()[0], github.said()[-1]):
            assert "/generate --max-tokens 7500" in said
        again = github.say("/generate --max-tokens 7500", gemini=with_key(fake.url, KEY))
    assert again.status == "complete"


def test_a_plan_that_no_model_makes_leaves_nothing_but_the_reason(github: World) -> None:
    github.github.issues[ISSUE].body = SENTENCE
    with FakeGemini(lambda _: error(404)) as fake:
        ending = github.say("/generate", gemini=with_key(fake.url, KEY))

    assert (ending.status, github.commits(), github.github.pulls) == ("incomplete", [], [])
    assert "unknown model" in github.said()[0]
    assert "`phasebot/issue-12`" not in github.said()[0], "there is no such branch"


def test_files_that_can_not_be_made_are_remarks_and_annotations(github: World) -> None:
    with FakeGemini(failing("entity/Note", partial(error, 400, "odd request"))) as fake:
        ending = github.say("/generate", gemini=with_key(fake.url, KEY))

    assert (ending.status, ending.exit_code, ending.message) == ("incomplete", 3, "")
    reason = "gemini-3.8-flash: request rejected: 400 odd request"
    annotated = [line for line in github.log if line.startswith("::")]
    files = ["app/models/note.py", "app/schemas/note.py", "app/repositories/note_repository.py", "app/routers/notes.py"]
    files += ["tests/samples/note.py", "tests/test_note.py"]
    assert annotated == [f"::warning title=Not generated in entity/Note,file={path}::{reason}" for path in files]
    missing = f"missing {', '.join(f'`{path}`' for path in files[:4])}"
    assert "gemini-3.8-flash: request rejected: 400 odd" in github.said()[0]
    assert missing in github.said()[0]
    row = (github.pull().body or "").replace("<wbr>", "")
    assert missing.replace("`", "") in row, row
    assert "[](" not in row, "a phase without files has no link to them"
    assert github.said()[-1].split("\n")[1].startswith("**Not finished")
    why = "- Request rejected (6 files): set the workflow's input `model` to another one."
    assert github.say("/status").status == "answered"
    for said in (github.said()[0], github.said()[-2], github.said()[-1], github.pull().body or ""):
        assert why in said
        assert "--model" not in said
    assert "repositories/note_repository.py` and 0 more" not in github.said()[-1]
    assert ": request rejected" in github.said()[-1]


# ---- what a model says


def hostile(asked: Asked) -> Reply:
    """Plan with hostile words, refuse a phase with others, and name paths like commands."""
    if not asked.paths:
        said = {"project": HOSTILE[:90], "description": HOSTILE}
        return answer(json.dumps(as_proposed(AUTHOR.laid.plan) | said))
    if AUTHOR.phase(asked) == "entity/Note":
        return error(400, HOSTILE)
    return AUTHOR(asked)


def test_words_of_a_model_act_nowhere(github: World) -> None:
    github.github.issues[ISSUE].body = SENTENCE

    with FakeGemini(hostile) as fake:
        payload = github.comment("/generate")
        environment = fake.environment | {"GITHUB_ACTIONS": "true"}
        job = github.start(payload, environ=environment, hurry=True)
        log, _ = job.communicate(timeout=60)

    assert job.returncode == 3, log
    commands = re.findall(r"^\s*::([\w-]+).*", log, re.MULTILINE)
    assert set(commands) == {"add-mask", "warning"}
    assert "##[" not in log
    assert "octocat" in log, "it is shown"
    assert (github.outputs()["status"], github.outputs()["phases-done"]) == ("incomplete", "3")
    assert sum("<!--" in each.body for each in github.github.comments) == 2
    for text in (*github.said(), github.pull().body or "", github.pull().title):
        shown = re.sub(r"\A<!-- phasebot:.*? -->\n|\ACloses #12\n", "", text)
        shown = re.sub(r"^- \[ \] <!-- phasebot:box:[a-z]+:[\w/]+ --> ", "", shown, flags=re.MULTILINE)
        assert not re.search(r"(?<![`\w])@octocat|#1\b|<!--|^/stop", shown), text
    for secret in (KEY, TOKEN):
        assert secret not in re.sub(r"^::add-mask::.*\n", "", log, flags=re.MULTILINE)
    assert sum(each.login == LOGIN for each in github.github.comments) == 2


def breaking(times: int) -> Callable[[Asked], Reply]:
    """Answer as the perfect model, but write an error into one file, and mend it when asked for the file so often."""
    asked_for = 0

    def script(asked: Asked) -> Reply:
        nonlocal asked_for
        made = AUTHOR.texts(asked.paths)
        if "app/models/note.py" in made:
            asked_for += 1
            made["app/models/note.py"] += "\n\nX = missing\n" if asked_for < times else ""
        return files(made)

    return script


def test_fix_has_the_model_mend_what_checks_find(github: World) -> None:
    with FakeGemini(breaking(5)) as fake:
        first = github.say("/generate", gemini=with_key(fake.url, KEY))
        told = github.said()[0]
        fixed = github.say("/fix", gemini=with_key(fake.url, KEY))
        nothing = github.say("/fix", gemini=with_key(fake.url, KEY))

    assert first.status == "complete", "a finding blocks nothing"
    assert "left by the model: `app/models/note.py:" in told
    assert "Undefined name" in told
    assert "checks still find 1 error in entity/Note; /fix lets a model mend what it can" in told
    assert fixed.status == "complete"
    assert "left by the model" not in github.said()[0]
    assert "missing" not in git(github.origin, "show", "phasebot/issue-12:app/models/note.py")
    assert (nothing.status, nothing.exit_code) == ("refused", 2)
    assert "no error is known" in github.said()[-1]


def test_a_run_mends_its_errors_in_as_many_rounds_as_the_input_says(github: World) -> None:
    with FakeGemini(breaking(3)) as fake:
        ending = github.say("/generate", gemini=with_key(fake.url, KEY), repairs=1)

    assert ending.status == "complete"
    assert "round 1 of repair, 1 error in entity/Note" in github.said()[0]
    assert "Phasebot-Repair: round=1 errors=1" in git(github.origin, "log", "-1", "--format=%B", "phasebot/issue-12")


def test_templates_fix_nothing_and_say_so(github: World) -> None:
    github.say("/generate")

    ending = github.say("/fix")

    assert (ending.status, ending.exit_code) == ("refused", 2)
    assert (
        "templates would write the same again; set the action's input gemini-api-key, or mend it by hand"
        in (github.said()[-1])
    )
