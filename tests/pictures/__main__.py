"""Makes the pictures of README.md again: all, or those that are named on the command line."""

import argparse
import tempfile
from pathlib import Path

import pytest

from tests.conftest import furnish, seal
from tests.pictures import FOLDER, SEEN, session, thread
from tests.pictures.page import draw_page, install_tools
from tests.pictures.strip import draw_strip

_LATENCY, _SPEED = 6.0, 4.0


def main() -> None:
    """Write what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("picture", nargs="*", help=f"of {', '.join(SEEN)}; all, if none is named")
    wanted = set(parser.parse_args().picture or SEEN)
    if wanted - set(SEEN):
        parser.error(f"there is no picture {', '.join(sorted(wanted - set(SEEN)))}; there are {', '.join(SEEN)}")
    with tempfile.TemporaryDirectory() as scratch, pytest.MonkeyPatch.context() as patch:
        folders = {name: Path(scratch, name) for name in ("home", "tools", "session", "threads")}
        for folder in folders.values():
            folder.mkdir()
        if wanted != {"run.svg"}:
            install_tools(folders["tools"])
        seal(furnish(folders["home"]), patch)
        if "run.svg" in wanted:
            film = session.play(folders["session"], _LATENCY, _SPEED)
            tell("run.svg", draw_strip(film.frames, session.GENERATE).encode())
        if wanted != {"run.svg"}:
            for name, each in thread.play(folders["threads"]).items():
                if name in wanted:
                    tell(name, draw_page(each, folders["tools"]))


def tell(name: str, content: bytes) -> None:
    """Write a picture, and say so."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / name).write_bytes(content)
    print(f"{name}  {len(content):,} bytes", flush=True)


if __name__ == "__main__":
    main()
