"""Where a repository is on the web, from the URL of its remote."""

import pytest

from bot.page.web_address import page_of, repository_page


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/acme/blog",
        "https://github.com/acme/blog.git",
        "https://github.com/acme/blog/",
        "https://x-access-token:ghs_secret@github.com/acme/blog.git",
        "ssh://git@github.com/acme/blog.git",
        "git@github.com:acme/blog.git",
        "git://github.com/acme/blog.git",
    ],
)
def test_every_way_to_name_a_repository_on_github(remote: str) -> None:
    assert repository_page(remote) == "https://github.com/acme/blog"


def test_an_enterprise_server_is_one_too() -> None:
    assert repository_page("git@github.acme.example:a/b.c.git") == "https://github.acme.example/a/b.c"
    assert repository_page("https://acme.ghe.com:443/a/b") == "https://acme.ghe.com/a/b"


@pytest.mark.parametrize(
    "remote",
    [
        "",
        "/srv/git/blog.git",
        "https://gitlab.com/acme/blog",
        "https://evil.example/github.com/acme/blog",
        "https://github.com.evil.example@x/acme/blog",
        "https://github.com/acme",
        "https://github.com/acme/blog/../x",
        'https://github.com/acme/"onclick=x',
        "javascript:alert(1)//github.com/acme/blog",
        "https://github.com/" + "a" * 600 + "/b",
    ],
)
def test_what_is_not_surely_github_has_no_page(remote: str) -> None:
    assert repository_page(remote) == ""


def test_parts_are_quoted() -> None:
    page = "https://github.com/acme/blog"
    assert page_of(page, "blob", "abc", "a b/<c>#d?.py") == f"{page}/blob/abc/a%20b/%3Cc%3E%23d%3F.py"
    assert page_of("", "commit", "abc") == ""
