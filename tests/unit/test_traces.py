"""Places of files in what programs print."""

from hypothesis import given
from hypothesis import strategies as st

from bot.verification.remarks import MAX_TRACE, Spot
from bot.verification.traces import find_trace, read_lines

PYTEST = """\
tests/test_posts.py:12: in test_create
    answer = client.post("/posts")
/venv/lib/python3.11/site-packages/starlette/testclient.py:633: in post
    return super().post(
app/routers/posts.py:33: in create
    row = repository.creat(payload)
E   AttributeError: no 'creat'
"""
PYTHON = """\
Traceback (most recent call last):
  File "/place/tests/conftest.py", line 4, in <module>
    import app.main
  File "/place/app/main.py", line 7
    def f(:
          ^
SyntaxError: invalid syntax
"""


def test_the_innermost_place_comes_first() -> None:
    assert find_trace(PYTEST)[0] == Spot("app/routers/posts.py", 33)
    assert find_trace(PYTEST)[-1] == Spot("tests/test_posts.py", 12)


def test_places_in_tracebacks_of_python_come_with_them() -> None:
    dumped = (
        'Timeout!\n  File "/place/app/slow.py", line 3 in wait\n  File "/place/tests/test_a.py", line 9 in test_a\n'
    )

    assert find_trace(PYTHON) == [Spot("/place/app/main.py", 7), Spot("/place/tests/conftest.py", 4)]
    assert find_trace(PYTHON.replace("  File", "E     File")) == find_trace(PYTHON), "as pytest quotes it"
    assert [each.line for each in find_trace(dumped)] == [3, 9], "faulthandler names the innermost first"


def test_of_a_long_traceback_the_innermost_places_are_kept() -> None:
    found = find_trace("".join(f"a.py:{number}: in f\n" for number in range(1, 1_000)))

    assert (len(found), found[0].line) == (MAX_TRACE, 999)


def test_lines_of_compilers_are_remarks_and_notes_are_not() -> None:
    text = (
        "app/a.py:3: error: Name 'x' is not defined  [name-defined]\n"
        "app/a.py:4:8: warning: unused\n"
        "app/a.py:5: note: see there\n"
        "src/b.c:6:1: fatal error: no such file\n"
        "page.html:7: <b> is not closed\n"
        "Found 3 errors in 1 file\n"
    )

    assert [(*each.spot, each.level, each.rule, each.message) for each in read_lines(text)] == [
        ("app/a.py", 3, "error", "name-defined", "Name 'x' is not defined"),
        ("app/a.py", 4, "warning", "output", "unused"),
        ("src/b.c", 6, "error", "output", "no such file"),
        ("page.html", 7, "error", "output", "<b> is not closed"),
    ]


@given(st.text(alphabet=st.sampled_from('E File"line ,:0123456789\n./aé\x1b[]'), max_size=400))
def test_no_text_raises_and_all_lines_are_numbers_of_lines(text: str) -> None:
    for each in (*find_trace(text), *(remark.spot for remark in read_lines(text))):
        assert each.line is None or each.line > 0
