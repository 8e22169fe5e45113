"""No text from outside takes more than linear time: every pattern, and every parser of untrusted text."""

# ruff: noqa: SLF001  # patterns and parsers are private

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bot import secret_scan
from bot.cli import inert_output
from bot.configuration import read_action_file
from bot.errors import UsageError
from bot.forge import comment_command, comment_wording, github_transport, mail_reply, markdown, workflow_commands
from bot.forge.webhook_event import read_event
from bot.forge.workflow_file import read_pins
from bot.generation import rendering
from bot.generation.llm import gemini, prompts, response_parser
from bot.generation.llm.file_checks import find_fault
from bot.history import git, inert_text, remote
from bot.history.remote_address import RemoteAddress
from bot.history.trailers import Trailers
from bot.planning import field_grammar, names, path_rules, plurals, sentences, spec_parser, spec_source, yaml_outline
from bot.planning.plan_file import parse_plan
from bot.planning.recipe_checks import find_problems as find_recipe_problems
from bot.planning.recipe_document import read_document
from bot.planning.recipe_names import given_name, load_built_in
from bot.planning.schema_files import read_item, recognise, sql_statements
from bot.redaction import Redactor
from bot.text import find_hidden, one_line, shown, truncate, without_hidden
from tests.growth import find_growth
from tests.patterns import BAD_UNITS, Use, find_uses, texts
from tests.unit.values import run_here

_REDACTOR = Redactor(["AIza-not-a-real-key-0123456789"])
_BUILT = {
    "bot.planning.denied_names.": [],  # for paths, which have at most 400 characters
    "bot.redaction.__init__": _REDACTOR._pattern.pattern.split("|"),
    "bot.secret_scan._found": [form for _, _, form in secret_scan._OWN],
    "bot.planning.prose.without": [r"(?<!\w)A\s++tag\s++must\s++a\s++a\s++a"],
    "bot.planning.spec_draft._line": [r"title\b"],
    "bot.planning.spec_parser._split_fences": [r" {0,3}```+\s*$"],
    "bot.generation.llm.prompts.block": [r"<(?=\s*+/?\s*+spec\b)"],
    "bot.forge.comment_wording.for_comment": comment_wording._REWORDED,
    "bot.forge.github_transport._error": [pattern for pattern, _ in github_transport._ADVICE],
    "bot.planning.schema_files.sql_statements.": list(sql_statements._DIALECTS.values()),
    "bot.history.remote._classify": remote._REMEDIES,
}
"""The patterns that functions build at run time."""
_FEW, _MANY = 100, 6_000
"""How many texts are tried for each pattern."""


def _quadratic(uses: list[Use], most: int, n: int = 8_000) -> list[str]:
    found = []
    for use in uses:
        growth = next(filter(None, (find_growth(use.run, text, n=n) for text in texts(use.pattern, most))), None)
        found += [f"{use}: {growth}"] if growth else []
    return found


def test_every_pattern_takes_linear_time() -> None:
    uses = find_uses(_BUILT)
    assert len(uses) > 150
    assert not _quadratic(uses, _FEW)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_every_pattern_takes_linear_time_on_many_texts(part: int) -> None:
    assert not _quadratic(find_uses(_BUILT)[part::8], _MANY)


def test_a_pattern_that_takes_quadratic_time_is_found() -> None:
    assert _quadratic([Use(re.compile(r"<(?=\s*/?\s*spec\b)"), "sub")], _FEW, n=1_600)


def _answer(text: str) -> object:
    content = json.dumps({"files": [{"path": text, "content": "a"}, {"path": "a.txt", "content": text}]})
    return [
        response_parser.parse_files(content, ["a.txt"], cut=False, secrets=["x" * 40], run=run_here),
        response_parser.parse_files(content[:-9], ["a.txt"], cut=True, secrets=["x" * 40], run=run_here),
    ]


