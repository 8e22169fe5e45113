"""Recipes: data that defines the phases and files of a kind of project.

A recipe is a folder with ``recipe.yaml`` and ``templates/``, and with ``prompts/`` if a model can generate its files.
Built-in recipes are in ``bot/recipes``; any other is given as a path.  An invalid recipe is refused when it is
loaded, not when a phase needs it.  Where a text may name one from is decided in :mod:`bot.planning.recipe_names`.
"""

import hashlib
import json
import os
import stat
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from bot.errors import UsageError
from bot.planning.plan import Option
from bot.planning.plan_checks import Reserved
from bot.planning.recipe_checks import find_problems
from bot.planning.recipe_document import FILE, Document, Place, RecipeError, read_document
from bot.planning.recipe_model import (
    NameLimits,
    RecipeCollection,
    RecipeFile,
    RecipeOption,
    RecipePhase,
    RecipePrompts,
    TryIt,
    VerifyCommand,
)
from bot.text import shown

BUILT_IN = Path(__file__).parent.parent / "recipes"
PROMPTS = "prompts/"
TEMPLATES = "templates/"
_MAX_TEMPLATE = 1 << 20
MAX_BYTES = 4 * _MAX_TEMPLATE
"""More than the longest file of a recipe can have."""
_MAX_NAME = 200
_MAX_LISTED = 500


class Recipe:
    """A loaded recipe: its phases and the text of its templates."""

    def __init__(self, content: RecipeFile, templates: Mapping[str, str]) -> None:
        self.content = content
        self.name = content.name
        self.description = content.description
        self.phases = content.phases
        self.reserved = Reserved(content.reserved.entities, content.reserved.fields, content.reserved.plurals)
        self.options: Mapping[str, RecipeOption] = content.options
        self.collections: Mapping[str, RecipeCollection] = content.collections
        """What a plan can list besides entities; an entry ``entities`` only limits them."""
        self.name_limits: NameLimits = content.limits.names
        self.verify: tuple[VerifyCommand, ...] = content.verify
        """The commands that prove a generated project."""
        self.try_it: TryIt = content.try_it
        self.languages: Mapping[str, str] = content.language
        """Pattern of paths → language."""
        self.templates = templates
        """Template text by its path below ``templates/``; the path of a prompt starts with ``prompts/``."""
        self.prompts: RecipePrompts | None = content.prompts
        """Prompt names without ``prompts/``; None if no model can generate this recipe's files."""
        self.shared = content.shared
        """Templates that others import."""

    def digest(self, phase: RecipePhase) -> str:
        """Return ``sha256:<hex>`` of the entry of *phase*, the recipe files that it uses, and the options it sees."""
        content = [self._entry_of(phase), [[name, self.templates[name]] for name in self._used(phase)]]
        if options := self._options_of(phase):
            content.append(options)
        return digest(content)

    def files_of(self, phase: RecipePhase) -> Mapping[str, object]:
        """Return what *phase* depends on in each file of the recipe, to be compared with another version of it."""
        files: dict[str, object] = {FILE: [self._entry_of(phase), self._options_of(phase)]}
        for name in self._used(phase):
            files[name if name.startswith(PROMPTS) else TEMPLATES + name] = self.templates[name]
        return files

    def _used(self, phase: RecipePhase) -> list[str]:
        used = {*filter(None, phase.templates.values()), *self.shared}
        if phase.prompt and self.prompts:
            used |= {PROMPTS + phase.prompt, PROMPTS + self.prompts.system}
        return sorted(used)

    def _entry_of(self, phase: RecipePhase) -> object:
        return phase.model_dump(mode="json", exclude_defaults=True)

    def _options_of(self, phase: RecipePhase) -> dict[str, object]:
        exclude = {"new", "new_when", "needs", "warnings"}  # none of them makes a difference to files
        return {name: self.options[name].model_dump(mode="json", exclude=exclude) for name in self.seen_options(phase)}

    def seen_options(self, phase: RecipePhase) -> list[str]:
        """Return the options that *phase* sees."""
        return [name for name in self.options if phase.seen & {"options", f"options/{name}"}]

    def warnings(self, given: Mapping[str, Option]) -> list[str]:
        """Return what people should know about the options of a plan, those with their defaults included."""
        values = {name: given.get(name, option.default) for name, option in self.options.items()}
        return [
            f"{name} is {values[name]}: {option.warnings[str(values[name])]}"
            for name, option in self.options.items()
            if str(values[name]) in option.warnings
        ]

    def read_options(self, given: Mapping[str, Option]) -> dict[str, Option]:
        """Return the options of a plan: those of *given* that differ from their defaults, in the recipe's order.

        A text is read as the option's type, so ``true`` and ``3`` can come from the command line.

        Raises:
            UsageError: An option is unknown or has a wrong value; all problems are told.
        """
        problems, values = [], dict[str, Option]()
        for name, value in given.items():
            if (option := self.options.get(name)) is None:
                near = get_close_matches(name, self.options, n=1)
                known = f"its options are {', '.join(self.options)}" if self.options else "it has none"
                remedy = f"did you mean {near[0]!r}?" if near else known
                problems.append(f"it has no option {shown(name)}; {remedy}")
                continue
            values[name] = option.read(value) if isinstance(value, str) else value
            if problem := option.problem(values[name]):
                problems.append(f"option {name}: {problem}")
        if problems:
            raise UsageError(f"recipe {self.name!r}: {'; '.join(problems)}")
        return {
            name: values[name]
            for name, option in self.options.items()
            if values.get(name, option.default) != option.default
        }


