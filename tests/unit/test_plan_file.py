"""The plan file: easy to review, and read back as the same plan, whatever its texts hold."""

from hypothesis import example, given
from hypothesis import strategies as st

from bot.planning.entities import Entity, Field, Item
from bot.planning.plan import Plan
from bot.planning.plan_file import PLAN_HEADER, format_instructions, format_plan, parse_plan
from bot.text import CONTROL
from tests.unit.test_field_grammar import valid_fields
from tests.unit.values import BLOG, read_plan

_PIECES = [*" \n\t#-:`~|>'\"{}[]&*!%@?,\\=", "```", "\nentities:", "\n- User: a text", "\n---\n", "\n..."]
TEXT = (
    st.lists(st.sampled_from(_PIECES) | st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)
    .map("".join)
    .filter(lambda text: not CONTROL.search(text))
)
_LINE = TEXT.map(lambda text: " ".join(text.split())[:100].strip()).filter(bool)


def _deletion(field: Field) -> object:
    """Return the same for all fields of which an entity has one at most."""
    return "delete" if field.auto == "delete" else field.name


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a valid plan whose texts are hostile."""
    fields = draw(st.lists(valid_fields(), max_size=4, unique_by=(lambda field: field.name, _deletion)))
    made = [
        field.model_copy(update={"name": f"f{n}", "optional": field.optional if field.auto else not field.many})
        for n, field in enumerate(fields)
    ]
    post = Entity(name="Post", fields=(Field(name="title", type="string"), *made))
    more = [Entity(name=f"E{n}", fields=post.fields) for n in range(draw(st.integers(0, 2)))]
    link = [Field(name=name, type="relation", target="Post") for name in ("a", "b")]
    unique = draw(st.sampled_from([None, (), (("a", "b"),), (("b", "a"),)]))
    more += [Entity(name="Link", fields=tuple(link), unique=unique)] if draw(st.booleans()) else []
    rules = st.lists(_LINE, max_size=2).map(tuple)
    if draw(st.booleans()):
        said = {
            "plural": "writings",
            "table": "posts",
            "access": {"read": ("anyone",), "delete": ("owner", "admin")},
            "rules": draw(rules),
        }
        post = Entity.model_validate({"name": "Post", "fields": (*post.fields, Field(name="z", type="date")), **said,
                                      "index": (("title", "z"),)})  # fmt: skip
    does, uses = TEXT.map(str.strip).filter(bool), st.lists(st.sampled_from(["Post", "Feed1"]), unique=True)
    features = [
        Item(name=f"Feed{n}", does=draw(does), uses=tuple(draw(uses)) if n > 1 else (), rules=draw(rules),
             files=tuple(draw(st.lists(_LINE, max_size=1))))
        for n in range(1, draw(st.integers(1, 3)))
    ]  # fmt: skip
    return Plan(
        options=draw(st.dictionaries(st.sampled_from(["auth", "y"]), _LINE | st.booleans() | st.integers(-99, 99))),
        collections={"features": tuple(features)} if features else {},
        rules=draw(rules),
        left_out=draw(rules),
        project=draw(_LINE),
        description=draw(TEXT),
        recipe=draw(st.sampled_from(["fastapi", "./recipes/mine", "no", "1.0", "a: b"])),
        output_dir=draw(st.sampled_from([".", "api", "a/b c", "null"])),
        entities=(post, *more),
        instructions=draw(st.dictionaries(st.sampled_from(["core", "entity/Post", "y"]), TEXT, max_size=2)),
    )


def test_the_plan_file_reads_well() -> None:
    plan = read_plan(
        '# Blog\nOne.\n\nTwo.\n- User: name string unique\n- Post: title string = "a, b", author -> User ?'
    )

    assert format_plan(plan) == (
        "# The plan of this project. Edit it to change what is built, commit, and run generate again.\n"
        "# A field is: name type [unique] [index] [?] [= default], or name -> Entity [?]\n"
        "project: Blog\n"
        "description: |-\n"
        "  One.\n"
        "\n"
        "  Two.\n"
        "recipe: fastapi\n"
        "output-dir: .\n"
        "entities:\n"
        "  User:\n"
        "    name: string unique\n"
        "  Post:\n"
        '    title: string = "a, b"\n'
        "    author: -> User?\n"
    )


@given(plans())
@example(read_plan(BLOG).model_copy(update={"description": "a\n```\nb"}))
@example(read_plan(BLOG).model_copy(update={"description": "x\t" + "entities: x" * 500}))
@example(read_plan(BLOG).model_copy(update={"instructions": {"core": "entities:\n```"}}))
@example(read_plan("- Post: state enum(0|0-|-1|.|-)"))
def test_a_plan_file_reads_back_as_the_same_plan(plan: Plan) -> None:
    written = format_plan(plan)

    assert parse_plan(written, source="the plan file").plan(project="x", recipe="x", output_dir="x") == plan


@given(plans())
def test_writing_a_plan_file_again_changes_nothing(plan: Plan) -> None:
    written = format_plan(plan)

    assert format_plan(read_plan(written)) == written


def test_instructions_are_a_section_of_their_own() -> None:
    section = format_instructions({"core": "Use uv.", "entity/Post": "One.\n\nTwo."})

    assert section == "instructions:\n  core: Use uv.\n  entity/Post: |-\n    One.\n\n    Two.\n"
    assert parse_plan(f"{PLAN_HEADER}project: x\nentities: {{}}\n{section}", source="it").instructions == {
        "core": "Use uv.",
        "entity/Post": "One.\n\nTwo.",
    }
