"""Read OpenAPI 3, Swagger 2 and JSON Schema: which schemas are entities, and which paths are more than their CRUD."""

import re
from collections.abc import Mapping

from bot.planning.names import slug
from bot.planning.plurals import plural, singular
from bot.planning.schema_files import naming
from bot.planning.schema_files.json_nodes import Value, read_document
from bot.planning.schema_files.json_schema import Properties, Schemas
from bot.planning.schema_files.source import SchemaError, Source, Table

_AFFIX = re.compile(
    r"(?:New|Create|Update|Patch|Partial|Paginated|Base)(?=[A-Z])|"
    r"(?<=[a-z0-9])(?:Create|Created|Update|Updated|Patch|New|Base|Read|Public|Out|Output|In|Input|Response|Request|List|Page"
    r"|Collection|Dto|DTO|Summary|Detail|Details|Item|Payload|Form|Full|InDB|Paginated|Body)$"
)
_ERROR = re.compile(
    r"(?:.*(?:Error|Problem|Exception|ProblemDetails|ErrorModel)|(?:Api|API)Response|Errors?.*Response|Error.*)"
)
_BEST = ("Read", "Public", "Out", "Output", "Response", "Full", "Detail", "Details", "Dto", "DTO", "Base", "Create")
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_ROOT = ("openapi", "swagger", "info", "paths", "components", "definitions", "$schema", "$id", "tags", "externalDocs")
_ANSWER = re.compile(r"(?:Response|Request|Result|Results|Wrapper|Envelope|List|Page|Collection)$")
_PAGE = re.compile(r"count|total|page|size|next|prev|cursor|limit|offset|has_|message|success|status|links|meta")
_WRAPPED = ("items", "data", "results", "content", "records", "edges", "rows")
_DEEPEST = 3
"""As in /api/v1/pets."""
_ITEM = re.compile(r"\{[^{}/]+\}")


def read_openapi(text: str) -> Source:
    """Read the schemas of a document.

    Raises:
        SchemaError: It is neither JSON nor YAML, or has no schemas.
    """
    root = read_document(text)
    is_api = "openapi" in root or "swagger" in root
    source, own = Source("OpenAPI" if is_api else "JSON Schema"), ""
    named = dict((root["components"]["schemas"] if "openapi" in root else root["definitions"]).items())
    if not is_api:
        named |= dict(root["$defs"].items())
        if root["properties"]:
            title = root["title"].text or root["$id"].text.rpartition("/")[2].partition(".")[0] or "Item"
            own = naming.entity_name(title) or "Item"
            named = {own: root, **named}
        else:
            source.project, source.description = root["title"].text, root["description"].text
    if not named:
        where = "components: schemas:" if is_api else "properties: or $defs:"
        raise SchemaError([(root.line or 1, f"it has no schemas; they belong below '{where}'")])
    source.project = source.project or (root["info"]["title"].text if is_api else "")
    source.description = source.description or root["info"]["description"].text
    _read_schemas(source, Schemas(named, own))
    if is_api:
        _leave_out_rest(source, root)
        _leave_out_paths(source, root["paths"])
    return source


def _read_schemas(source: Source, schemas: Schemas) -> None:
    chosen = _choose(source, schemas)
    schemas.entities |= chosen
    for name in schemas.named:
        if name not in schemas.entities and (base := _base(name)) in chosen.values():
            schemas.entities[name] = base  # what refers to a form of an entity refers to the entity
    properties = Properties(source, schemas)
    tables: dict[str, Table] = {}
    for name, entity in chosen.items():
        schema = schemas.named[name]
        tables[entity] = Table(entity, schema.line, doc=schema["description"].text, is_class=True)
        source.tables.append(tables[entity])
        properties.read(tables[entity], schema)
    for name, entity in schemas.entities.items():
        if name not in chosen:
            properties.add(tables[entity], name, schemas.named[name])


def _base(name: str) -> str:
    return _AFFIX.sub("", name)


