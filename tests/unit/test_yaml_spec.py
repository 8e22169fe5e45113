"""The YAML form of a spec: its keys, its three ways to write fields, and errors with their line."""

import pytest

from tests.unit.values import read_plan, refusal


@pytest.mark.parametrize(
    "fields", ["{title: string, size: 'integer?'}", "[title string, 'size integer?']", "title string, size integer?"]
)
def test_fields_are_a_mapping_a_list_or_one_line(fields: str) -> None:
    plan = read_plan(f"entities:\n  Item: {fields}\n")

    assert [(field.name, field.type, field.optional) for field in plan.entities[0].fields] == [
        ("title", "string", False),
        ("size", "integer", True),
    ]


def test_yaml_names_recipe_folder_and_instructions() -> None:
    text = "title: Shop\nrecipe: mine\noutput-dir: ./a/b/\nentities: {Item: name text}\ninstructions: {core: use uv}\n"

    plan = read_plan(text)

    assert (plan.project, plan.recipe, plan.output_dir) == ("Shop", "mine", "a/b")
    assert dict(plan.instructions) == {"core": "use uv"}


def test_yaml_values_stay_the_words_they_are() -> None:
    plan = read_plan(
        "project: yes\ndescription: 1.0\nentities:\n  Item:\n    on: boolean = no\n".replace("= no", "= true")
    )

    assert (plan.project, plan.description, plan.entities[0].fields[0].name) == ("yes", "1.0", "on")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("entities: {}\nname: x\ncolour: red\n", "line 3: 'colour: red': unknown key 'colour'; the keys are project"),
        (
            "output-dir: ../x\nentities: {}\n",
            "line 1: 'output-dir: ../x': '../x' is not a folder inside the repository",
        ),
        ("entities:\n  Item:\n    title: [a]\n", "line 3: 'title: [a]': field title must be text"),
    ],
)
def test_an_error_names_line_text_and_fix(text: str, message: str) -> None:
    assert message in refusal(text)
