"""Check the syntax of files in other languages than Python, as far as the recipe says what they are.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.assessment.syntax import NEEDS
from bot.planning.languages import ENDINGS, language_of
from bot.sandbox.protocol import Failure, Run

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class SyntaxFault:
    """What does not parse, or why that is not known."""

    path: str
    """Inside the project's folder."""
    line: int | None
    message: str
    is_sure: bool = True
    """Whether it is an error: SQL has more dialects than a grammar, and a parser may break a limit."""


_DIALECTS = ("sql",)


def find_syntax_faults(
    texts: Mapping[str, str], patterns: Mapping[str, str], run: Run, *, has_grammars: bool
) -> tuple[Sequence[SyntaxFault], Sequence[str]]:
    """Return what is wrong in *texts*, path → text, and notes about what could not be checked.

    *patterns* say which language a path has.  JSON, YAML and TOML in files that are called so are left out: they are
    judged where all files are.
    """
    languages = {path: language for path in texts if (language := language_of(path, patterns))}
    wanted = {path: name for path, name in languages.items() if not path.endswith(_judged_endings(name))}
    unknown = {} if has_grammars else {path: name for path, name in wanted.items() if name not in ENDINGS}
    tried = {path: name for path, name in wanted.items() if path not in unknown}
    answers = run("syntax", None, [(name, texts[path]) for path, name in tried.items()]) if tried else ()
    faults: list[SyntaxFault] = []
    for (path, name), answer in zip(tried.items(), answers, strict=True):
        if isinstance(answer, Failure):
            faults.append(SyntaxFault(path, None, f"its syntax is not known: {answer.what}", is_sure=False))
        elif answer is None:
            unknown[path] = name
        else:
            sure = name not in _DIALECTS
            faults += [SyntaxFault(path, line, message, is_sure=sure) for line, message in answer]
    return faults, [_note(unknown)] if unknown else []


def _judged_endings(language: str) -> tuple[str, ...]:
    """Return how files end whose syntax is checked anyway, if they are in *language*."""
    return (".yaml", ".yml") if language == "yaml" else (ENDINGS[language],) if language in ENDINGS else ()


def _note(unknown: Mapping[str, str]) -> str:
    names = sorted({*unknown.values()})
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    files = "the syntax of 1 file was" if len(unknown) == 1 else f"the syntax of {len(unknown)} files was"
    return f"{files} not checked, for there is no grammar of {', '.join(names[:_SHOWN])}{more} here; {NEEDS}"