def _choose(source: Source, schemas: Schemas) -> dict[str, str]:
    """Return the schemas that are entities, with the names of these; list the others."""
    objects = {name: value for name, value in schemas.named.items() if schemas.is_object(value)}
    forms: dict[str, list[str]] = {}
    for name in objects:
        if not _ERROR.fullmatch(name):
            forms.setdefault(_base(name), []).append(name)
    chosen: dict[str, str] = {}
    for base, names in forms.items():
        if base in objects:
            chosen[base] = base
        elif len(names) > 1:
            best = min(names, key=lambda name: _rank(name, base))
            chosen[best] = base
            source.note(objects[best].line, f"{best} is {base}")
        elif not _is_page(schemas, names[0], objects[names[0]]):
            chosen[names[0]] = names[0]
    for name, value in schemas.named.items():
        if name not in chosen:
            _tell(source, schemas, name, value, chosen)
    return {name: chosen[name] for name in schemas.named if name in chosen}


def _rank(name: str, base: str) -> int:
    affix = name.replace(base, "", 1)
    return _BEST.index(affix) if affix in _BEST else len(_BEST)


def _is_page(schemas: Schemas, name: str, schema: Value) -> bool:
    """Whether an object only wraps others, with what belongs to pages."""
    found = list(schemas.properties(schema))
    wrapped = [each for each in found if schemas.target(each.schema) or each.schema["items"]]
    rest = [each for each in found if each not in wrapped]
    is_list = len(wrapped) == 1 and wrapped[0].name.lower() in _WRAPPED
    is_answer = bool(wrapped) and (_ANSWER.search(name) is not None or is_list)
    return is_answer and all(_PAGE.search(naming.snake(each.name)) for each in rest)


def _tell(source: Source, schemas: Schemas, name: str, value: Value, chosen: Mapping[str, str]) -> None:
    base = _base(name)
    if not schemas.is_object(value):
        if target := schemas.target(value):
            source.note(value.line, f"schema {name} is {target}")
            return
        if value["enum"] or value["type"].text not in {"object", "array", ""}:
            return  # where it is used, a field has its type
        if value["type"].text != "array":
            what = "which is one of others" if value["oneOf"] or value["anyOf"] else "because it has no properties"
            source.leave_out(value.line, f"schema {name}, {what}")
        return
    if _ERROR.fullmatch(name):
        source.leave_out(value.line, f"schema {name}, which is an answer for errors")
    elif _is_page(schemas, name, value):
        source.leave_out(value.line, f"schema {name}, which wraps others")
    elif base in chosen.values():
        owner = next(each for each, entity in chosen.items() if entity == base)
        known = {each.name for each in schemas.properties(schemas.named[owner])}
        own = [each.name for each in schemas.properties(value) if each.name not in known and each.name != "password"]
        extra = f", with fields that {base} has not: {', '.join(own)}" if own else ""
        source.leave_out(value.line, f"schema {name}, which is a form of {base}{extra}")
    else:
        source.leave_out(value.line, f"schema {name}, which wraps others")


def _leave_out_rest(source: Source, root: Value) -> None:
    for key, value in root.items():
        if key not in _ROOT:
            source.leave_out(value.line, f"{key} of the document")
    for key, value in root["components"].items():
        if key != "schemas":
            names = ", ".join(name for name, _ in value.items())
            source.leave_out(value.line, f"{key} {names}"[:200].strip())


def _leave_out_paths(source: Source, paths: Value) -> None:
    """List each operation that is not one of those that every entity has."""
    words = {form for table in source.tables for form in _forms(table.name)}
    for path, item in paths.items():
        parts = [part for part in path.split("/") if part]
        is_item = bool(parts) and _ITEM.fullmatch(parts[-1]) is not None
        names = parts[:-1] if is_item else parts
        plain = not any("{" in part for part in names)
        usual = {"get", "put", "patch", "delete"} if is_item else {"get", "post"}
        is_crud = plain and bool(names) and slug(names[-1]) in words and len(names) <= _DEEPEST  # /api/v1/pets
        for method, operation in item.items():
            if method not in _METHODS or (is_crud and method in usual):
                continue
            summary = operation["summary"].text or operation["description"].text.partition("\n")[0]
            text = f"{method.upper()} {path}{': ' if summary else ''}{summary}"
            source.leave_out(operation.line, text[:200])


def _forms(name: str) -> set[str]:
    """Return how a path may write an entity: ``order-items``, ``orderitems``, ``order``."""
    word = naming.snake(name)
    return {form.replace("_", mark) for form in (plural(word), singular(word), word) for mark in ("-", "")}
