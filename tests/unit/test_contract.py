"""Files against what the recipe's templates make for the same plan."""

import pytest

from bot.assessment.contract import find_broken_contracts
from bot.assessment.outline import Outline, outline_file
from bot.assessment.project import Project

_REFERENCE = """\
router = 1
class Post(Base):
    title: str = column()
    author_id: int = column(ForeignKey("users.id", ondelete="CASCADE"))
@router.get("/posts/{id}")
def get_post(): ...
"""


def read(text: str) -> Outline:
    return Outline.read(outline_file(text) or {})


def told(text: str, path: str = "app/post.py") -> list[tuple[str, str]]:
    project = Project({path: read(text)}, {path: text}, {})
    return [(each.rule, each.message) for each in find_broken_contracts(project, {path: read(_REFERENCE)})]


def test_more_than_the_reference_is_no_finding() -> None:
    assert told(_REFERENCE) == told(_REFERENCE + "class Other: ...\n") == []
    assert told(_REFERENCE.replace("    title: str = column()\n", "    title = other()\n    more = 1\n")) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("def get_post", "def fetch_post", ("missing-name", "it does not define 'get_post', which other files expect")),
        ("title: str", "name: str", ("missing-field", "Post has no 'title', which the plan asks for")),
        (
            "users.id",
            "tags.id",
            ("wrong-reference", "Post.author_id refers to 'tags.id'; by the plan it is 'users.id'"),
        ),
        ("users.id", "x", ("wrong-reference", "Post.author_id refers to nothing; by the plan it is 'users.id'")),
        ("/posts/{id}", "/post/{id}", ("missing-endpoint", "there is no endpoint GET /posts/{id}")),
        ("router.get", "router.put", ("missing-endpoint", "there is no endpoint GET /posts/{id}")),
    ],
)
def test_what_a_file_lacks_of_the_reference_is_told(old: str, new: str, expected: tuple[str, str]) -> None:
    assert expected in told(_REFERENCE.replace(old, new))


def test_a_field_may_stand_in_a_base_class() -> None:
    inherited = _REFERENCE.replace("class Post(Base):\n", "class Titled:\n").replace(
        "    author_id", "class Post(Titled):\n    author_id"
    )

    assert told(inherited) == []
    assert told(_REFERENCE.replace("    title: str = column()\n", "").replace("(Base)", "(Elsewhere)")) == []
    assert [rule for rule, _ in told(inherited.replace("Post(Titled)", "Post(Base)"))] == ["missing-field"]


def test_tests_may_be_other_ones() -> None:
    assert told("", "tests/test_post.py") == []
