"""OpenAPI: which schemas are entities, and which paths are more than their CRUD."""

import pytest

from tests.unit.schemas import read, refused

_OBJECT = "{type: object, properties: {n: {type: integer}}}"


def document(*schemas: str, paths: str = "{}") -> str:
    return f"openapi: 3.0.0\ninfo: {{title: Shop}}\npaths: {paths}\ncomponents:\n  schemas:\n" + "".join(
        f"    {each}\n" for each in schemas
    )


@pytest.mark.parametrize(
    "form",
    [
        f"PostCreate: {_OBJECT}",
        f"PostUpdate: {_OBJECT}",
        f"NewPost: {_OBJECT}",
        f"PostInput: {_OBJECT}",
        "PostList: {type: object, properties: {items: {type: array, items: {$ref: '#/components/schemas/Post'}}}}",
        "PostResponse: {type: object, properties: {post: {$ref: '#/components/schemas/Post'}}}",
        f"Error: {_OBJECT}",
        f"HTTPValidationError: {_OBJECT}",
        "Anything: {oneOf: [{$ref: '#/components/schemas/Post'}, {type: string}]}",
    ],
)
def test_what_is_no_entity_of_its_own_is_listed(form: str) -> None:
    spec = read(document(f"Post: {_OBJECT}", form))

    assert [entity.name for entity in spec.entities] == ["Post"]
    assert [each.startswith(f"line 7: schema {form.partition(':')[0]}, ") for each in spec.left_out] == [True]


def test_forms_without_their_entity_become_it() -> None:
    spec = read(document(f"PostCreate: {_OBJECT}", f"PostRead: {_OBJECT}"))

    assert [entity.name for entity in spec.entities] == ["Post"]
    assert "PostRead is Post" in spec.notes


def test_a_password_of_another_form_is_kept() -> None:
    create = "UserCreate: {type: object, properties: {password: {type: string}}}"
    spec = read(document(f"User: {_OBJECT}", create))

    assert [field for field, _ in spec.entities[0].fields] == ["n integer?", "password password?"]


def test_paths_beyond_the_crud_of_an_entity_are_listed() -> None:
    paths = """
  /api/v1/blog-posts: {get: {}, post: {}}
  /blogPosts/{id}: {get: {}, patch: {}, delete: {}, post: {summary: Publish}}
  /blog_posts/{id}/comments: {get: {}}
  /login: {post: {summary: Log in}}"""
    spec = read(document(f"BlogPost: {_OBJECT}", paths=paths))

    assert spec.left_out == [
        "line 5: POST /blogPosts/{id}: Publish",
        "line 6: GET /blog_posts/{id}/comments",
        "line 7: POST /login: Log in",
    ]


def test_swagger_2_is_read_too() -> None:
    spec = read(f'swagger: "2.0"\ninfo: {{title: Old}}\ndefinitions:\n  Post: {_OBJECT}\n')

    assert (spec.language, spec.project, spec.entities[0].name) == ("OpenAPI", "Old", "Post")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("openapi: 3.0.0\npaths: {}", "line 1: it has no schemas; they belong below 'components: schemas:'"),
        ("openapi: 3.0.0\n a: [", "line 2: not valid YAML"),
        ("openapi: 3.0.0\na: &b 1", "line 2: YAML anchors, aliases and tags are not allowed"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, message: str) -> None:
    assert refused(text, "OpenAPI").startswith(message)