def digest(content: object) -> str:
    """Return ``sha256:<hex>`` of *content* as canonical JSON."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


ReadFile = Callable[[str], bytes]
"""Reads a file of a recipe by its path in the recipe's folder; raises OSError or ValueError."""


def built_in_names() -> list[str]:
    """Return the names of the built-in recipes."""
    return sorted(path.parent.name for path in BUILT_IN.glob("*/recipe.yaml"))


def load_recipe(name: str) -> Recipe:
    """Load the built-in recipe *name*, or the recipe in the folder *name*, wherever it is; a person named it.

    Raises:
        UsageError: There is no such recipe, or it is invalid.
    """
    if len(name) > _MAX_NAME:
        raise unknown_recipe(name)
    built_in = built_in_names()
    if name.isidentifier() and name not in built_in:
        raise unknown_recipe(name)
    folder = BUILT_IN / name if name in built_in else Path(name)
    try:
        if not stat.S_ISREG((folder / "recipe.yaml").stat().st_mode):
            raise unknown_recipe(name)
    except (OSError, ValueError) as exc:  # ValueError: a NUL in the name
        raise unknown_recipe(name) from exc
    return read_recipe(name, lambda file: read_inside(folder, file), lambda: files_in(folder))


def files_in(folder: Path) -> list[str]:
    """Return the files of the recipe in *folder*, for suggestions."""
    found = (path for part in (TEMPLATES, PROMPTS) for path in (folder / part).rglob("*"))
    return [path.relative_to(folder).as_posix() for path in islice(found, _MAX_LISTED)]


def unknown_recipe(name: str) -> UsageError:
    """Return the error that there is no recipe *name*."""
    return UsageError(
        f"recipe {shown(name)} is not known: built-in recipes are {', '.join(built_in_names())}; "
        "or give a folder with a recipe.yaml, or the name of one in .phasebot/recipes"
    )


def read_inside(folder: Path, name: str) -> bytes:
    """Return the file *name* in *folder*, if it is there and a regular file; neither a pipe nor a device is waited for.

    Raises:
        OSError: It can't be read.
        ValueError: It is outside the folder, or no regular file, or too large.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise _OutsideError
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    with os.fdopen(opened, "rb") as file:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise ValueError("it is not a file")
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _TooLargeError
    return content


class _OutsideError(ValueError):
    pass


class _TooLargeError(ValueError):
    pass


def read_recipe(name: str, read: ReadFile, names: Callable[[], list[str]] = list) -> Recipe:
    """Return the recipe *name*, whose files *read* reads; *names* returns those there are, where that is known.

    Raises:
        RecipeError: It is invalid; all problems are told, with their lines.
    """
    source = f"recipe {name!r}"
    content, document = read_document(_read(read, FILE, source))
    templates: dict[str, str] = {}
    if content:
        find_problems(content, document)
        reader = _Reader(read, document, names)
        templates = {file: reader(file, place, TEMPLATES) for file, place in _used_templates(content, document).items()}
        templates |= {
            PROMPTS + file: reader(file, place, PROMPTS) for file, place in _used_prompts(content, document).items()
        }
    if content is None or document.problems:
        raise RecipeError(source, sorted(document.problems, key=lambda each: each.line or 0))
    return Recipe(content, {file: templates[file] for file in sorted(templates)})


def _used_templates(content: RecipeFile, document: Document) -> dict[str, Place]:
    """Return each template with the first place that names it."""
    found: dict[str, Place] = {}
    for number, file in enumerate(content.shared):
        found.setdefault(file, ("shared", number))
    for number, phase in enumerate(content.phases):
        for path, file in phase.templates.items() if number not in document.broken else ():
            if file:
                found.setdefault(file, ("phases", number, "files", path))
    return found


def _used_prompts(content: RecipeFile, document: Document) -> dict[str, Place]:
    found: dict[str, Place] = {}
    if content.prompts:
        found = {content.prompts.plan: ("prompts", "plan"), content.prompts.system: ("prompts", "system")}
        for number, phase in enumerate(content.phases):
            if phase.prompt and number not in document.broken:
                found.setdefault(phase.prompt, ("phases", number, "prompt"))
    return found


class _Reader:
    """Reads files of a recipe, and notes which can't be read."""

    def __init__(self, read: ReadFile, document: Document, names: Callable[[], list[str]]) -> None:
        self._read, self._document, self._names = read, document, names

    def __call__(self, file: str, place: Place, folder: str) -> str:
        try:
            return _text(file, folder, self._read)
        except (OSError, ValueError) as exc:
            there = [name.removeprefix(folder) for name in self._names() if name.startswith(folder)]
            near = [] if isinstance(exc, _OutsideError) else get_close_matches(file, there, n=1)
            remedy = f"; did you mean {near[0]!r}?" if near else ""
            self._document.add(place, _unreadable(file, exc) + remedy)
            return ""


def _unreadable(file: str, exc: Exception) -> str:
    if isinstance(exc, _OutsideError):
        return f"{file!r} is outside the recipe's folder"
    if isinstance(exc, _TooLargeError):
        return f"{file!r} is larger than {_MAX_TEMPLATE:,} characters"
    reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else exc  # ValueError: not UTF-8, or a NUL
    return f"can't read {file!r}: {reason}"


def _read(read: ReadFile, name: str, source: str) -> str:
    try:
        return _text(name, "", read)
    except (OSError, ValueError) as exc:
        raise UsageError(f"{source}: {_unreadable(name, exc)}") from exc


def _text(name: str, folder: str, read: ReadFile) -> str:
    if ".." in name.split("/") or name.startswith("/"):
        raise _OutsideError
    text = read(folder + name).decode()
    if len(text) > _MAX_TEMPLATE:
        raise _TooLargeError
    return text
