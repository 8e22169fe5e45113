"""Plurals and singulars.  Tables and paths are made of them, so each rule is pinned."""

import pytest

from bot.planning.plurals import plural, singular

WORDS = """
user users, post_tag post_tags, category categories, day days, box boxes, address addresses, branch branches,
dish dishes, status statuses, class classes, bus buses, gas gases, virus viruses, alias aliases,
quiz quizzes, matrix matrices, analysis analyses, person people, child children, customer_person customer_people,
house houses, cause causes, use uses, case cases, movie movies, cookie cookies, hero heroes, photo photos, menu menus,
key keys, process processes, business businesses, lens lenses, canvas canvases, campus campuses, leaf leaves
"""


@pytest.mark.parametrize(("one", "many"), [pair.split() for pair in WORDS.replace("\n", " ").strip(" ").split(", ")])
def test_a_word_and_its_plural_lead_to_each_other(one: str, many: str) -> None:
    assert plural(one) == many
    assert singular(many) == one
    assert singular(one) == one


@pytest.mark.parametrize(
    "word", ["preferences", "points", "users", "details", "customer_details", "feed_media", "news", "series", "data"]
)
def test_a_plural_stays_as_it_is(word: str) -> None:
    assert plural(word) == word
