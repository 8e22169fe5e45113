"""The environment of commands: nothing of the caller's, and for installing no credentials."""

import pytest

from bot.verification.environment import (
    Folders,
    as_installer,
    environment,
    for_installing,
    is_inside,
    needs_venv,
    system_path,
)

FOLDERS = Folders("/place/tree", "/place/home", "/place/tmp", "/place/venv")


def test_a_command_gets_its_place_and_the_systems_programs() -> None:
    found = environment(FOLDERS, ["/usr/bin"])

    assert found["PATH"] == "/place/venv/bin:/usr/bin"
    assert (found["HOME"], found["TMPDIR"], found["LANG"]) == ("/place/home", "/place/tmp", "C.UTF-8")
    assert "VIRTUAL_ENV" not in environment(FOLDERS._replace(venv=""), [])
    assert environment(FOLDERS._replace(venv=""), ["/usr/bin"])["PATH"] == "/usr/bin"


def test_installing_gets_what_leads_to_indexes_and_nothing_else() -> None:
    environ = {
        "https_proxy": "http://proxy:3128",
        "SSL_CERT_FILE": "/etc/ssl/ca.pem",
        "UV_DEFAULT_INDEX": "https://index.example/simple",
        "PIP_FIND_LINKS": "/opt/wheels file:///srv/wheels",
        "PIP_INDEX_URL": "https://robot:pa55-of-robot@index.example/simple",
        "UV_INDEX": "https://0123456789abcdef@index.example/simple",
        "GITHUB_TOKEN": "x",
        "PIP_REQUIRE_VIRTUALENV": "1",
        "PYTHONPATH": "/elsewhere",
        "NO_PROXY": "",
    }

    found = for_installing(environ)

    assert set(found.variables) == {"https_proxy", "SSL_CERT_FILE", "UV_DEFAULT_INDEX", "PIP_FIND_LINKS"}
    assert found.notes == [f"{name} holds credentials, so no command gets it" for name in ("PIP_INDEX_URL", "UV_INDEX")]
    assert sorted(found.paths) == ["/etc/ssl/ca.pem", "/opt/wheels", "/srv/wheels"]


def test_programs_come_from_folders_that_commands_may_see() -> None:
    path = "/home/ada/bin:/usr/bin:bin::/opt/node/bin:/home/adam/bin"

    assert system_path(path, ["/home/ada", "/srv"]) == [
        "/usr/bin", "/opt/node/bin", "/home/adam/bin", "/usr/local/bin", "/bin",
    ]  # fmt: skip


def test_a_folder_holds_itself_and_what_is_below_it() -> None:
    assert is_inside("/a", ["/a"])
    assert is_inside("/a/b", ["/x", "/a/"])
    assert not is_inside("/ab", ["/a"])


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (["pip", "install", "x"], ["/bin/uv", "pip", "install", "x"]),
        (["python", "-m", "pip", "install", "x"], ["/bin/uv", "pip", "install", "x"]),
        (["pip", "download", "x"], ["pip", "download", "x"]),
        (["python", "-m", "pytest"], ["python", "-m", "pytest"]),
        (["pip"], ["pip"]),
    ],
)
def test_uv_takes_the_part_of_pip(run: list[str], expected: list[str]) -> None:
    assert list(as_installer(run, "/bin/uv")) == expected
    assert list(as_installer(run, "")) == run


def test_a_venv_is_for_python_and_pip() -> None:
    assert [needs_venv([each]) for each in ("python", "python3", "pip", "npm")] == [True, True, True, False]