def _event(text: str) -> object:
    payload = {
        "action": "created",
        "comment": {"body": text, "id": 1, "user": {"login": "alice", "type": "User"}},
        "issue": {"number": 1, "title": text, "body": text, "state": "open"},
        "repository": {"default_branch": "main"},
        "sender": {"login": "alice"},
    }
    return read_event("issue_comment", json.dumps(payload).encode())


def _recipe(text: str) -> object:
    quoted = json.dumps(text)
    phases = f"[{{key: a, title: t, needs: [{quoted}], reads: [{quoted}], sees: {quoted}, files: {{{quoted}: t}}}}]"
    content, document = read_document(f"name: x\n{quoted}: 1\nphases: {phases}\n")
    if content:
        find_recipe_problems(content, document)
    return document


_PARSERS: dict[str, Callable[[str], object]] = {
    "command": comment_command.parse_command,
    "command with text": lambda text: comment_command.parse_command(f"/generate\n{text}"),
    "command with words": lambda text: comment_command.parse_command(f"/regenerate a {text}"),
    "own words": comment_command.own_words,
    "mail": mail_reply.without_mail,
    "leading quote": mail_reply.without_leading_quote,
    "event": _event,
    "event file": lambda text: read_event("issue_comment", text.encode()),
    "spec": lambda text: spec_parser.read_spec(text, source="it"),
    "entity": lambda text: spec_parser.read_spec(f"- User: {text}", source="it"),
    "entity in YAML": lambda text: spec_parser.read_spec(f"entities:\n  User: {json.dumps(text)}", source="it"),
    "YAML in a fence": lambda text: spec_parser.read_spec(f"```\n{text}\nentities:\n```\n", source="it"),
    "prose": lambda text: spec_parser.is_prose(text, source="it"),
    "heading": spec_parser.find_heading,
    "issue": lambda text: spec_source.read_issue(1, text, text, text, prose=True),
    "comment": spec_source.read_comment,
    "plan": lambda text: parse_plan(f"description: {json.dumps(text)}\nentities: {{}}\n", source="it"),
    "YAML": yaml_outline.compose,
    "sentences": sentences.split_sentences,
    "fields": field_grammar.split_fields,
    "field": field_grammar.parse_field,
    "field with a default": lambda text: field_grammar.parse_field(f"a string = {text}"),
    "trailers": Trailers.parse,
    "trailer": lambda text: Trailers.parse(f"Phasebot-Run: a\nPhasebot-Reason: {text}\nPhasebot-Tokens: {text}"),
    "answer": _answer,
    "JSON of an answer": response_parser.parse_json,
    "JSON in a fence": lambda text: response_parser.parse_json(f"```json\n{text}\n"),
    "cut answer": lambda text: response_parser.parse_files(f"[{text}", ["a"], cut=True, secrets=[], run=run_here),
    "body of a model": gemini._parse_body,
    "error of a model": lambda text: gemini._parse_error(json.dumps({"error": {"message": text}})).is_lasting(),
    "error of GitHub": lambda text: github_transport._parse_error(403, {"message": text, "errors": [text]}),
    "block of a prompt": lambda text: prompts.block("spec", text),
    **{
        f"file {name}": lambda text, name=name: find_fault(name, text)  # type: ignore[misc]
        for name in ("a.md", "a.toml", "a.json", "requirements.txt", "a.html", "a.js", "a.css", "Dockerfile")
    },
    "comments of a file": lambda text: find_fault("a.js", f"a = 1 // {text}"),
    "Markdown": markdown.prose,
    "Markdown line": markdown.line,
    "title": markdown.title,
    "code": markdown.code,
    "fenced code": markdown.fenced,
    "cut Markdown": markdown.cut,
    "log": workflow_commands.neutralise,
    "annotation": lambda text: workflow_commands.annotation("error", text, title=text, file=text),
    "comment's wording": comment_wording.for_comment,
    "path": path_rules.path_problem,
    "folder": path_rules.output_dir_problem,
    "recipe": lambda text: (load_built_in(text), given_name(text, Path("/a"), relative_to=Path("/a"))),
    "recipe.yaml": read_document,
    "names in recipe.yaml": _recipe,
    "value of a commit message": lambda text: (inert_text.quote(text), inert_text.unquote(f'"{text}"')),
    "title of a commit": inert_text.words,
    "keys": lambda text: (_REDACTOR.redact(text), _REDACTOR.finds(text)),
    "secrets": secret_scan.find_secret,
    "JSON for the log": lambda text: inert_output.inert_json(json.dumps(text), in_job=True),
    "YAML for the log": lambda text: inert_output.inert_yaml(json.dumps(text), in_job=True),
    "slug": names.slug,
    "snake case": names.snake_case,
    "plural": plurals.plural,
    "run name": names.check_run_name,
    "language of a schema": recognise,
    "dialect of SQL": sql_statements.dialect_of,
    "statements of SQL": lambda text: list(sql_statements.statements(text, "mysql")),
    "DBML": lambda text: read_item(text, "DBML"),
    "column of DBML": lambda text: read_item(f"Table a {{\n b int [{text}]\n}}", "DBML"),
    "check of DBML": lambda text: read_item(f"Table a {{\n b int [check: `{text.replace('`', '')}`]\n}}", "DBML"),
    "Prisma": lambda text: read_item(text, "Prisma"),
    "field of Prisma": lambda text: read_item(f"model A {{\n b {text}\n}}", "Prisma"),
    "JDL": lambda text: read_item(text, "JDL"),
    "entity of JDL": lambda text: read_item(f"entity A {{ {text} }}", "JDL"),
    "Mermaid": lambda text: read_item(f"erDiagram\n{text}", "Mermaid"),
    "attribute of Mermaid": lambda text: read_item(f"erDiagram\nA {{\n {text}\n}}", "Mermaid"),
    "docstring": rendering.docstring,
    "Markdown in a template": rendering.markdown,
    "Python literal": rendering.python_literal,
    "hidden": lambda text: (find_hidden(text), find_hidden(text, prose=True), without_hidden(text, prose=True)),
    "message": lambda text: (one_line(text, 200), shown(text), truncate(text, 200)),
    "git's messages": lambda text: (git.main_line(text), git.remedy_for(text), remote._cause(text)),
    "settings for the action": read_action_file,
    "setting for the action": lambda text: read_action_file(f"options: {json.dumps(text)}\nmodel: {json.dumps(text)}"),
    "address of a remote": RemoteAddress.of,
    "pins of a workflow": lambda text: [read_pins(f"{start}{text}") for start in ("", "- uses: a/b/", "- uses: ./")],
    "answer to a push": lambda text: remote._classify(text, text),
}  # fmt: skip


