"""``status --format html`` and ``--output``: runs in real repositories, as one page."""

import os
import re
from pathlib import Path

import pytest

from tests.history_picture import bot, edit_plan, finished, person, well
from tests.repositories import SMALL, clone, commit, git, new_origin, new_repository, phasebot, phasebot_limited
from tests.unit.values import BLOG


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A complete run, with its branch checked out."""
    return finished(tmp_path / "shop")


def page(folder: Path, *arguments: object) -> str:
    """Return the text of the page, without markup."""
    return text_of(well(folder, "status", "--format", "html", *arguments).out)


def text_of(html: str) -> str:
    body = re.sub(r"(?s)<style>.*?</style>|<[^>]+>", " ", html)
    return " ".join(body.replace("&#39;", "'").replace("&#34;", '"').split())


def test_a_complete_run_is_told_with_the_sizes_of_its_files(shop: Path) -> None:
    told = page(shop)

    head = git(shop, "rev-parse", "HEAD")
    assert f"Head {head[:10]}" in told
    assert re.search(r"complete (\d+) of \1 phases done", told)
    size = len((shop / "app" / "db.py").read_bytes())
    assert f"app/db.py {size} B" in told
    assert "Nothing: every commit on the branch is Phasebot's." in told


def test_the_same_history_gives_the_same_page(shop: Path) -> None:
    first = well(shop, "status", "--format", "html").out

    assert well(shop, "status", "--format", "html").out == first
    assert phasebot("status", "--format", "html", "--repo", shop).stdout == first


def test_edits_causes_and_the_next_command_are_on_it(shop: Path) -> None:
    edit_plan(shop, "name: string", "name: string(80) unique")
    person(shop, "Edit", {"app/db.py": "DB = None\n"})

    told = page(shop)

    assert "incomplete" in told
    assert re.search(r"edited app/db.py, in \w{7} by Ada", told)
    assert re.search(r"plan Item.name: string → string\(80\) unique, in \w{7} by Ada", told)
    assert "phasebot generate --run" in told


def test_a_conflict_is_shown_with_the_change_that_was_not_written(shop: Path) -> None:
    target = shop / "app" / "models" / "item.py"
    person(shop, "Edit", {"app/models/item.py": target.read_text().replace("# name: string", "# name: mine")})
    edit_plan(shop, "name: string", "name: text")
    bot(shop, "generate")

    told = well(shop, "status", "--format", "html")

    text = text_of(told.out)
    assert "complete with 1 conflict" in text
    assert "--discard-edits" in text
    assert "generated changes that were not written" in text
    assert "-# name: mine" in text
    assert "not written to" not in told.err, "the page has it"


def test_a_broken_plan_is_told_on_the_page_and_by_the_exit_code(shop: Path, tmp_path: Path) -> None:
    person(shop, "Break", {".phasebot/plan.yaml": "entities: [\n"})
    file = tmp_path / "page.html"

    told = bot(shop, "status", "--format", "html", "--output", file)

    assert told.code == 2
    assert "the plan can't be read" in text_of(file.read_text())


def test_commits_are_linked_if_the_remote_is_on_github(shop: Path) -> None:
    assert "https://github.com" not in well(shop, "status", "--format", "html").out
    git(shop, "remote", "add", "origin", "https://ada:s3cret@github.com/acme/shop.git")

    told = well(shop, "status", "--format", "html").out

    assert f'href="https://github.com/acme/shop/commit/{git(shop, "rev-parse", "HEAD")}"' in told
    assert "s3cret" not in told


def test_what_people_name_is_inert(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "evil")
    git(folder, "config", "user.name", "<img src=x onerror=alert(1)>\u202e")
    well(folder, "generate", BLOG.replace("A small blog", "A <script>alert(1)</script> blog"), "--recipe", SMALL)
    git(folder, "switch", "--quiet", "phasebot/blog-api")
    commit(folder, "Add", {"<b onclick=x>.txt": "x\n"})

    told = well(folder, "status", "--format", "html").out

    assert "<script" not in told
    assert "<img" not in told
    assert "<b onclick" not in told
    assert "A &lt;script&gt;alert(1)&lt;/script&gt; blog" in told


@pytest.mark.parametrize("kind", ["text", "json", "html"])
def test_every_format_can_be_written_to_a_file(shop: Path, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "status"

    told = well(shop, "status", "--format", kind, "--output", file)

    assert told.out == ""
    assert file.read_text() == well(shop, "status", "--format", kind).out
    assert file.stat().st_mode & 0o777 == 0o666 & ~_mask()


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_file_is_replaced_whole_and_a_link_to_it_stays(shop: Path, tmp_path: Path) -> None:
    file, link = tmp_path / "page.html", tmp_path / "link.html"
    file.write_text("old\n" * 100_000)
    file.chmod(0o640)
    link.symlink_to(file)

    well(shop, "status", "--format", "html", "--output", link)

    assert link.is_symlink()
    assert "old" not in file.read_text()[-100:]
    assert file.read_text().endswith("</html>\n")
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(each.name for each in tmp_path.iterdir() if "html" in each.name) == ["link.html", "page.html"]


def test_a_place_that_cannot_hold_a_file_is_refused_before_any_work(shop: Path, tmp_path: Path) -> None:
    told = bot(shop, "status", "--output", tmp_path / "nowhere" / "page.html")
    assert (told.code, told.out) == (2, "")
    assert f"--output: there is no folder {tmp_path / 'nowhere'}; create it, or name another file" in told.err

    told = bot(shop, "status", "--output", tmp_path)
    assert told.code == 2
    assert f"--output: {tmp_path} is a folder" in told.err


def test_a_file_that_cannot_be_written_stays_as_it_was(shop: Path, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("old\n")

    done = phasebot_limited("status", "--format", "html", "--output", file, "--repo", shop, file_size=4096)

    assert done.returncode == 1
    assert f"writing {file}: File too large" in done.stderr
    assert file.read_text() == "old\n"
    assert [each.name for each in tmp_path.iterdir() if "page" in each.name] == ["page.html"]


def test_keys_are_kept_out_of_the_file(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "AIzaSy-not-a-real-key-0123456789"
    person(shop, "Leak", {f"{key}.txt": "x\n"})
    monkeypatch.setenv("GEMINI_API_KEY", key)
    file = tmp_path / "page.html"

    done = phasebot("status", "--format", "html", "--output", file, "--repo", shop)

    assert done.returncode == 0, done.stderr
    assert key not in file.read_text()
    assert "***.txt" in file.read_text()


def test_a_clone_without_its_files_is_not_asked_for_their_sizes(tmp_path: Path) -> None:
    origin = new_origin(tmp_path / "origin")
    git(origin, "config", "uploadpack.allowFilter", "true")
    worker = clone(origin, tmp_path / "worker")
    well(worker, "generate", BLOG, "--recipe", SMALL)
    partial = clone(origin, tmp_path / "partial", "--no-checkout", "--filter=blob:none", "--no-local")

    told = page(partial, "--run", "blog-api")

    assert "app/models/user.py" in told
    assert not re.search(r"app/models/user.py \d+ B", told)


def test_a_run_without_a_plan_is_refused(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "empty")

    told = bot(folder, "status", "--run", "nothing", "--format", "html", "--output", tmp_path / "page.html")

    assert told.code == 2
    assert "it has no plan" in told.err
    assert not (tmp_path / "page.html").exists()
