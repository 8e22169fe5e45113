"""The tasks of the bounded worker: a closed list of pure functions, whose answers are JSON.

Their modules are imported when a request first needs them, before its time is measured.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any


def prepare(task: str) -> None:
    """Import what *task* needs."""
    if task in ("render", "parse"):
        import bot.generation.rendering
        import bot.generation.template_limits
    elif task == "outline":
        import bot.assessment.outline
    elif task == "report":
        import bot.verification.reports
    elif task == "syntax":
        import bot.assessment.syntax
        import bot.generation.llm.file_checks

        with suppress(ImportError):  # then there is no grammar
            import tree_sitter_language_pack  # noqa: F401
    elif task == "toml":
        import bot.configuration
    elif task == "schema":
        import bot.planning.schema_files

        with suppress(ImportError):  # told when a file needs it
            import sqlglot  # noqa: F401
    else:
        import packaging.requirements  # noqa: F401

        import bot.generation.llm.file_checks
        import bot.generation.llm.response_parser  # noqa: F401


def perform(task: str, shared: Any, item: Any) -> object:  # noqa: ANN401, PLR0911  # each task has its own types
    """Perform *task* on *item*; *shared* is the same for all items of a request."""
    match task:
        case "render":
            from bot.generation.rendering import render_item

            return render_item(*shared, *item)
        case "parse":
            from bot.generation.rendering import find_template_error

            return find_template_error(shared, item)
        case "entries":
            from bot.generation.llm.response_parser import read_entries

            return read_entries(item, *shared)
        case "judge":
            from bot.generation.llm.file_checks import find_fault

            fault = find_fault(*item)
            return [fault.code, fault] if fault else None
        case "outline":
            from bot.assessment.outline import outline_file

            return outline_file(item)
        case "report":
            from bot.verification.reports import read_report

            return read_report(shared, item)
        case "syntax":
            return _find_errors(*item)
        case "schema":
            from bot.planning.schema_files import read_item

            return read_item(item, shared)
        case "toml":
            from bot.configuration import parse_project_file

            return parse_project_file(item)
    raise ValueError(f"unknown task {task}")


def _find_errors(language: str, text: str) -> Sequence[tuple[int | None, str]] | None:
    """Return syntax errors as line and message; None if there is no parser for *language*."""
    from bot.planning.languages import ENDINGS

    if language in ENDINGS:
        from bot.generation.llm.file_checks import find_syntax_error

        error = find_syntax_error(f"file{ENDINGS[language]}", text)
        return [error] if error else []
    from bot.assessment.syntax import find_errors

    return find_errors(language, text)
