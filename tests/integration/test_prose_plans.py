"""Three descriptions in prose, from the first question to the last commit; the model overlooks sentences at first."""

from pathlib import Path

import pytest

from tests.gemini_client import phasebot
from tests.gemini_server import FakeGemini, ProseAuthor
from tests.repositories import git

DATA = Path(__file__).parents[1] / "data" / "prose"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tool-hire", "conduit", "fahrradwerkstatt"])
def test_every_sentence_is_in_the_plan_and_every_rule_reaches_its_phase(name: str, tmp_path: Path) -> None:
    author, folder = ProseAuthor(DATA / name), tmp_path / "it"
    (tmp_path / f"{name}.md").write_text(author.spec, encoding="utf-8")

    with FakeGemini(author) as fake:
        done = phasebot("generate", tmp_path / f"{name}.md", "--provider", "gemini", "--repo", folder, fake=fake)
        requests = list(fake.requests)

    assert done.returncode == 0, done.stderr
    assert git(folder, "show", f"phasebot/{name}:.phasebot/plan.yaml") == author.laid.text.rstrip("\n")
    first, second = (asked for asked in requests if not asked.paths)
    assert "<spec>" in first.prompt
    assert set(second.sentences.values()) >= {found["sentence"] for found in author.found}
    prompts = {author.phase(asked): asked.prompt for asked in requests if asked.paths}
    for feature in author.laid.plan.features:
        for text in (feature.does, *feature.rules):
            assert text.replace("<", "&lt;") in prompts[f"feature/{feature.name}"]
    for phase, instruction in author.laid.plan.instructions.items():
        assert instruction in prompts[phase]
    plan_commit = git(
        folder, "log", "-1", "--format=%(trailers:key=Phasebot-Tokens)", f"phasebot/{name}", "--grep", "plan"
    )
    assert plan_commit == "Phasebot-Tokens: in=2000 out=1000"
