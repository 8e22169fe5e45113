"""What is wrong with a field: each modifier and limit where it can't stand."""

import pytest

from bot.planning.field_checks import field_problems
from bot.planning.field_grammar import parse_field


@pytest.mark.parametrize(
    "text",
    [
        "a string(3..30) matches /[a-z]+/ = abc", "a integer(1..5)? = 3", "a float(0..1)", "a decimal(10,2)(0..)",
        "a datetime auto update", "a datetime auto delete",
        "a bytes(1000000)?", "a password(8..)", "a time = 08:30", "a -> User = me",
        "a -> User? on delete set null", "a -> User*", 'a string secret "doc" was b', "a text(5000)",
    ],
)  # fmt: skip
def test_a_sound_field_has_no_problem(text: str) -> None:
    assert list(field_problems(parse_field(text))) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a string(300)", "a string has at most 255 characters; write text(300)"),
        ("a string(9..3)", "the wrong way round; write 3..9"),
        ("a string(-1..)", "is less than nothing"),
        ("a string(1.5..)", "is not a whole number"),
        ("a string(0)", "of no characters is of no use"),
        ("a integer(x..)", "limit 'x' is not a whole number"),
        ("a float(x..)", "limit 'x' is not a number"),
        ("a boolean(1..2)", "boolean takes no limits in brackets"),
        ("a decimal(30,2)", "write 1 to 18 digits"),
        ("a decimal(2,5)", "write 1 to 18 digits"),
        ("a decimal(4,2)(0..1000)", "its limits do not fit into decimal(4,2)"),
        ("a integer(1..5) = 7", "default '7' is outside its limits 1..5"),
        ("a string(3..5) = ab", "default 'ab' is outside its limits 3..5"),
        ("a string matches /[a-z]+/ = A1", "default 'A1' does not match /[a-z]+/"),
        ("a string matches /(/", "it can't be read"),
        ("a string matches /(?=x)y/", "without look-around or references"),
        ("a string(1..2) matches /abc/", "no text was found that matches and keeps the limits"),
        ("a integer matches /x/", "'matches' is for string and text"),
        ("a string auto", "'auto' is for date and datetime"),
        ("a integer auto", "counts the changes of its row: write 'auto update'"),
        ("a datetime auto?", "an auto field is always set by the server"),
        ("a datetime auto = now", "an auto field is always set by the server"),
        ("a date auto delete", "'auto delete' says when a row was deleted, so it is for datetime, not for date"),
        ("a datetime auto delete secret", "'auto delete' takes neither 'unique' nor 'secret'"),
        ("a datetime auto delete unique", "'auto delete' takes neither 'unique' nor 'secret'"),
        ("a datetime auto delete = now", "an auto field is always set by the server"),
        ("a string on delete cascade", "'on delete' is for relations"),
        ("a -> User on delete set null", "needs a field that can be empty: 'a -> User ?'"),
        ("a -> User* unique", "takes no modifier"),
        ("a -> User secret", "a relation can't be secret or auto"),
        ("a -> User = you", "a relation can't have a default other than me"),
        ("a password unique", "can't be unique or indexed: databases don't compare passwords"),
        ("a password = x", "a password field can't have a default"),
        ("a password secret", "a password is never shown anyway"),
        ("a bytes index", "databases don't compare contents"),
        ("a string was Old", "write the name that the field had before"),
        ("a string was a", "write the name that the field had before"),
        ('a string "' + "x" * 301 + '"', "its text has 301 characters; the limit is 300"),
    ],
)
def test_a_modifier_or_limit_in_the_wrong_place_is_told(text: str, message: str) -> None:
    assert [each for each in field_problems(parse_field(text)) if message in each]
