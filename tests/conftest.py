"""What every test lives in: a sealed environment and nobody's git configuration but its own."""

import os
from pathlib import Path

import pytest

_LEAKS = ("GIT_", "GITHUB_", "GEMINI_", "GOOGLE_", "PHASEBOT_", "XDG_")


def pytest_xdist_auto_num_workers() -> int:
    """Have one worker more than cores: a third of the time tests wait, for disks, servers and other processes."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def sealed(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a home of its own, a known committer, and no key or setting of whoever runs it."""
    for name in os.environ:
        if name.startswith(_LEAKS):
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    config = home / ".gitconfig"
    config.write_text("[user]\n\tname = Ada\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("TZ", "UTC")
    return home
