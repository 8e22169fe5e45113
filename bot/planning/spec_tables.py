"""Markdown tables of fields: ``| Field | Type | Required | Default | Description |``."""

import json
import re
from collections.abc import Mapping, Sequence

_NAME = ("field", "name", "column", "attribute", "property")
_TYPE = ("type", "data type", "datatype")
_YES = ("yes", "y", "true", "x", "\u2713", "\u2714", "\u2705", "required", "unique")
_CELL = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"\s*:?-+:?\s*")


def fields_of_table(rows: Sequence[tuple[int, str]]) -> Sequence[tuple[str, int]]:
    """Return the fields that *rows*, number and text, list, in the grammar of fields; none if it is another table."""
    cells = [(number, _cells(text)) for number, text in rows]
    header = [cell.strip(" *_`").lower() for cell in cells[0][1]]
    name = next((header.index(word) for word in _NAME if word in header), None)
    kind = next((header.index(word) for word in _TYPE if word in header), None)
    if name is None or kind is None:
        return ()
    fields = []
    for number, row in cells[1:]:
        if all(_RULE.fullmatch(cell) or not cell.strip() for cell in row):
            continue
        values = {word: cell.strip().strip("`") for word, cell in zip(header, row, strict=False)}
        fields.append(
            (_field(row[name] if name < len(row) else "", row[kind] if kind < len(row) else "", values), number)
        )
    return fields


def _cells(text: str) -> list[str]:
    return [cell.replace("\\|", "|") for cell in _CELL.split(text.strip().removeprefix("|").removesuffix("|"))]


def _field(name: str, kind: str, values: Mapping[str, str]) -> str:
    words = [name.strip().strip("`*"), kind.strip().strip("`")]
    words += ["unique"] if values.get("unique", "").lower() in _YES else []
    optional = values.get("required", "yes").lower() not in _YES if "required" in values else False
    optional = optional or values.get("nullable", values.get("optional", values.get("null", ""))).lower() in _YES
    words += ["?"] if optional and "?" not in kind else []
    doc = next((values[key] for key in ("description", "notes", "comment", "meaning") if values.get(key)), "")
    words += [json.dumps(doc, ensure_ascii=False)] if doc else []
    default = values.get("default", "").strip()
    words += [f"= {default}"] if default and default not in ("-", "\u2013", "\u2014") else []
    return " ".join(words)
