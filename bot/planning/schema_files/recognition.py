"""Recognise the language of a schema file by its content."""

import re

_MARKDOWN = re.compile(r" {0,3}(?:#{1,6} |[-*+] +\S)")
_SIGNS = (
    ("Mermaid", re.compile(r"^[ \t]*erDiagram[ \t]*(?:%%[^\n]*)?$", re.MULTILINE)),
    ("OpenAPI", re.compile(r"^[ \t{]*\"?(?:openapi|swagger)\"?[ \t]*:[ \t]*[\"']?[23]\.", re.MULTILINE)),
    ("Prisma", re.compile(r"^model[ \t]+\w+[ \t]*\{[ \t]*(?://[^\n]*)?$", re.MULTILINE)),
    ("DBML", re.compile(r"^[ \t]*Table[ \t]++[\w\".]++[^\n;({]*+(?:\n[ \t]*+)?\{", re.MULTILINE | re.IGNORECASE)),
    ("SQL", re.compile(r"^[ \t]*CREATE\s+(?:\w+\s+){0,3}TABLE\s+[^\s(]", re.MULTILINE | re.IGNORECASE)),
    (
        "Django",
        re.compile(
            r"^class[ \t]+\w+[ \t]*\([^)\n]*(?:models\.Model|Model\b|AbstractUser|AbstractBaseUser)", re.MULTILINE
        ),
    ),
    (
        "JDL",
        re.compile(r"^[ \t]*(?:entity[ \t]+\w+[ \t]*(?:\(|\{|\n|$)|relationship[ \t]+(?:One|Many)To)", re.MULTILINE),
    ),
)
_DJANGO_IMPORT = re.compile(r"^[ \t]*(?:from|import)[ \t]+(?:django|wagtail|mptt)", re.MULTILINE)
_PRISMA_FIELD = re.compile(
    r"^[ \t]+\w+[ \t]+(?:String|Int|BigInt|Float|Decimal|Boolean|DateTime|Json|Bytes|[A-Z]\w*)(?:\[\]|\?)?(?:[ \t]|$)",
    re.MULTILINE,
)
_JSON_SCHEMA = re.compile(r"\"?\$schema\"?[ \t]*:[ \t]*[\"']?https?://json-schema\.org/")
_JSON_KEYS = re.compile(r"^[ \t{]*\"?(properties|\$defs|definitions)\"?[ \t]*:", re.MULTILINE)
_JSON_OBJECT = re.compile(r"^[ \t{]*\"?type\"?[ \t]*:[ \t]*\"?object\b", re.MULTILINE)
_ENTITIES = re.compile(r"^entities[ \t]*:", re.MULTILINE)
_FENCE = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)


def recognise(text: str) -> str | None:
    """Return the language of the schema that *text* is; None for a spec in Markdown, a plan file, or prose."""
    if _ENTITIES.search(text):
        return None
    first = next((line for line in text.split("\n", 50) if line.strip()), "")
    if text.lstrip().startswith(("{", "---", "$", "openapi", "swagger")) or _JSON_SCHEMA.search(text):
        if _SIGNS[1][1].search(text):
            return "OpenAPI"
        if _JSON_SCHEMA.search(text) or (
            text.lstrip().startswith("{") and _JSON_KEYS.search(text) and _JSON_OBJECT.search(text)
        ):
            return "JSON Schema"
    if _FENCE.search(text) or _looks_like_markdown(first):
        return None
    for language, sign in _SIGNS:
        if sign.search(text) and _is_sure(language, text):
            return language
    return None


def _is_sure(language: str, text: str) -> bool:
    if language == "Prisma":
        return _PRISMA_FIELD.search(text) is not None
    if language == "Django":
        return _DJANGO_IMPORT.search(text) is not None or "models." in text
    return True


def _looks_like_markdown(first: str) -> bool:
    """Whether the first line is a heading or a list; ``# …`` may be a comment of SQL, Python or YAML."""
    return _MARKDOWN.match(first) is not None and not first.startswith(("# ", "#!"))
