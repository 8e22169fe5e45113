"""The files of a run as a tree: linked while there is room, else as text."""

from hypothesis import given
from hypothesis import strategies as st

from bot.forge.file_tree import file_tree


def _url(path: str) -> str:
    return f"https://github.com/acme/blog/blob/b/{path}"


def test_folders_come_first_and_a_folder_with_only_one_folder_is_one_with_it() -> None:
    assert (
        file_tree(["main.py", "app/models/b.py", "app/models/a.py", "app/main.py", "deep/er/x.py"], _url)
        == """\
- `app/`
  - `models/`
    - [`a.py`](https://github.com/acme/blog/blob/b/app/models/a.py)
    - [`b.py`](https://github.com/acme/blog/blob/b/app/models/b.py)
  - [`main.py`](https://github.com/acme/blog/blob/b/app/main.py)
- `deep/er/`
  - [`x.py`](https://github.com/acme/blog/blob/b/deep/er/x.py)
- [`main.py`](https://github.com/acme/blog/blob/b/main.py)"""
    )


def test_a_tree_too_long_for_links_is_text_and_a_longer_one_is_cut_visibly() -> None:
    some = file_tree([f"app/models/item{number:03}.py" for number in range(200)], _url)
    many = file_tree([f"app/models/item{number:05}.py" for number in range(20_000)], _url)

    assert some.startswith("```\napp/models/\n  item000.py\n")
    assert some.endswith("  item199.py\n```")
    assert "more lines\n```" in many
    assert len(many) < 10_100


def test_a_path_of_thousands_of_folders_needs_no_deep_stack() -> None:
    assert len(file_tree(["a/" * 5_000 + "x.py", "a/" * 5_000 + "y.py"], _url)) < 12_000


@given(st.lists(st.text("ab/`|<\u202e\n", min_size=1, max_size=12), max_size=6))
def test_no_path_is_more_than_text(paths: list[str]) -> None:
    shown = file_tree(paths, lambda _: "")

    assert "\u202e" not in shown
    assert all(line.lstrip().startswith("- `") for line in shown.split("\n") if line)
