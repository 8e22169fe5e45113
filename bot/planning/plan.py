"""The plan: what will be built, as data.

Every plan is validated by these models, whether a person, a file or a model wrote it, so every :class:`Plan` object
is valid.  :func:`bot.planning.plan_checks.find_problems` also checks the names that a recipe reserves, which only the
recipe knows.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import ConfigDict, field_validator, model_validator
from pydantic import Field as Setting

from bot.planning import names
from bot.planning.entities import Entity, Frozen, Item, Line, Prose
from bot.planning.path_rules import normal_output_dir, output_dir_problem
from bot.planning.plan_checks import find_problems
from bot.text import shown

PROJECT_LIMIT = 100
FEATURES = "features"
MAX_LINES = 500
"""How many rules, or things that are left out, a plan can list."""

Option = str | bool | int
"""The value of an option of the recipe."""


class Plan(Frozen):
    """What will be built.  Entities, fields and items keep the order in which the person wrote them."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)
    later = frozenset(("options", "collections", "rules", "left_out", "left-out"))

    project: Line = Setting(min_length=1, max_length=PROJECT_LIMIT)
    description: Prose = ""
    recipe: Line = "fastapi"
    output_dir: str = Setting(default=".", alias="output-dir")
    entities: tuple[Entity, ...] = ()
    instructions: Mapping[Line, Prose] = {}
    """Extra instructions from people, by phase key."""
    options: Mapping[str, Option] = {}
    """Options of the recipe that differ from their defaults."""
    collections: Mapping[str, tuple[Item, ...]] = {}
    """What the plan lists besides entities, by the name of the collection: features, or what the recipe defines."""
    rules: Annotated[tuple[Line, ...], Setting(max_length=MAX_LINES)] = ()
    """Rules of the whole project."""
    left_out: Annotated[tuple[Line, ...], Setting(max_length=MAX_LINES)] = Setting(default=(), alias="left-out")
    """What the spec asks for, and this plan does not build."""

    @property
    def slug(self) -> str:
        return names.slug(self.project)

    @property
    def features(self) -> tuple[Item, ...]:
        return self.collections.get(FEATURES, ())

    def items(self, collection: str) -> tuple[Entity | Item, ...]:
        """Return the items of a *collection*, in plan order; none if the plan does not list it."""
        return self.entities if collection == "entities" else self.collections.get(collection, ())

    @field_validator("output_dir")
    @classmethod
    def _normalize_output_dir(cls, folder: str) -> str:
        if problem := output_dir_problem(folder):
            raise ValueError(f"{shown(folder)} {problem}")
        return normal_output_dir(folder)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if problems := find_problems(self.entities, collections=self.collections):
            raise ValueError("; ".join(map(str, problems[:3])))
        return self

    def shown(self) -> dict[str, Any]:
        """Return the plan for programs: with each collection under its own name, as in the plan file."""
        content: dict[str, Any] = self.model_dump(mode="json", by_alias=True)
        content.update(content.pop("collections", {}))
        return content

    def content(self) -> dict[str, Any]:
        """Return the plan for a digest."""
        content = self.model_dump(mode="json", by_alias=True)
        content["entities"] = [entity.content(defaults=True) for entity in self.entities]
        return content
