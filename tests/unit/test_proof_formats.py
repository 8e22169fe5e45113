"""What a rebuild found, for people and for programs."""

import json

from bot.history.proof import CommitProof, FileOrigins, FileProof, Rebuild
from bot.history.proof_formats import format_rebuild, format_rebuild_json, summary

FOUND = Rebuild(
    run="blog",
    branch="phasebot/blog",
    head="d" * 40,
    commits=[
        CommitProof("a" * 40, "core", [FileProof("app/db.py", "proven")]),
        CommitProof("b" * 40, "main", [FileProof("main.py", "tampered", "it differs", 3)]),
        CommitProof("c" * 40, None, [FileProof("x\n::error::y", "tampered", "not as the base has it")]),
        CommitProof("d" * 40, "support", why="it was made with another version of the recipe"),
    ],
    files=[
        FileOrigins("app/db.py", "core", ["bot", "human", "human", "bot"]),
        FileOrigins("app/__init__.py", "core", []),
        FileOrigins("main.py", "main", ["unproven"]),
    ],
    inherited=["entity/Item"],
)


def test_people_read_commits_then_files_then_sums() -> None:
    assert format_rebuild(FOUND) == (
        "aaaaaaaaaa  core  proven\n"
        "bbbbbbbbbb  main  tampered\n"
        "  main.py:3  it differs\n"
        "cccccccccc  rollback  tampered\n"
        "  x ::error::y  not as the base has it\n"
        "dddddddddd  support  can't be rebuilt: it was made with another version of the recipe\n"
        "nothing to prove: the base has entity/Item, without commits of this run\n"
        "\n"
        "core  2 bot, 2 human\n"
        "  app/db.py  2 bot, 2 human\n"
        "  app/__init__.py  no lines\n"
        "main  1 not rebuilt\n"
        "  main.py  1 not rebuilt\n"
        "\n"
        "commits: 1 proven, 2 tampered, 1 can't be rebuilt; lines: 2 bot, 2 human, 1 not rebuilt"
    )


def test_a_run_without_commits_has_nothing_to_prove() -> None:
    assert summary(Rebuild(run="b", branch="phasebot/b", head="", commits=[], files=[])) == (
        "commits: no commits to rebuild; lines: none"
    )


def test_programs_read_it_as_json() -> None:
    content = json.loads(format_rebuild_json(FOUND))

    assert (content["run"], content["head"], content["proven"]) == ("blog", "d" * 40, False)
    assert content["commits"][1] == {
        "commit": "b" * 40,
        "phase": "main",
        "verdict": "tampered",
        "why": "",
        "files": [{"path": "main.py", "verdict": "tampered", "line": 3, "why": "it differs"}],
    }
    assert content["files"][0]["lines"] == [["bot", 1], ["human", 2], ["bot", 1]]
    assert content["files"][0]["counts"] == {"bot": 2, "human": 2}
    assert content["inherited"] == ["entity/Item"]
