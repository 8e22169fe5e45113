"""What the parts of a recipe have to do with each other: needs, placeholders, paths, prompts, collections, options.

Here is checked what holds for every plan; what depends on the plan is checked when phases are derived.
"""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import chain, islice
from pathlib import PurePosixPath
from string import Template

from bot.planning.languages import LANGUAGES
from bot.planning.path_rules import path_problem
from bot.planning.recipe_conditions import TYPES, condition_problem
from bot.planning.recipe_document import MAX_FOUND, Document, Place, nearest
from bot.planning.recipe_model import CHANGES, ENTITIES, USES, RecipeFile, RecipePhase
from bot.text import shown

PLAN_PHASE = "plan"
PLAN_FILE = ".phasebot/plan.yaml"
PLACEHOLDERS = ("name", "module", "plural")
REVISION = "revision"
"""The placeholder for the number of a migration, in the files of a phase that sees changes."""
_SAMPLE = {"name": "Sample", "module": "sample", "plural": "samples", REVISION: "0001"}
_OLD_WORDS = ("nothing", "names", ENTITIES)
_NOT_COLLECTIONS = frozenset(
    (
        *("project", "name", "title", "description", "recipe", "output-dir", "options", "rules", "instructions"),
        *("left-out", "collections", "output_dir", "left_out"),
        *("entity", "item", "instruction", "root", "reference", "reserved", "types"),
        *("plan", "uses", "names", "nothing", "changes", "types"),
    )
)
"""Keys of a plan file, variables of templates, and words of a recipe."""
_MAX_DEPTH, _MAX_FILES, _MAX_PATTERNS = 50, 5_000, 200
_Found = Iterator[tuple[Place, str]]


def find_problems(recipe: RecipeFile, document: Document) -> None:
    """Add to *document* what is wrong with *recipe*, as far as its phases could be read."""
    count = sum(len(phase.templates) for phase in recipe.phases)
    if count > _MAX_FILES:
        document.add(("phases",), f"the phases list {count:,} files; a recipe has {_MAX_FILES:,} at most")
        return
    found = chain(_collections(recipe), _phases(recipe, document), _paths(recipe, document.broken))
    for place, message in islice(found, MAX_FOUND):
        document.add(place, message)


def _collections(recipe: RecipeFile) -> _Found:
    for name in recipe.collections:
        if name in _NOT_COLLECTIONS:
            yield ("collections", name), f"a collection can't be called {name!r}, which means something else in a plan"
    for pattern, language in recipe.language.items():
        if problem := path_problem(pattern.replace("*", "x")):
            yield ("language", pattern), f"the pattern {shown(pattern)} {problem}"
        if language not in LANGUAGES:
            near = nearest(language, LANGUAGES, "some that are")
            yield ("language", pattern), f"the language {shown(language)} is not known; {near}"
    for name, option in recipe.options.items():
        for key, condition in (("new-when", option.new_when), ("needs", option.needs)):
            if condition and (problem := condition_problem(condition, recipe.options)):
                yield ("options", name, key), problem


def _phases(recipe: RecipeFile, document: Document) -> _Found:
    broken = document.broken
    known = [ENTITIES, *sorted({*recipe.collections, *document.names.get("collections", ())} - {ENTITIES})]
    options = sorted({*recipe.options, *document.names.get("options", ())})
    meant = _meant(recipe.phases)
    circle = [] if broken else _circle(recipe.phases, meant)
    if circle:
        yield ("phases",), f"phases need each other in a circle: {' -> '.join(circle)}; take one need out"
    keys: set[str] = {PLAN_PHASE}
    for number, phase in enumerate(recipe.phases):
        if phase.key in keys:
            yield ("phases", number, "key"), f"two phases have the key {phase.key!r}; rename one"
        keys.add(phase.key)
        if number in broken:
            continue
        found = [*_items(phase, recipe, known), *_placeholders(phase, recipe, known), *_seen(phase, known, options)]
        found += _conditions(phase, recipe)
        if not broken & set(range(number)) and number not in document.unread_needs:
            found += [*_needs(number, recipe, known, meant, circle), *_reads(number, recipe, meant)]
        yield from ((("phases", number, *place), message) for place, message in found)


def _items(phase: RecipePhase, recipe: RecipeFile, known: Sequence[str]) -> _Found:
    if phase.collection and phase.collection not in known:
        word = nearest(phase.for_each or "", known, "collections are")
        yield ("for-each",), f"{shown(phase.for_each or '')} is not a collection; {word}"
    if phase.prompt and recipe.prompts is None:
        yield ("prompt",), f"phase {phase.key!r} has a prompt, but the recipe has no 'prompts' section; add one"
    if phase.is_planned and phase.collection in (None, ENTITIES):
        yield ("files",), "only a phase for each item of another collection than entities has planned files; list them"


