"""Projects of the recipe ``fastapi``: they lint clean, pass their own tests, and work over HTTP."""

import ast
import random
import re
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.recipes import constructs
from tests.recipes.conftest import EXAMPLES, generate, run, serving
from tests.recipes.http_session import Session, play
from tests.recipes.test_content import FILES
from tests.recipes.test_deletion import ARCHIVE
from tests.repositories import git

KINDS = (
    "name string unique", "body text", "count integer = 3", "ratio float?", "price decimal = 9.99",
    "on boolean = false",
    "day date = today", "at datetime = now", "key uuid unique", "mail email index", "link url?", "extra json?",
    "state enum(new|in-progress|done) = new",
)  # fmt: skip


def sixty() -> str:
    """Return a spec of sixty entities with fields and relations drawn by lot, the same each time."""
    dice = random.Random(60)  # noqa: S311  # reproducible on purpose
    lines = []
    for number in range(60):
        fields = dice.sample(KINDS, k=dice.randint(1, 6))
        targets = dice.sample(range(number + 1), k=min(number, dice.randint(0, 3)))
        fields += [f"part{target} -> Entity{target}{'?' if target == number else ''}" for target in targets]
        lines.append(f"- Entity{number}: {', '.join(fields)}")
    return "# Sixty\n" + "\n".join(lines) + "\n"


ODD = """\
# Odd "names" \\ and 'quotes'
It's a "test" with \\backslashes\\ and \"\"\"three quotes\"\"\" and <b>tags</b> and {{ braces }}.

- Order: type string, list text?, date date, datetime datetime?, json json?, copy boolean = true, order integer
- Group: schema string = "a, b", dict string?, validate string?, str string?, int integer?, self string?
- Class1: group -> Group, parent -> Class1?
- Session: session string, repository string, payload text, data json?, filters string?
- Base: user string, password string, registry string?, metadata string?, model_config string?
- A: b -> B?
- B: a -> A
- Link: order -> Order unique, first -> Group, second -> Group?
- Empty: maybe string?
"""

CIRCLES = """\
# Circles
- User: email email unique, password password, password_hash -> Post?, best -> Post?, copy -> User?, include -> Tag*
  - access: read owner
- Post: author -> User = me, metadata -> Tag?, tags -> Tag*, parent -> Post?, limit integer?, with_total boolean = true
  - access: read anyone; create user; update owner; delete owner
- Tag: name string unique, posts -> Post*, version integer auto update
- Include: tag -> Tag, version integer auto update
"""

SCHEMAS = Path(__file__).parents[1] / "data" / "schemas"
OPTIONS = {"search": ["--option", "search=text"]}
SPECS: dict[str, Path | str] = {
    "blog": EXAMPLES / "blog.md",
    "everything": EXAMPLES / "everything.md",
    "grammar": EXAMPLES / "grammar.md",
    "odd names": ODD,
    "circles": CIRCLES,
    "search": CIRCLES,
    "archive": ARCHIVE,
    "files": FILES,
    "versions": "# Store\n- Item: title string, version integer auto update\n- Box: item -> Item\n",
    "sixty": sixty(),
    **{path.name: path for path in sorted(SCHEMAS.iterdir()) if path.is_file()},
}


