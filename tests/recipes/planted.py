"""Thirty faults, as a person or a model would commit them, and the blog that they are planted in."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bot.generation.provider import GenerationRequest, GenerationResult
from bot.generation.templates import TemplateProvider
from tests.history_picture import bot, work
from tests.repositories import ScriptedProvider

RULE = "A post has at most 20 comments (409)."
SPEC = f"""\
# Blog
A blog with comments and tags.

- User: username string(3..30) unique, email email unique, password password, role enum(member|admin) = member
- Post: title string(120), slug string(80) unique, body text, rating integer(1..5)?, published boolean = false,
  opens_at datetime?, author -> User = me on delete cascade, tags -> Tag*, created_at datetime auto
  - access: read anyone; create user; update owner; delete owner, admin
- Comment: body text(..2000), post -> Post on delete cascade, author -> User = me
  - access: read anyone; create user; update owner; delete owner, admin
  - {RULE}
- Tag: name string unique
"""

_IMPORTS = """\
from typing import Any, ClassVar

import sqlalchemy as sa

from app.core.errors import ConflictError
from app.core.repository import RepositoryBase
from app.core.schemas import RequestBase
"""
_MOST = '''
MAX_COMMENTS = 20
"""How many comments a post has at most."""


class CommentRepository('''
_CREATE = '''

    def create(self, payload: RequestBase, **given: Any) -> Comment:
        """Insert a comment, unless its post has all that it may have."""
        post_id = self._values(payload)["post_id"]
        counted = sa.select(sa.func.count()).where(Comment.post_id == post_id)
        if (self.session.scalar(counted) or 0) >= MAX_COMMENTS:
            raise ConflictError(f"A post has at most {MAX_COMMENTS} comments")
        return super().create(payload, **given)
'''
_TEST = f"""

@pytest.mark.rule("{RULE}")
def test_a_post_has_at_most_20_comments(client: TestClient, samples: Samples) -> None:
    payload = samples.payload(RESOURCE.name)

    answers = [client.post(RESOURCE.path, json=payload).status_code for _ in range(21)]

    assert answers == [201] * 20 + [409]
