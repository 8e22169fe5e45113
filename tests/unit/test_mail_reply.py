"""What mail programs add to a comment: quoted mail, the line above it, and the signature."""

import time

import pytest

from bot.forge.mail_reply import without_leading_quote, without_mail

SPEC = "- User: name string\n---\n- Post: title string\n  - unique title\n-- comments\n___\n***"
ENDINGS = {
    "quote": "> /generate\n>\n> Alice",
    "quote of a quote": ">> a",
    "indented quote": "  > a",
    "attribution": "On Tue, Nov 24, 2026 at 3:01 PM Alice <a@example.org> wrote:\n\nThe mail",
    "attribution over two lines": "On Tue, Nov 24, 2026 at 3:01 PM Alice in a company\n<a@example.org> wrote:\n\n> A",
    "attribution over three lines": "On Tue, Nov 24, 2026 at 3:01 PM Alice\nin a company\n<a@b.cd> wrote:\n> A",
    "attribution without a date": "Alice <a@example.org> wrote:",
    "German": "Am Di., 24. Nov. 2026 um 15:01\u00a0Uhr schrieb Alice <a@example.org>:\n> A",
    "French": "Le mar. 24 nov. 2026 \u00e0 15:01, Alice\n<a@example.org> a \u00e9crit\u00a0:\n> A",
    "Spanish": "El mar, 24 nov 2026 a las 15:01, Alice (<a@example.org>) escribi\u00f3:\n> A",
    "Japanese": "2026\u5e7411\u670824\u65e5(\u706b) 15:01 Alice <a@example.org>:\n\n> A",
    "Outlook": "-----Original Message-----\nFrom: Alice\nSent: Tuesday",
    "Outlook in German": "-----Urspr\u00fcngliche Nachricht-----\nVon: Alice",
    "Outlook's header": "______________\nFrom: Alice <a@b.cd>\nSent: Tuesday\nTo: Bob\nSubject: Re: [o/r]",
    "bold header": "*From:* Alice\n*Sent:* Tuesday",
    "phone": "Sent from my iPhone",
    "German phone": "Von meinem iPhone gesendet",
    "Outlook on a phone": "Get Outlook for iOS<https://aka.ms/o0ukef>",
    "signature": "-- \nAlice\n+44 20 7946 0000",
    "signature without its blank": "--\nAlice",
    "signature by a phone": "\u2014\nAlice",
}
"""What mail programs put below a text."""


@pytest.mark.parametrize("kind", ENDINGS)
def test_a_text_ends_before_quoted_mail_and_signatures(kind: str) -> None:
    assert without_mail(f"{SPEC}\n\n{ENDINGS[kind]}\n\nmore") == f"{SPEC}\n"
    assert without_mail(f"{SPEC}\n{ENDINGS[kind]}\nmore") == SPEC
    assert without_mail(ENDINGS[kind]) == ""


@pytest.mark.parametrize(
    "text",
    [
        "On 3 attempts, the page shows what the user wrote:\n- a",
        "On the page there is what a user wrote in 2026",
        "From: string\nTo: string",
        "Sent via the API to users",
        "-- a dash\n--- \n----\n- a\n-a",
        "a > b\n    > in code",
    ],
)
def test_text_that_only_looks_like_mail_is_kept(text: str) -> None:
    assert without_mail(text) == text


def test_a_code_block_that_is_never_closed_hides_no_signature() -> None:
    assert without_mail("```\na\n-- \nAlice") == "```\na"


def test_an_answer_below_a_quote_is_kept() -> None:
    answered = "On Tue, Nov 24, 2026 Alice\n<a@b.cd> wrote:\n\n> a\n> b\n\n  Make it short.\n> c"
    assert without_leading_quote(answered) == "  Make it short.\n> c"
    assert without_leading_quote("> only a quote") == ""


_REPEATED = (
    *(" ", "\n", "a ", "-", "-- ", "\u2014", ">", "```\n", "~~~\n```\n", "`", "On ", "On a\n", "On 2026 wrote "),
    *(
        "On 2026 wrote\n",
        "<a@",
        "a <a@b.cd>:\n",
        "wrote:\n",
        "From: a\n",
        "*",
        "_____\n",
        "Von meinem ",
        "Sent from my ",
    ),
)


@pytest.mark.parametrize("piece", _REPEATED)
def test_the_longest_comment_is_cut_fast(piece: str) -> None:
    text = (piece * 65_536)[:65_536]
    before = time.process_time()
    without_mail(text)
    without_leading_quote(text)
    assert time.process_time() - before < 0.3