@pytest.mark.parametrize(
    "name", ["everything", *(pytest.param(name, marks=pytest.mark.slow) for name in SPECS if name != "everything")]
)
def test_a_generated_project_is_clean_and_passes_its_own_tests(tmp_path: Path, python: Path, name: str) -> None:
    project = generate(SPECS[name], tmp_path / "project", *OPTIONS.get(name, []))

    run(project, python, "-m", "ruff", "check", ".")
    run(project, python, "-m", "ruff", "format", "--check", ".")
    told = run(project, python, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider")

    assert " passed" in told
    assert git(project, "status", "--porcelain") == ""
    assert "phasebot" not in git(project, "grep", "-il", "phasebot", "--", ".", ":!.phasebot", check=False).lower()


def test_the_blog_works_over_http(blog: Path, python: Path, tmp_path: Path) -> None:
    with serving(blog, python, f"sqlite:///{tmp_path}/blog.db") as url:
        told = play(url)

    assert any(line.endswith("409") for line in told)
    assert any(line.endswith("404") for line in told)


@pytest.fixture(scope="module")
def grammar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a login, and with every construct of a spec."""
    return generate(SPECS["grammar"], tmp_path_factory.mktemp("grammar") / "project")


def test_each_construct_of_a_spec_does_what_it_says_over_http(grammar: Path, tmp_path: Path, python: Path) -> None:
    database = f"sqlite:///{tmp_path}/grammar.db"

    def promote(name: str) -> None:
        run(grammar, python, "-m", "app.auth.manage", "set-role", name, "admin", DATABASE_URL=database)

    with serving(grammar, python, database) as url:
        rows = list(constructs.play(url, promote))

    assert len(rows) == len(constructs.STEPS) + 1


RULED = """\
# Hires
- User: name string unique
- Follow: follower -> User, followed -> User
- Post: title string
- Comment: body text, post -> Post, author -> User
- Hire: quantity integer, starts_at datetime, ends_at datetime, post -> Post
"""
CHECK = """
    @model_validator(mode="after")
    def _check(self):
        if {wrong}:
            raise ValueError("refused")
        return self
"""
IMPORTS = (
    ("from typing import", "from typing import Annotated,"),
    ("from pydantic import", "from pydantic import Field, model_validator,"),
)


def checked(wrong: str, before: str) -> tuple[str, str]:
    """Return the change that puts a check in front of the class *before*."""
    return f"\n\nclass {before}", f"{CHECK.format(wrong=wrong)}\n\nclass {before}"


RULES_BY_HAND = {
    "app/schemas/hire.py": (
        *IMPORTS,
        ("quantity: Integer\n", "quantity: Annotated[Integer, Field(ge=1)]\n"),
        ("quantity: Integer |", "quantity: Annotated[Integer, Field(ge=1)] |"),
        checked("self.ends_at <= self.starts_at", before="HireUpdate"),
    ),
    "app/schemas/follow.py": (*IMPORTS, checked("self.follower_id == self.followed_id", before="FollowUpdate")),
    "app/models/comment.py": (('ForeignKey("posts.id")', 'ForeignKey("posts.id", ondelete="CASCADE")'),),
}


def test_rules_made_by_hand_break_only_the_test_that_says_the_opposite(tmp_path: Path, python: Path) -> None:
    project = generate(RULED, tmp_path / "project")
    for path, changes in RULES_BY_HAND.items():
        text = (project / path).read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (project / path).write_text(text)
    alembic = (python, "-m", "alembic")
    run(project, *alembic, "upgrade", "head")
    run(project, *alembic, "revision", "--autogenerate", "-m", "Comments go with their post")

    told = run(project, python, "-m", "pytest", "-q", "-rf", "--tb=no", "-p", "no:cacheprovider", exit_code=1)

    assert [line.split()[1] for line in told.splitlines() if line.startswith("FAILED")] == [
        "tests/test_comment.py::test_a_row_that_is_referred_to_stays[post_id-Post]"
    ]


def test_many_readers_wait_for_one_connection_and_none_is_refused(blog: Path, python: Path, tmp_path: Path) -> None:
    pool = {"DATABASE_POOL_SIZE": "1", "DATABASE_MAX_OVERFLOW": "0", "DATABASE_TIMEOUT": "60"}

    def status(path: str) -> int:
        try:
            with urllib.request.urlopen(f"{url}{path}", timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    with serving(blog, python, f"sqlite:///{tmp_path}/blog.db", **pool) as url, ThreadPoolExecutor(100) as readers:
        answers = list(readers.map(status, ["/posts", "/posts/1"] * 100))

    assert Counter(answers) == {200: 100, 404: 100}


def test_many_people_who_are_logged_in_wait_for_one_connection_and_none_is_refused(
    grammar: Path, python: Path, tmp_path: Path
) -> None:
    pool = {"DATABASE_POOL_SIZE": "1", "DATABASE_MAX_OVERFLOW": "0", "DATABASE_TIMEOUT": "20"}
    user = {"username": "alice", "email": "alice@example.com", "password": "correct horse"}

    def status(request: tuple[str, str]) -> int:
        method, path = request
        sent = urllib.request.Request(f"{url}{path}", b"{}" if method == "PATCH" else None, headers, method=method)
        try:
            with urllib.request.urlopen(sent, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    asked = [
        ("GET", "/auth/me"),
        ("GET", "/users"),
        ("GET", "/users/1"),
        ("PATCH", "/users/1"),
        ("DELETE", "/writings/1"),
    ]
    with serving(grammar, python, f"sqlite:///{tmp_path}/app.db", **pool) as url, ThreadPoolExecutor(100) as people:
        session = Session(url)
        session(201, "POST", "/users", user)
        token = session.form(200, "/auth/token", {"username": "alice", "password": user["password"]})["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        answers = list(people.map(status, asked * 40))

    assert Counter(answers) == {200: 160, 404: 40}


def test_requests_that_get_no_connection_are_told_to_come_again(blog: Path, python: Path, tmp_path: Path) -> None:
    script = """
from fastapi.testclient import TestClient
from app.core.config import Settings
from main import create_app
app = create_app(Settings(database_pool_size=1, database_max_overflow=0, database_timeout=0.1))
with TestClient(app) as client, app.state.database.engine.connect():
    answer = client.get("/posts")
    print(answer.status_code, answer.headers["Retry-After"], answer.json()["detail"])
"""

    told = run(blog, python, "-c", script, DATABASE_URL=f"sqlite:///{tmp_path}/blog.db")

    assert told == "503 1 The database does not answer; try again later\n"


@pytest.mark.parametrize("name", ["blog", "grammar"])
def test_the_readme_lists_every_setting_with_its_default(name: str, request: pytest.FixtureRequest) -> None:
    project: Path = request.getfixturevalue(name)
    settings = ast.parse((project / "app/core/config.py").read_text()).body[-1]
    assert isinstance(settings, ast.ClassDef)
    fields = [each for each in settings.body if isinstance(each, ast.AnnAssign)]
    defaults = {
        ast.unparse(each.target): each.value.keywords[0].value if isinstance(each.value, ast.Call) else each.value
        for each in fields
    }
    rows = re.findall(r"^\| `([A-Z_]+)` \| `?(.*?)`? \|", (project / "README.md").read_text(), re.MULTILINE)

    assert {name.lower(): default for name, default in rows} == {
        name: "random" if isinstance(default, ast.Name) else str(ast.literal_eval(default)).replace("True", "true")
        for name, default in defaults.items()
        if default
    }
