"""Static checks of a whole project: nothing is found in one as it is made, and each planted fault where it is."""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import pytest

from bot.assessment.assess import find_all
from bot.assessment.coverage import Asked
from bot.assessment.finding import Finding
from bot.assessment.outline import Outline
from bot.assessment.project import Project
from bot.assessment.ruff import diagnose
from bot.generation.plan_views import phase_context
from bot.generation.rendering import render_files
from bot.history.reasons import Reason
from bot.planning.phases import derive_phases
from bot.planning.recipe import load_recipe
from bot.planning.schema_changes import MigrationStart
from tests.unit.values import BLOG, read_plan, run_here

_FASTAPI = load_recipe("fastapi")
_SHOP = read_plan(
    "# Shop\n- User: name string unique, password password\n- Item: title string, price decimal, owner -> User = me,\n"
    "  tags -> Tag*, photo bytes?, deleted_at datetime auto delete\n- Tag: name string unique\n"
)
_PLANS = {"blog": read_plan(BLOG), "shop": _SHOP}


@cache
def made(name: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return a project as templates make it: path → text, and path → phase."""
    plan, texts, owners = _PLANS[name], dict[str, str](), dict[str, str]()
    for phase in derive_phases(plan, _FASTAPI, MigrationStart())[1:]:
        rendered = render_files(run_here, _FASTAPI, phase.files, phase_context(plan, phase))
        texts |= {path: str(text) for path, text in rendered.items()}
        owners |= dict.fromkeys(phase.files, phase.key)
    return texts, owners


def outlines(texts: Mapping[str, str]) -> Mapping[str, Outline]:
    code = {path: text for path, text in texts.items() if path.endswith(".py")}
    found = zip(code, run_here("outline", None, [*code.values()]), strict=True)
    return {path: Outline.read(each) for path, each in found if each}


def assess(name: str, changes: Mapping[str, str | None] | None = None, asked: tuple[Asked, ...] = ()) -> list[Finding]:
    """Assess a project after *changes*: path → new text, or None for a removed file."""
    before, owners = made(name)
    texts = {path: text for path, text in ({**before, **(changes or {})}).items() if text is not None}
    faults = zip(texts, run_here("judge", None, [*texts.items()]), strict=True)
    return find_all(
        Project(outlines(texts), texts, owners),
        references=outlines({path: before[path] for path in changes or {} if path in before}),
        asked=asked,
        rules=(),
        faults={path: Reason(*each) for path, each in faults if each},
        diagnoses=diagnose({path: text for path, text in texts.items() if path.endswith(".py")}),
    )


@pytest.mark.parametrize("name", [*_PLANS])
def test_nothing_is_found_in_a_project_as_templates_make_it(name: str) -> None:
    assert assess(name) == []
    assert assess(name, made(name)[0]) == [], "nor if somebody else wrote the same"


class Fault(NamedTuple):
    """One text in place of another in a file, and what is to be found."""

    path: str
    old: str
    new: str
    rule: str
    phase: str
    project: str = "blog"


_READ = ("Read(ResponseBase):", "Read(ResponseBase):\n    pass\n\n\nclass Other:")
FAULTS = {
    "an undefined name": Fault("app/routers/posts.py", "repository.release()", "repo.release()", "F821", "entity/Post"),
    "an import is missing": Fault("app/models/post.py", "import sqlalchemy as sa\n", "", "F821", "entity/Post"),
    "a name that its module lacks": Fault(
        "app/routers/posts.py", "import PostRepository", "import PostRepo", "unknown-import", "entity/Post"
    ),
    "a module that there is not": Fault(
        "app/routers/tags.py", "from app.schemas.tag import", "from app.schemas.tags import", "unknown-import",
        "entity/Tag",
    ),
    "an attribute that a module lacks": Fault(
        "main.py", "app = serve()", "from app.core import config\n\napp = config.serve()", "unknown-name", "main"
    ),
    "a router that is imported and not mounted": Fault("app/api.py", "    tag_router,\n", "", "F401", "main"),
    "a router that nothing imports": Fault(
        "app/api.py", "from app.routers.tags import", "from app.routers.posts import", "unused-module", "main"
    ),
    "a field is missing in a schema": Fault(
        "app/schemas/post.py", "Post" + _READ[0], "Post" + _READ[1], "missing-field", "entity/Post"
    ),
    "a field is missing in a model": Fault(
        "app/models/user.py", "    bio: Mapped[str | None] = mapped_column(sa.Text)\n", "", "missing-field",
        "entity/User",
    ),
    "a wrong foreign key": Fault(
        "app/models/comment.py", '"posts.id"', '"users.id"', "wrong-reference", "entity/Comment"
    ),
    "an endpoint is missing": Fault(
        "app/routers/tags.py", '@router.delete(\n    "/tags/{row_id}"', '@router.delete(\n    "/tag/{row_id}"',
        "missing-endpoint", "entity/Tag",
    ),
    "a requirement is missing": Fault("requirements.txt", "sqlalchemy", "sqlmodel", "missing-requirement", "support"),
    "a requirement that nothing needs": Fault(
        "requirements.txt", "sqlalchemy", "celery>=5\nsqlalchemy", "unused-requirement", "support"
    ),
    "a bad requirement": Fault("requirements.txt", "sqlalchemy>=", "sqlalchemy=>", "unfit", "support"),
    "a circular import": Fault(
        "app/schemas/user.py", "from app.core.schemas import",
        "from app.routers.users import router\nfrom app.core.schemas import", "circular-import", "entity/User",
    ),
    "it does not parse": Fault("app/models/tag.py", "class Tag(", "class Tag((", "unparsable", "entity/Tag"),
    "a placeholder": Fault(
        "app/repositories/tag_repository.py", "    model = Tag\n", "    model = Tag  # TODO: more\n", "placeholder",
        "entity/Tag",
    ),
    "a secret": Fault(
        "app/core/config.py", "class Settings", 'KEY = "AKIAQYLPMN5HFIQR7XYA"\n\n\nclass Settings', "secret", "core"
    ),
    "code in a text": Fault(
        "app/repositories/tag_repository.py", "    model = Tag\n", "    model = eval('Tag')\n", "S307", "entity/Tag"
    ),
    "a function that others expect": Fault(
        "app/core/fields.py", "def utc_now()", "def utc_right_now()", "missing-name", "core"
    ),
    "a class that another phase needs": Fault(
        "app/core/repository.py", "class RepositoryBase(", "class BaseRepository(", "missing-name", "core",
    ),
    "a mutable default": Fault(
        "app/core/constraints.py", "def find_broken(", "def find(a=[]):\n    return a\n\n\ndef find_broken(", "B006",
        "core",
    ),
    "a mark of deletion is gone": Fault(
        "app/models/item.py", "    deleted_at: Mapped", "    gone_at: Mapped", "missing-field", "entity/Item", "shop"
    ),
    "a list of ids is gone": Fault(
        "app/schemas/item.py", "Item" + _READ[0], "Item" + _READ[1], "missing-field", "entity/Item", "shop"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", [*FAULTS])
def test_a_planted_fault_is_found_in_the_phase_that_has_it(name: str) -> None:
    fault = FAULTS[name]
    before = made(fault.project)[0][fault.path]
    assert fault.old in before

    found = assess(fault.project, {fault.path: before.replace(fault.old, fault.new, 1)})

    assert (fault.rule, fault.phase) in {(each.rule, each.phase) for each in found}
    assert all(each.message.isprintable() for each in found)
