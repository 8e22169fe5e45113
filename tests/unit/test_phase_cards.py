"""One card for each phase."""

from bot.page.phase_cards import PhaseCard, phase_cards
from tests.page_stories import REPOSITORY, complete, trouble


def card(key: str) -> PhaseCard:
    return next(each for each in phase_cards(trouble()) if each.key == key)


def test_words_and_tones_of_a_run_in_trouble() -> None:
    assert [(each.key, each.word, each.tone) for each in phase_cards(trouble())] == [
        ("plan", "complete", "good"),
        ("core", "complete", "good"),
        ("entity/User", "errors found", "bad"),
        ("entity/Post", "conflict", "bad"),
        ("entity/Comment", "partial", "warn"),
        ("entity/Tag", "rolled back", "idle"),
        ("entity/PostTag", "errors found", "bad"),
        ("migration", "pending", "idle"),
        ("support", "pending", "idle"),
        ("main", "pending", "idle"),
    ]


def test_files_have_sizes_links_and_what_is_wrong_with_them() -> None:
    post, comment = card("entity/Post"), card("entity/Comment")
    conflict = next(row for row in post.files if row.tone == "bad")

    assert (conflict.path, conflict.mark) == ("app/routers/posts.py", "conflict: people's version stays")
    assert conflict.url.startswith(f"{REPOSITORY}/blob/")
    assert post.size == sum(row.size or 0 for row in post.files) > 0
    assert (comment.made, comment.total) == (4, 6)
    assert [(row.path, row.size, row.mark, row.url) for row in comment.files[4:]] == [
        ("app/repositories/comment_repository.py", None, "missing: the file does not parse", ""),
        ("app/routers/comments.py", None, "missing: the file does not parse", ""),
    ]


def test_causes_are_one_line_each_with_the_commits_behind_them() -> None:
    assert [label for label, _ in card("entity/User").causes] == ["edited", "plan"]
    assert card("entity/User").causes[1][1].startswith("User.bio: text? → text(500)?, in ")


def test_a_complete_run_has_nothing_notable() -> None:
    cards = phase_cards(complete())

    assert {each.tone for each in cards} == {"good"}
    assert not any(each.is_notable for each in cards)
    assert cards[2].time == 1_795_795_242
    assert cards[2].tokens == 5_120
    assert cards[2].made == cards[2].total
