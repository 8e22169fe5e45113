"""A recipe without entities: pages of which some use others, and notes whose files the plan lists, in whole runs."""

from pathlib import Path

import pytest

from bot.errors import Interrupted
from bot.generation.provider import GenerationRequest, GenerationResult
from tests.history_picture import bot, well, work
from tests.repositories import DATA, ScriptedProvider, commit, git, new_repository, phasebot_here, trust

SITE = DATA / "recipes" / "site"
PAGES = """\
project: Site
entities: {}
pages:
  Home: Greets. Uses Blog, Contact.
  Blog: Lists posts. Uses Post.
  Post: {does: Shows a post.}
  Contact: {does: Tells where we are.}
"""
NOTES = "notes:\n  Terms: {does: Says what holds., files: [terms.md, legal/terms.txt]}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = new_repository(tmp_path / "site")
    trust(made, SITE)
    return made


def _subjects(folder: Path) -> list[str]:
    return git(folder, "log", "--reverse", "--first-parent", "--format=%s", "main..phasebot/site").splitlines()


def _show(folder: Path, path: str) -> str:
    return git(folder, "show", f"phasebot/site:{path}")


def test_pages_generate_in_the_order_of_their_uses_and_a_second_run_has_nothing_to_do(folder: Path) -> None:
    well(folder, "generate", PAGES, "--recipe", SITE, "--jobs", 1)
    head = git(folder, "rev-parse", "phasebot/site")

    well(folder, "generate")

    assert git(folder, "rev-parse", "phasebot/site") == head
    assert _subjects(folder) == [
        "Generate plan [1/7]",
        "Generate style [2/7]",
        "Generate page Post [3/7]",
        "Generate page Blog [4/7]",
        "Generate page Contact [5/7]",
        "Generate page Home [6/7]",
        "Generate list of pages [7/7]",
    ]
    assert _show(folder, "index.html") == "Site\nHome\nBlog\nPost\nContact"
    assert _show(folder, "pages/home.html").splitlines()[2:] == [
        '<a href="blog.html">Blog</a>', '<a href="contact.html">Contact</a>',
    ]  # fmt: skip


def test_a_run_of_pages_goes_on_where_it_was_interrupted(folder: Path) -> None:
    async def interrupt(request: GenerationRequest) -> GenerationResult:
        raise Interrupted(f"at {request.phase.key}")

    well(folder, "generate", PAGES, "--recipe", SITE, "--only", "style")
    with pytest.raises(Interrupted):
        work(folder, ScriptedProvider({"page/Blog": interrupt}), run="site")
    assert _subjects(folder)[-1] == "Generate page Post [3/7]"

    provider = ScriptedProvider()
    outcome = work(folder, provider, run="site")

    assert outcome.state.complete
    assert next(key for key, _ in provider.asked) == "page/Blog"
    assert "page/Post" not in [key for key, _ in provider.asked]


def test_a_page_is_made_again_and_taken_back(folder: Path) -> None:
    well(folder, "generate", PAGES, "--recipe", SITE)

    well(folder, "regenerate", "page/Home")
    refused = bot(folder, "rollback", "page/Post")
    taken = well(folder, "rollback", "page/Home", "--cascade")

    assert (refused.code, "page/Blog" in refused.err) == (2, True)
    assert "page/Home" in taken.out + taken.err
    assert "pages/home.html" not in git(folder, "ls-tree", "-r", "--name-only", "phasebot/site")
    well(folder, "generate")
    assert _show(folder, "pages/home.html").startswith("<h1>Home</h1>")


def test_only_what_a_changed_page_or_option_affects_is_made_again(folder: Path) -> None:
    well(folder, "generate", PAGES, "--recipe", SITE)
    git(folder, "switch", "--quiet", "phasebot/site")
    plan = (folder / ".phasebot" / "plan.yaml").read_text()
    commit(
        folder, "Edit", {".phasebot/plan.yaml": plan.replace("Tells where", "Says where") + "options: {theme: dark}\n"}
    )

    well(folder, "generate")

    assert sorted(_subjects(folder)[8:]) == ["Generate page Contact [5/7]", "Generate style [2/7]"]
    assert _show(folder, "style.css") == "dark"


def test_files_that_the_plan_lists_are_made_by_whoever_can_and_confined(folder: Path) -> None:
    async def write(request: GenerationRequest) -> GenerationResult:
        return GenerationResult({path: f"for {path}\n" for path in request.paths})

    started = bot(folder, "generate", PAGES + NOTES, "--recipe", SITE)
    assert started.code == 3
    assert "note/Terms" in started.err
    provider = ScriptedProvider({"note/Terms": write}, name="scripted")

    outcome = work(folder, provider, run="site")

    assert outcome.state.complete
    assert provider.asked[0] == ("note/Terms", ("terms.md", "legal/terms.txt"))
    assert _show(folder, "legal/terms.txt") == "for legal/terms.txt"
    refused = bot(folder, "generate", (PAGES + NOTES).replace("terms.md", ".github/workflows/x.yml"), "--recipe", SITE,
                  "--run", "other")  # fmt: skip
    assert refused.code == 2
    assert "its file '.github/workflows/x.yml' configures git or GitHub" in refused.err


def test_what_the_recipe_does_not_know_is_refused_with_the_nearest(folder: Path) -> None:
    told = bot(folder, "generate", PAGES.replace("pages:", "page:"), "--recipe", SITE)
    assert told.code == 2
    assert "recipe 'site' has no collection 'page'; did you mean 'pages'?" in told.err

    told = bot(folder, "generate", PAGES + "options: {thme: dark}\n", "--recipe", SITE)
    assert told.code == 2
    assert "it has no option 'thme'; did you mean 'theme'?" in told.err

    told = bot(folder, "generate", "- Post: title string", "--recipe", SITE)
    assert told.code == 2
    assert "makes nothing of entities; its collections are pages, notes" in told.err


def test_the_recipe_passes_its_own_check() -> None:
    done = phasebot_here("recipes", "check", SITE)

    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        0,
        (
            "rendered: a sample plan of 6 phases, 4 files; 4 files without a template, "
            "in 2 plans that differ in one option each"
        ),
    )
