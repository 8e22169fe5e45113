"""What templates may compute: ordinary expressions work, and what is too large is refused at once."""

import re
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from jinja2.filters import FILTERS

from bot.generation.rendering import render_item
from bot.generation.template_limits import MAX_SIZE, BoundedEnvironment
from tests.repositories import DATA

HOSTILE = DATA / "hostile" / "recipes"


def expected(file: Path) -> str:
    """Return what a hostile template's first line says about its reason."""
    return file.read_text().split("\n")[0].removeprefix("{# ").removesuffix(" #}")


def _render(text: str, context: Mapping[str, object] | None = None, path: str | None = None) -> str:
    made, error = render_item({"a.j2": text}, context or {}, "a.j2", path)
    assert (made is None) != (error is None)
    return made if made is not None else error[1] if error else ""


@pytest.mark.parametrize("file", sorted((HOSTILE / "refused").iterdir()), ids=lambda file: file.stem)
def test_a_hostile_template_is_refused_at_once(file: Path) -> None:
    begun = time.process_time()

    told = _render(file.read_text())

    assert told.startswith("template a.j2: ")
    assert expected(file) in told
    assert len(told) <= 500
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("{{ 'x' * 3 }}{{ 2 * 'y' }}{{ [1] * 2 }}{{ 3 * 4 }}{{ 0.5 * 2 }}", "xxxyy[1, 1]121.0"),
        ("{{ 'x' * -5 }}{{ 'x' * true }}", "x"),
        (
            "{{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2.0 ** 3 }} {{ 7 % 4 }} {{ 7 // 2 }} {{ 7 - 2 }} {{ 1 + 1 }}",
            "1024 0.5 8.0 3 3 5 2",
        ),
        ("{{ 'a' + 'b' }}{{ [1] + [2] }}{{ (1,) + (2,) }}", "ab[1, 2](1, 2)"),
        (
            "{{ '%5d|%-5s|%%|%.2f' % (1, 'a', 0.5) }}{{ '%s at 5551234567' | format('x') }}",
            "    1|a    |%|0.50x at 5551234567",
        ),
        ("{{ '%(name)s' % {'name': 'x'} }}{{ '%*d' % (4, 1) }}", "x   1"),
        ("{{ 'x' | center(5) }}|{{ 'x'.center(5) }}|{{ 'x'.ljust(3) }}|{{ '7'.zfill(3) }}", "  x  |  x  |x  |007"),
        (
            "{{ 'a\nb' | indent(4) }}|{{ [1, 2, 3] | batch(2) | list }}|{{ 9999999999 | default(1) }}",
            "a\n    b|[[1, 2], [3]]|9999999999",
        ),
        ("{{ range(3) | join(',') }}{{ dict(a=1) }}{{ cycler('x', 'y').next() }}", "0,1,2{'a': 1}x"),
        ("{% set n = namespace(x=0) %}{% for i in range(9) %}{% set n.x = n.x + i %}{% endfor %}{{ n.x }}", "36"),
        ("{% set comma = joiner(', ') %}{% for i in range(3) %}{{ comma() }}{{ i }}{% endfor %}", "0, 1, 2"),
        ("{{ ['b', 'a'] | sort | map('upper') | join }}{{ '{:>3}'.format(1) }}", "AB  1"),
    ],
)
def test_ordinary_expressions_work(text: str, made: str) -> None:
    assert _render(text) == made + "\n"


def test_texts_of_the_largest_size_are_rendered_and_longer_ones_are_not() -> None:
    assert len(_render(f"{{{{ 'x' * {MAX_SIZE - 1} }}}}")) == MAX_SIZE
    assert "its text is longer than 1,048,576 characters" in _render(f"{{{{ 'x' * {MAX_SIZE} }}}}y")


def test_templates_have_the_standard_filters_and_no_functions_but_these() -> None:
    environment = BoundedEnvironment({})

    assert set(FILTERS) - set(environment.filters) == {"random"}
    assert set(environment.globals) == {"range", "dict", "namespace", "cycler", "joiner"}


def test_a_file_with_a_hidden_character_is_refused_but_a_prompt_is_not() -> None:
    text, context = "a\n{{ x }}\n", {"x": "b\u202e"}

    told = _render(text, context, "app/a.py")

    assert re.fullmatch(r"template a\.j2: line 2 of app/a\.py would hold the hidden character U\+202E; .*", told)
    assert _render(text, context) == "a\nb\u202e\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\n\n{{ oops }}\n", "template a.j2: line 3: UndefinedError: 'oops' is undefined"),
        ("a\n{% for x in y %}\n", "template a.j2: line 2: TemplateSyntaxError: Unexpected end of template. Jinja was "),
        ("a\n{{ 'x' | nothing }}\n", "template a.j2: line 2: TemplateAssertionError: No filter named 'nothing'"),
        ("a\n{{ 1 / 0 }}\n", "template a.j2: line 2: ZeroDivisionError: division by zero"),
        ("a\n{% import 'm.j2' as m %}{{ m.m() }}\n", "template a.j2: line 3 of m.j2: UndefinedError: 'oops' is undefi"),
        ("a\n{% include 'bad.j2' %}\n", "template a.j2: line 2 of bad.j2: TemplateSyntaxError: Expected an expression"),
        ("a\n{{ 'x' * 10 ** 9 }}\n", "template a.j2: line 2: an expression makes a value of 1,000,000,000 characters"),
    ],
)
def test_an_error_names_the_line_of_the_template_it_is_from(text: str, told: str) -> None:
    others = {"m.j2": "{% macro m() %}\n\n{{ oops }}\n{% endmacro %}", "bad.j2": "a\n{{ }}"}

    _, error = render_item({"a.j2": text, **others}, {}, "a.j2", None)

    assert error is not None
    assert error[1].startswith(told)
