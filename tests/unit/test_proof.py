"""What a rebuild found adds up."""

from bot.history.proof import CommitProof, FileOrigins, FileProof, Rebuild, count_lines

GOOD, BAD, OPEN = FileProof("a", "proven"), FileProof("b", "tampered", "it differs", 3), FileProof("c", "unproven")


def test_a_commit_is_as_bad_as_the_worst_of_its_files() -> None:
    assert CommitProof("1", "core", [GOOD]).verdict == "proven"
    assert CommitProof("1", "core", []).verdict == "proven"
    assert CommitProof("1", "core", [GOOD, OPEN]).verdict == "unproven"
    assert CommitProof("1", "core", [OPEN, BAD], by_model=True).verdict == "tampered"
    assert CommitProof("1", "core", why="other recipe").verdict == "unproven"
    assert CommitProof("1", "core", [GOOD], by_model=True).verdict == "model"


def test_a_run_lists_what_is_not_proven() -> None:
    commits = [CommitProof("1", "core", [GOOD]), CommitProof("2", "main", [BAD]), CommitProof("3", None, [OPEN])]
    found = Rebuild(run="blog", branch="phasebot/blog", head="3", commits=commits, files=[])

    assert [each.oid for each in found.tampered] == ["2"]
    assert [each.oid for each in found.unproven] == ["3"]


def test_lines_are_counted_in_one_order() -> None:
    one = FileOrigins("a", "core", ["human", "bot", "bot"])

    assert list(one.counts.items()) == [("bot", 2), ("human", 1)]
    assert count_lines([one, FileOrigins("b", "core", ["base"])]) == {"bot": 2, "human": 1, "base": 1}
