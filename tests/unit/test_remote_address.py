"""Which repository a remote's URL names."""

import pytest

from bot.history.remote_address import RemoteAddress


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://github.com/acme/blog", "github.com acme/blog"),
        ("https://github.com/acme/blog.git", "github.com acme/blog"),
        ("https://user:ghs_secret@GitHub.com/acme/blog.git/", "github.com acme/blog"),
        ("git+https://github.com/acme/blog.git", "github.com acme/blog"),
        ("git@github.com:acme/blog.git", "github.com acme/blog"),
        ("github.com:acme/blog", "github.com acme/blog"),
        ("ssh://git@github.com:22/acme/my.blog.git", "github.com acme/my.blog"),
        ("ssh://git@ssh.github.com:443/acme/blog.git", "github.com acme/blog"),
        ("http://127.0.0.1:8080/acme/blog.git", "127.0.0.1:8080 acme/blog"),
        ("https://ghe.example/acme/blog", "ghe.example acme/blog"),
    ],
)
def test_a_url_names_a_repository(url: str, told: str) -> None:
    found = RemoteAddress.of(url)
    assert found
    assert f"{found.host} {found.repository}" == told


@pytest.mark.parametrize(
    "url",
    [
        *("", "/srv/git/blog.git", "file:///srv/acme/blog", "https://github.com/blog", "https://github.com/a/b/c"),
        *("https://github.com/../blog", "https://[::1/a/b", "https://x:99999/a/b", "C:/acme/blog", "ext::sh -c x/y"),
        *("https://github.com/acme/bl og", "git@github.com:/acme/blog", "https://github.com/acme/..", "x" * 5000),
    ],
)
def test_other_urls_name_none(url: str) -> None:
    assert RemoteAddress.of(url) is None