def _placeholders(phase: RecipePhase, recipe: RecipeFile, known: Sequence[str]) -> _Found:
    texts: list[tuple[Place, str]] = [(("key",), phase.key), (("title",), phase.title)]
    texts += [(("files", path), path) for path in phase.templates]
    texts += [((key, number), text) for key in ("needs", "reads") for number, text in enumerate(getattr(phase, key))]
    for place, text in texts:
        defined = PLACEHOLDERS if phase.collection else ()
        if CHANGES in phase.seen and place[0] == "files":
            defined = (*defined, REVISION)
        template = Template(text)
        unknown = [name for name in template.get_identifiers() if name not in defined]
        if not unknown and template.is_valid():
            continue
        start = f"phase {phase.key!r}: {text!r} has a placeholder that is not defined for this phase"
        if unknown and not phase.collection:
            yield place, f"{start}; only a phase with 'for-each' has ${{name}}, ${{module}} and ${{plural}}"
        elif unknown:
            yield place, f"{start}: {unknown[0]!r}; {nearest(unknown[0], PLACEHOLDERS, 'placeholders are')}"
        else:
            yield place, f"{start}; write ${{name}}, or $$ for the character $"
    if phase.collection in known and not _is_single(phase, recipe):
        for place, text in (texts[0], *texts[2 : 2 + len(phase.templates)]):
            if Template(text).is_valid() and not Template(text).get_identifiers():
                what = f"every item of {phase.collection} would have"
                kind = "the key" if place == ("key",) else "the file"
                yield place, f"phase {phase.key!r}: {what} {kind} {text!r}; put ${{name}} or ${{module}} into it"


def _conditions(phase: RecipePhase, recipe: RecipeFile) -> _Found:
    for word, condition in phase.carries_out.items():
        if problem := condition_problem(condition, recipe.options):
            yield ("carries-out", word), f"phase {phase.key!r}: {problem}"
    for path, condition in phase.conditions.items():
        place: Place = ("when", path) if path else ("when",)
        if problem := condition_problem(condition, recipe.options):
            yield place, f"phase {phase.key!r}: {problem}"
        if path and path not in phase.templates and path not in phase.seen:
            near = nearest(path, [*phase.templates, *sorted(phase.seen)], "its files and what it sees are")
            yield place, f"phase {phase.key!r} has no file {shown(path)}, nor does it see that; {near}"


def _is_single(phase: RecipePhase, recipe: RecipeFile) -> bool:
    """Whether a plan can hold one item at most."""
    limits = recipe.collections.get(phase.collection or "")
    return limits is not None and limits.max == 1


def _seen(phase: RecipePhase, collections: Sequence[str], options: Sequence[str]) -> _Found:
    words = ["names", "project", "description", "rules", "options", USES, CHANGES]
    words += [word for name in collections for word in (name, f"{name}/names")]
    words += [f"options/{name}" for name in options]
    by_type = [word for name in TYPES for word in (f"types/{name}", f"types/{name}/names")]
    single = isinstance(phase.sees, str)
    for number, word in enumerate((phase.sees,) if isinstance(phase.sees, str) else phase.sees):
        place: Place = ("sees",) if single else ("sees", number)
        if word not in words + by_type and not (single and word in _OLD_WORDS):
            near = nearest(word, by_type if word.startswith("types/") else words, "it can see")
            yield place, f"phase {phase.key!r} can't see {shown(word)}; {near}"
        elif word == USES and phase.collection in (None, ENTITIES):
            yield place, f"phase {phase.key!r} has no item that uses anything, so it can't see {USES!r}"
        elif word == CHANGES and phase.collection:
            yield place, f"phase {phase.key!r} is for each item, so it can't see {CHANGES!r} of the whole plan"


_Meant = Mapping[str, Sequence[int]]


def _meant(phases: Sequence[RecipePhase]) -> _Meant:
    """Return for each need the positions of the phases that it can mean."""
    needs = {need for phase in phases for need in phase.needs if need != USES}
    patterns = [as_pattern(phase.key) for phase in phases]
    return {need: [n for n, phase in enumerate(phases) if _is_meant(need, phase, patterns[n])] for need in needs}


def _is_meant(need: str, phase: RecipePhase, pattern: str) -> bool:
    if need.endswith("/*"):
        return need[:-2] == phase.collection or phase.key.startswith(need[:-1])
    return need == phase.key or ("*" in pattern and fnmatchcase(need, pattern))