def _quietly(parse: Callable[[str], object]) -> Callable[[str], object]:
    def call(text: str) -> object:
        try:
            return parse(text)
        except (UsageError, ValueError):
            return None

    return call


def _of(unit: str, end: str) -> Callable[[int], str]:
    def build(n: int) -> str:
        return unit * (n // len(unit)) + end

    build.__name__ = f"{unit!r} * n + {end!r}"
    return build


_SLOW = (
    *("recipe.yaml", "names in recipe.yaml"),
    *("entity in YAML", "YAML in a fence", "YAML", "YAML for the log", "value of a commit message"),
    *("DBML", "column of DBML", "check of DBML", "Prisma", "field of Prisma", "JDL", "entity of JDL"),
    *("Mermaid", "attribute of Mermaid", "dialect of SQL"),
)
"""They take a second for 100 kB."""


@pytest.mark.parametrize(
    "parser", [pytest.param(each, marks=pytest.mark.slow) if each in _SLOW else each for each in _PARSERS]
)
def test_every_parser_takes_linear_time(parser: str) -> None:
    builders = [_of(unit, end) for unit in BAD_UNITS for end in ("", "a")]
    assert not list(filter(None, (find_growth(_quietly(_PARSERS[parser]), text, n=16_000) for text in builders)))
