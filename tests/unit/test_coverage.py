"""Sentences of the plan against tests and endpoints."""

from bot.assessment.coverage import Asked, find_missing_endpoints, find_untested_rules
from bot.assessment.outline import Outline, outline_file
from bot.assessment.project import Project

_TEST = "@pytest.mark.rule('A  published post stays published (409)')\ndef test_it(): ...\n"
_ROUTER = "@router.get('/feed/{user_id}')\ndef feed(): ...\n"


def project(**texts: str) -> Project:
    files = {f"{name}.py": text for name, text in texts.items()}
    return Project({path: Outline.read(outline_file(text) or {}) for path, text in files.items()}, files, {})


def test_a_rule_needs_a_test_that_is_marked_with_it() -> None:
    rules = ("a published post stays published (409).", "Titles are short.")
    asked = [Asked("entity/Post", ["post.py", "test_post.py"], rules)]

    (found,) = find_untested_rules(project(post="", test_post=_TEST), asked, ())

    assert (found.path, found.rule) == ("test_post.py", "untested-rule")
    assert found.message == "no test is marked: 'Titles are short.'"


def test_a_rule_of_the_project_may_be_tested_anywhere() -> None:
    asked = [Asked("entity/Post", ["post.py"])]
    rules = ["A published post stays published (409)."]

    assert list(find_untested_rules(project(post="", test_other=_TEST), asked, rules)) == []
    assert len(list(find_untested_rules(project(post=""), asked, rules))) == 1


def test_a_feature_has_the_endpoints_that_its_description_names() -> None:
    does = "`GET /feed/{id}` returns the newest posts. `POST /follows` follows somebody."

    (found,) = find_missing_endpoints(project(router=_ROUTER), [Asked("feature/Feed", ["router.py"], (), does)])

    assert (found.path, found.message) == ("router.py", "there is no endpoint POST /follows")
