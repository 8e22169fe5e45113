"""Recipes: what kinds of files a project consists of, as data.

A recipe is a folder with ``recipe.yaml`` and ``templates/``, and ``prompts/`` if a model can follow it.  Built-in
ones lie in ``bot/recipes``; a path names any other.  A recipe that can't work is refused when it is loaded, not
when a phase needs it.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator
from pydantic import Field as Setting

from bot.errors import UsageError
from bot.planning import yaml_outline
from bot.planning.plan import Reserved
from bot.text import shown

BUILT_IN = Path(__file__).parent.parent / "recipes"
PROMPTS = "prompts/"
_MAX_TEMPLATE = 1 << 20
_MAX_NAME = 200


def _one_line(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("it must be one line without spaces around it")
    return text


_Text = Annotated[str, Setting(min_length=1, max_length=200), AfterValidator(_one_line)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RecipePhase(_Part):
    """One phase, or with *for_each* one per entity; ``${name} ${module} ${plural}`` stand for the entity's."""

    key: _Text
    title: _Text
    for_each: Literal["entity"] | None = Setting(default=None, alias="for-each")
    needs: tuple[_Text, ...] = ()
    """Keys of phases that must be done before; ``entity/*`` means every entity's."""
    sees: Literal["nothing", "names", "entities"] = "nothing"
    """What of the whole a phase is given, and thus depends on: the project's name and its entities' names, or all."""
    files: Mapping[str, str] = Setting(min_length=1)
    """Path in the project → template, in the order in which a review should show them."""
    prompt: str | None = None
    """What to tell a model of this phase: a template below ``prompts/``."""
    reads: tuple[_Text, ...] = ()
    """Files of the phases it needs, or patterns of them, that a model is shown as they are at head."""


class _Prompts(_Part):
    system: str
    """What a model is told with every phase: the layout, the conventions.  Without anything of the plan."""
    plan: str
    """How to make a plan of a description in prose."""


class _Reserved(_Part):
    entities: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()


class _RecipeFile(_Part):
    name: _Text
    description: str = ""
    reserved: _Reserved = _Reserved()
    shared: tuple[str, ...] = ()
    prompts: _Prompts | None = None
    phases: tuple[RecipePhase, ...] = Setting(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.prompts is None and (lost := next((phase.key for phase in self.phases if phase.prompt), None)):
            raise ValueError(f"phase {lost!r} has a prompt, but the recipe no 'prompts' to go with it")
        return self


class Recipe:
    """A loaded recipe: its phases and the text of its templates, read once."""

    def __init__(self, content: _RecipeFile, templates: Mapping[str, str]) -> None:
        self.name = content.name
        self.phases = content.phases
        self.reserved = Reserved(content.reserved.entities, content.reserved.fields)
        self.templates = templates
        """Template text by its path below ``templates/``; a prompt's begins with ``prompts/``."""
        self.prompts = content.prompts
        """Names in :attr:`templates`; None where the recipe has nothing to tell a model."""
        self._shared = content.shared

    def digest(self, phase: RecipePhase) -> str:
        """Return ``sha256:<hex>`` over the recipe files that *phase* uses and its own entry."""
        used = {*phase.files.values(), *self._shared}
        if phase.prompt and self.prompts:
            used |= {PROMPTS + phase.prompt, PROMPTS + self.prompts.system}
        content = [
            phase.model_dump(mode="json", exclude_defaults=True),
            [[name, self.templates[name]] for name in sorted(used)],
        ]
        return digest(content)


def digest(content: object) -> str:
    """Return ``sha256:<hex>`` of *content* as canonical JSON."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def load_recipe(name: str) -> Recipe:
    """Load the built-in recipe *name*, or the one in the folder *name* points to.

    Raises:
        UsageError: There is none, or it is broken.
    """
    folder = BUILT_IN / name if name.isidentifier() else Path(name)
    if len(name) > _MAX_NAME or not (folder / "recipe.yaml").is_file():
        built_in = ", ".join(sorted(path.parent.name for path in BUILT_IN.glob("*/recipe.yaml")))
        raise UsageError(
            f"recipe {shown(name)} is not known: built in are {built_in}; or give a folder with a recipe.yaml"
        )
    source = f"recipe {name!r}"
    text = _read(folder, "recipe.yaml", source)
    try:
        yaml_outline.compose(text)  # refuses what safe_load would follow: aliases, depth
        content = _RecipeFile.model_validate(yaml.safe_load(text))
    except yaml_outline.OutlineError as exc:
        raise UsageError(f"{source}, recipe.yaml, line {exc.line}: {exc}") from exc
    except ValidationError as exc:
        first = exc.errors()[0]
        raise UsageError(f"{source}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from exc
    except (yaml.YAMLError, ValueError) as exc:  # YAML, but no value of its types: a date such as 2026-99-99
        raise UsageError(f"{source}, recipe.yaml: {' '.join(str(exc).split())}") from exc
    used = {*content.shared, *(name for phase in content.phases for name in phase.files.values())}
    templates = {name: _read(folder / "templates", name, source) for name in sorted(used)}
    if content.prompts:
        told = {content.prompts.system, content.prompts.plan, *(phase.prompt for phase in content.phases)}
        names = (PROMPTS + name for name in sorted(filter(None, told)))
        templates |= {name: _read(folder, name, source) for name in names}
    return Recipe(content, templates)


def _read(folder: Path, name: str, source: str) -> str:
    path = folder / name
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise UsageError(f"{source}: {name!r} leaves the recipe's folder")
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as exc:  # ValueError: no UTF-8, or a NUL in the name
        raise UsageError(f"{source}: can't read {name!r}: {exc}") from exc
    if len(text) > _MAX_TEMPLATE:
        raise UsageError(f"{source}: {name!r} is larger than {_MAX_TEMPLATE:,} characters")
    return text
