"""Reads JUnit XML, which test runners write: which tests failed, and where."""

from collections.abc import Mapping
from xml.parsers import expat

from bot.verification.remarks import (
    MAX_PASSED,
    MAX_REMARKS,
    Case,
    Remark,
    Report,
    Spot,
    first_line,
    line_of,
    message_of,
    name_of,
    path_of,
)
from bot.verification.traces import find_trace

_MAX_DEPTH = 30
_MAX_TEXT = 200_000
"""How much of the text of one failure is read, in characters."""
_FAILURES = ("failure", "error")


class _Refused(Exception):  # it is no error
    """The report has something that no test runner writes."""


class _Reader:
    """Takes the parts of a report as the parser finds them."""

    def __init__(self) -> None:
        self.remarks: list[Remark] = []
        self.passed: list[Case] = []
        self.cases = self.failed = self.skipped = 0
        self._depth = 0
        self._case: Mapping[str, str] = {}
        self._state = ""
        self._message, self._text, self._size = "", list[str](), 0
        self._is_open = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _Refused("its elements are nested too deeply")
        if name == "testcase":
            self._case, self._state, self._message, self._text, self._size = attributes, "", "", [], 0
        elif name in _FAILURES and not self._state:
            self._state, self._message, self._is_open = name, attributes.get("message", ""), True
        elif name == "skipped" and not self._state:
            self._state = name

    def text(self, piece: str) -> None:
        if self._is_open and self._size < _MAX_TEXT:
            self._text.append(piece)
            self._size += len(piece)

    def end(self, name: str) -> None:
        self._depth -= 1
        if name in _FAILURES:
            self._is_open = False
        elif name == "testcase":
            self.cases += 1
            self.skipped += self._state == "skipped"
            if self._state in _FAILURES:
                self.failed += 1
                if len(self.remarks) < MAX_REMARKS:
                    self.remarks.append(self._remark())
            elif not self._state and len(self.passed) < MAX_PASSED:
                self.passed.append(self._named())
            self._case, self._state = {}, ""

    def _named(self) -> Case:
        case, number = self._case, self._case.get("line", "")
        is_line = number.isascii() and number.isdecimal() and len(number) < 9  # noqa: PLR2004
        spot = Spot(path_of(case.get("file", "")), line_of(int(number)) if is_line else None)
        return Case(spot, name_of(case.get("classname", "")), name_of(case.get("name", "")) or "a test without a name")

    def _remark(self) -> Remark:
        text, case = "".join(self._text), self._named()
        why = first_line(self._message) or first_line(text)
        return Remark(
            spot=case.spot,
            rule=f"test-{'failed' if self._state == 'failure' else 'error'}",
            message=message_of(why, "it says nothing more"),
            test=case.test,
            module=case.module,
            trace=find_trace(text),
        )


def _refuse(*_: object) -> None:
    raise _Refused("it declares a document type, which no report needs")


def read_junit(text: str) -> Report:
    """Return what a JUnit report says; a report that can't be read has a problem, and what was read before it."""
    reader, problem = _Reader(), ""
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as exc:
        problem = f"it is no complete XML: {exc}"
    except _Refused as exc:
        problem = str(exc)
    except (ValueError, LookupError):  # an encoding that the parser does not know
        problem = "its encoding is not known"
    return Report(
        remarks=reader.remarks,
        left_out=reader.failed - len(reader.remarks),
        passed=reader.cases - reader.failed - reader.skipped,
        failed=reader.failed,
        skipped=reader.skipped,
        problem=problem,
        tests=True,
        cases=reader.passed,
    )