"""


async def _as_a_model_would(request: GenerationRequest) -> GenerationResult:
    """Make the phase of comments as the templates do, and carry out its rule."""
    made = await TemplateProvider().generate(request)
    files, path = dict(made.files), "app/repositories/comment_repository.py"
    text = files[path].replace("from typing import ClassVar\n\n", "")
    text = text.replace("from app.core.repository import RepositoryBase\n", _IMPORTS)
    files[path] = text.replace("\n\nclass CommentRepository(", _MOST) + _CREATE
    files["tests/test_comment.py"] += _TEST
    return GenerationResult(files, {}, "some-model")


def plant_blog(folder: Path) -> Path:
    """Generate the blog with templates, but for the phase that has a rule, which a model makes; return its folder."""
    told = bot(folder, "generate", SPEC, "--run", "blog", "--provider", "template")
    assert told.code == 3, told.err
    model = ScriptedProvider({"entity/Comment": _as_a_model_would}, name="gemini")
    assert work(folder, model, run="blog").error is None
    assert bot(folder, "status", "--format", "json").json()["complete"]
    return folder


class Fault(NamedTuple):
    """Texts in place of others in one file of a phase."""

    name: str
    phase: str
    path: str
    changes: Sequence[tuple[str, str]]


def _fault(name: str, phase: str, path: str, *texts: str) -> Fault:
    return Fault(name, phase, path, [*zip(texts[::2], texts[1::2], strict=True)])


_MODEL = "app/repositories/tag_repository.py"
STATIC = [
    _fault("an import is missing", "entity/Post", "app/models/post.py", "import sqlalchemy as sa\n", ""),
    _fault("an undefined name", "entity/Post", "app/routers/posts.py", " repository.release()", " repo.release()"),
    _fault("a router is imported and not mounted", "main", "app/api.py", "    tag_router,\n", ""),
    _fault("a field is missing in a schema", "entity/Post", "app/schemas/post.py", "    author_id: int\n", ""),
    _fault("a wrong foreign key", "entity/Comment", "app/models/comment.py", '"posts.id"', '"tags.id"'),
    _fault("a bad requirement", "support", "requirements.txt", "sqlalchemy>=", "sqlalchemy=>"),
    _fault("a requirement is missing", "support", "requirements.txt", "pyjwt", "python-jose"),
    _fault("a rule without a test", "entity/Comment", "tests/test_comment.py", f'@pytest.mark.rule("{RULE}")\n', ""),
    _fault(
        "a circular import", "entity/User", "app/schemas/user.py", "from app.core.schemas import",
        "from app.routers.users import router\nfrom app.core.schemas import",
    ),
    _fault(
        "a name that its module lacks", "entity/Tag", "app/routers/tags.py", "import TagRepository", "import TagRepo"
    ),
    _fault(
        "an endpoint is missing", "entity/Tag", "app/routers/tags.py", '@router.delete(\n    "/tags/{row_id}"',
        '@router.delete(\n    "/tag/{row_id}"',
    ),
    _fault("a function that others call is renamed", "core", "app/core/fields.py", "def utc_now()", "def utc()"),
    _fault(
        "an attribute that a module lacks", "main", "main.py", "app = serve()",
        "from app.core import config\n\napp = config.serve()",
    ),
    _fault("code in a text", "entity/Tag", _MODEL, "    model = Tag\n", "    model = eval('Tag')\n"),
    _fault(
        "a secret", "core", "app/core/config.py", "\n\nclass Settings",
        '\n\nKEY = "AKIAQYLPMN5HFIQR7XYA"\n\n\nclass Settings',
    ),
]  # fmt: skip
RUNNING = [
    _fault(
        "a limit accepts one character more", "entity/Post", "app/schemas/post.py", "max_length=120", "max_length=121"
    ),
    _fault("a wrong status code", "entity/Tag", "app/routers/tags.py", "HTTP_201_CREATED", "HTTP_200_OK"),
    _fault(
        "a filter is ignored", "core", "app/core/lists.py", "        if value != ():\n",
        '        if value != () and not name.endswith("__gte"):\n',
    ),
    _fault(
        "the order is reversed", "core", "app/core/lists.py", "column.desc() if is_descending else column.asc()",
        "column.asc() if is_descending else column.desc()",
    ),
    _fault(
        "a wrong default", "entity/Post", "app/schemas/post.py", "published: Boolean = False\n",
        "published: Boolean = True\n",
    ),
    _fault(
        "what is unique is not checked", "entity/Post", "app/models/post.py", "sa.String(80), unique=True",
        "sa.String(80)",
    ),
    _fault(
        "everybody may delete", "entity/Comment", "app/routers/comments.py",
        '    caller.must("admin", owner=repository.get(row_id).author_id)\n', "    repository.get(row_id)\n",
    ),
    _fault(
        "a time zone is dropped", "core", "app/core/fields.py", "        return value.astimezone(dt.UTC)\n",
        "        return value.replace(tzinfo=dt.UTC)\n",
    ),
    _fault(
        "a page has one row more", "core", "app/core/repository.py", ".limit(query.limit)", ".limit(query.limit + 1)"
    ),
    _fault(
        "a commit is missing", "core", "app/core/repository.py",
        "        self.session.refresh(row)\n        self.session.commit()\n", "        self.session.refresh(row)\n",
    ),
    _fault(
        "a password is in an answer", "entity/User", "app/schemas/user.py", "    id: int\n",
        "    id: int\n    password_hash: str\n",
    ),
    _fault(
        "a broken migration", "migration", "migrations/versions/0001.py",
        '        sa.Column("rating", sa.BigInteger, nullable=True),\n', "",
        '        sa.CheckConstraint(sa.column("rating").between(1, 5), name="rating"),\n', "",
    ),
    _fault(
        "off by one in a rule", "entity/Comment", "app/repositories/comment_repository.py", ">= MAX_COMMENTS",
        "> MAX_COMMENTS",
    ),
]  # fmt: skip
CHECKED = [
    _fault("it does not parse", "entity/Tag", "app/models/tag.py", "class Tag(", "class Tag(("),
    _fault("a placeholder", "entity/Tag", _MODEL, "    model = Tag\n", "    model = Tag  # TODO: the rest\n"),
]
