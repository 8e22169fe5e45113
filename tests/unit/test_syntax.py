"""Syntax errors are found by grammars, with their lines."""

import pytest

from bot.assessment.syntax import find_errors, is_installed

GOOD = {
    "javascript": "export const f = (x) => x?.y ?? `a${x}`;\nclass A { #b = 1; static async *c() {} }\n",
    "typescript": "interface X<T> { y?: T }\nexport const f = <T,>(x: X<T>): T | undefined => x.y;\n",
    "tsx": "export const A = ({ b }: { b: string }) => <div className='c'>{b}</div>;\n",
    "go": "package main\n\nfunc f[T any](x T) T { return x }\n\nfunc main() { println(f(1)) }\n",
    "html": "<!doctype html>\n<html><head><title>A</title></head><body><br><p>b</p></body></html>\n",
    "css": ":root { --a: 1px; }\n@media (max-width: 3em) { .b > a:hover { color: var(--a); } }\n",
    "sql": "CREATE TABLE a (b INTEGER PRIMARY KEY, c VARCHAR(9) NOT NULL);\nSELECT b FROM a WHERE c = 'd';\n",
    "rust": 'fn main() { let x: Option<i32> = Some(1); if let Some(y) = x { println!("{y}"); } }\n',
    "java": "record A(int b) { static <T> T c(T d) { return d; } }\n",
    "bash": 'set -eu\nfor a in "$@"; do [[ -n $a ]] && echo "${a%x}"; done\n',
    "dockerfile": 'FROM scratch\nCOPY a /b\nCMD ["/b"]\n',
    "markdown": "# A\n\n* b\n```\nc\n",
}
BAD = [
    ("javascript", "const a = 1;\n\nfunction f( { return a }\n", 3, "near 'function f( { return a }'"),
    ("typescript", "const a = 1;\nconst b: number = ;\n", 2, "near 'const b: number = ;'"),
    ("go", "package main\n\nfunc main() {\n\tx := 1\n", 4, "'}' is missing"),
    ("html", "<!doctype html>\n<p>\n<b>x</p\n", 3, "'>' is missing"),
    ("css", "a { color: red; }\nb { }\n} }\n", 3, "near '} }'"),
    ("sql", "SELECT 1;\nCREATE TABL x (a int);\n", 2, "near 'CREATE TABL x (a int);'"),
    ("rust", "fn main() {\n  let x = ;\n}\n", 2, "near 'let x = ;'"),
]


@pytest.mark.parametrize("language", GOOD)
def test_nothing_is_wrong_with_a_valid_file(language: str) -> None:
    assert is_installed()
    assert find_errors(language, GOOD[language]) == []
    assert find_errors(language, "") == []


@pytest.mark.parametrize(("language", "text", "line", "what"), BAD, ids=[each[0] for each in BAD])
def test_the_first_error_is_told_with_its_line(language: str, text: str, line: int, what: str) -> None:
    found = find_errors(language, text)

    assert found
    assert found[0] == (line, f"it does not parse as {language}: {what}")


def test_a_broken_file_has_a_few_errors_at_most() -> None:
    found = find_errors("javascript", "let ] = ;\n" * 50)

    assert found
    assert len(found) == 3


def test_the_message_quotes_little_and_nothing_that_does_not_show() -> None:
    found = find_errors("javascript", "let ] = '\x1b[2J\u202e" + "x" * 5_000 + "\n")

    assert found
    assert all(len(message) < 120 and message.isprintable() for _, message in found)


def test_a_language_without_a_grammar_is_told_from_a_valid_file() -> None:
    assert find_errors("klingon", "x") is None