def _needs(number: int, recipe: RecipeFile, collections: Sequence[str], meant: _Meant, circle: Sequence[str]) -> _Found:
    phase, earlier = recipe.phases[number], recipe.phases[:number]
    for position, need in enumerate(phase.needs):
        place: Place = ("needs", position)
        start = f"phase {phase.key!r} needs {need!r}, which"
        if need == USES:
            if phase.collection in (None, ENTITIES):
                yield place, f"phase {phase.key!r} has no item that uses anything, so it can't need {USES!r}"
        elif not any(each < number for each in meant[need]):
            if meant[need]:
                later = recipe.phases[meant[need][0]].key
                if phase.key not in circle:
                    advice = f"move {later!r} up" if later != phase.key else "take that need out"
                    yield place, f"{start} is not the key of an earlier phase; {advice}"
                continue
            known = [each.key for each in earlier]
            known += [f"{name}/*" for name in collections if any(each.collection == name for each in earlier)]
            yield place, f"{start} is not the key of an earlier phase; {nearest(need, known, 'earlier ones are')}"


def as_pattern(text: str) -> str:
    """Return *text* with its placeholders as ``*``, and everything else taken as it is."""
    escaped = text.replace("[", "[[]").replace("*", "[*]").replace("?", "[?]")
    return Template(escaped).safe_substitute(dict.fromkeys(PLACEHOLDERS, "*"))


def _reads(number: int, recipe: RecipeFile, meant: _Meant) -> _Found:
    phase = recipe.phases[number]
    positions = sorted({each for need in phase.needs for each in meant.get(need, ()) if each < number})
    needed = [recipe.phases[each] for each in positions]
    paths = [path for each in needed for path in each.templates]
    patterns = [as_pattern(path) for path in paths if "$" in path]
    is_open = USES in phase.needs or any(each.is_planned for each in needed) or len(patterns) > _MAX_PATTERNS
    for position, read in enumerate(phase.reads):
        place: Place = ("reads", position)
        if read == USES and USES not in phase.needs:
            yield place, f"phase {phase.key!r} reads {USES!r}, but does not need it; add {USES!r} to 'needs'"
        if read == USES or is_open or set("*?[$") & set(read) or read in paths:
            continue
        if not any(fnmatchcase(read, pattern) for pattern in patterns):
            message = f"phase {phase.key!r} reads {read!r}, which none of the phases it needs generates"
            yield place, f"{message}; {nearest(read, paths, 'they generate')}"


def _circle(phases: Sequence[RecipePhase], meant: _Meant) -> list[str]:
    """Return keys that need each other, the first again at the end; none if all can be made."""
    needs = {each.key: [phases[other].key for need in each.needs for other in meant.get(need, ())] for each in phases}
    left = dict(needs)
    while ready := [key for key, wanted in left.items() if not any(each in left for each in wanted)]:
        for key in ready:
            del left[key]
    path: list[str] = []
    key = next(iter(left), "")
    while key and key not in path:
        path.append(key)
        key = next((each for each in needs[key] if each in left), "")
    return [*path[path.index(key) :], key] if key and len(path[path.index(key) :]) > 1 else []


# ---- paths


_Owners = Mapping[str, Sequence[tuple[str, RecipePhase | None]]]


def _paths(recipe: RecipeFile, broken: set[int]) -> _Found:
    owners: dict[str, list[tuple[str, RecipePhase | None]]] = {PLAN_FILE: [(PLAN_PHASE, None)]}
    for number, phase in enumerate(recipe.phases):
        for path in phase.templates if number not in broken else ():
            place: Place = ("phases", number, "files", path)
            if problem := path_problem(Template(path).safe_substitute(_SAMPLE)):
                yield place, f"phase {phase.key!r}: path {path!r} {problem}"
            if other := _owner(path, phase, owners):
                yield place, f"{path!r} belongs to both {other!r} and {phase.key!r}; only one phase can own a path"
            owners.setdefault(path.lower(), []).append((phase.key, phase))
    for number, phase in enumerate(recipe.phases):
        for path in phase.templates if number not in broken else ():
            for parent in islice(PurePosixPath(path).parents, _MAX_DEPTH):
                if other := _owner(str(parent), phase, owners):
                    message = f"{path!r} of {phase.key!r} needs a folder where {other!r} has a file"
                    yield ("phases", number, "files", path), message


def _owner(path: str, phase: RecipePhase, owners: _Owners) -> str | None:
    """Return which phase owns *path* of *phase*; items of two collections have different names, and so files."""
    found = owners.get(path.lower(), ())
    has_item = bool(found and Template(path).get_identifiers())
    for key, other in found:
        if other is None or phase.collection == other.collection or not has_item:
            return key
    return None
