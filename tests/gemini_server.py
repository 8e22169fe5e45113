"""A Gemini on the loopback: it answers as a script says, and misbehaves in every way a network can.

``python -m tests.gemini_server --latency 20`` plays the blog by hand: it prints what to put into the environment.
"""

import argparse
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from bot.generation.plan_views import phase_context
from bot.generation.provider import GenerationRequest
from bot.generation.rendering import render_files
from bot.planning.entities import Entity
from bot.planning.field_grammar import format_field
from bot.planning.plan import Plan
from bot.planning.resolved_plan import resolve_plan_file
from bot.planning.schema_changes import MigrationStart
from tests.repositories import planned
from tests.unit.values import BLOG, run_here

USAGE = {"promptTokenCount": 1000, "candidatesTokenCount": 400, "thoughtsTokenCount": 100, "totalTokenCount": 1500}
KEY = "test-key-0123456789"


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    number: int
    """From 1."""
    model: str
    key: str
    body: Mapping[str, Any]
    path: str
    headers: Mapping[str, str]

    @cached_property
    def prompt(self) -> str:
        return "".join(part["text"] for content in self.body["contents"] for part in content["parts"])

    @cached_property
    def system(self) -> str:
        return "".join(part["text"] for part in self.body["systemInstruction"]["parts"])

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The files asked for; none if it asks for a plan."""
        _, _, closing = self.prompt.rpartition("\nWrite these files, whole, and no others:\n")
        return tuple(re.findall(r"^- (.+)$", closing, re.MULTILINE)) if "\nWrite these files" in self.prompt else ()

    @cached_property
    def sentences(self) -> Mapping[int, str]:
        """The numbered sentences that it asks about; none if it asks for a plan or for files."""
        _, _, block = self.prompt.partition("\n<sentences>\n")
        lines = re.findall(r"^([0-9]+)\. (.*)$", block.partition("\n</sentences>\n")[0], re.MULTILINE)
        return {int(number): sentence for number, sentence in lines}

    @property
    def schema(self) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self.body["generationConfig"].get("responseJsonSchema")
        return found


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the server does with a request."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0.0
    """Seconds from the request to the answer."""
    cut: int | None = None
    """Close the connection after so many bytes of the body."""
    drip: float = 0.0
    """Seconds between two bytes."""
    reset: bool = False
    """Reset the connection instead of answering."""
    raw: bytes | None = None
    """Send this instead of anything that is HTTP."""


def answer(text: str | None, finish: str | None = "STOP", usage: object = USAGE, **more: object) -> Reply:
    """Answer with *text* as the service does."""
    candidate: dict[str, Any] = {"index": 0} | ({"finishReason": finish} if finish else {})
    if text is not None:
        candidate["content"] = {"role": "model", "parts": [{"text": "hm", "thought": True}, {"text": text}]}
    return Reply(body=json.dumps({"candidates": [candidate], "usageMetadata": usage, **more}).encode())


def files(contents: Mapping[str, str], **more: object) -> Reply:
    """Answer with files."""
    entries = [{"path": path, "content": text} for path, text in contents.items()]
    return answer(json.dumps({"files": entries}), **more)  # type: ignore[arg-type]  # keywords of answer()


def error(code: int, message: str = "no", status: str = "", details: Sequence[object] = (), **headers: str) -> Reply:
    """Refuse as the service does."""
    content = {"error": {"code": code, "message": message, "status": status, "details": list(details)}}
    return Reply(status=code, body=json.dumps(content).encode(), headers=headers)


def known_model(asked: Asked) -> Reply:
    """Answer who asks whether there is a model as the service does: there is each one, for who has the key."""
    if asked.key != KEY:
        details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
        return error(400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT", details)
    return Reply(body=json.dumps({"name": f"models/{asked.model}", "version": "001"}).encode())


def retry_info(seconds: float) -> Mapping[str, object]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{seconds}s"}


def quota(name: str, value: str = "10") -> Mapping[str, object]:
    return {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaId": name, "quotaValue": value}],
    }


class Author:
    """Answers as a perfect model would: with what the recipe's templates make, and with a plan that was given."""

    def __init__(self, spec: str = BLOG, recipe: str = "fastapi", latency: float = 0.0) -> None:
        self.laid = planned(spec, recipe)
        self.latency = latency

    def __call__(self, asked: Asked) -> Reply:
        reply = files(self.texts(asked.paths)) if asked.paths else answer(json.dumps(self.planning(asked)))
        return Reply(body=reply.body, wait=self.latency)

    def planning(self, asked: Asked) -> Mapping[str, Any]:
        """Answer with the plan, or that it has every sentence."""
        return covered(asked.sentences) if asked.sentences else as_proposed(self.laid.plan)

    def texts(self, paths: Sequence[str]) -> dict[str, str]:
        """Return the files at *paths*; one without a template is a module that says what it is."""
        plan, recipe = self.laid.plan, self.laid.recipe
        made: dict[str, Any] = {}
        for phase in self.laid.phases[1:]:
            context = phase_context(plan, phase)
            wanted = {path: template for path, template in phase.files.items() if path in paths}
            made |= render_files(run_here, recipe, {path: name for path, name in wanted.items() if name}, context)
            made |= {path: f'PHASE = "{phase.key}"\n' for path, name in wanted.items() if not name}
        return {path: made[path] for path in paths}

    def phase(self, asked: Asked) -> str:
        """Return the key of the phase that a request is for."""
        owners = {path: phase.key for phase in self.laid.phases for path in phase.files}
        return owners[asked.paths[0]] if asked.paths else "plan"

    def request(self, key: str) -> GenerationRequest:
        """Return what the runner asks a provider for the phase *key*."""
        phase = next(phase for phase in self.laid.phases if phase.key == key)
        return GenerationRequest(self.laid.plan, self.laid.recipe, phase, tuple(phase.files))


class ProseAuthor(Author):
    """Plans a spec of ``data/prose`` as a model does that overlooks sentences, and finds them when it looks again."""

    def __init__(self, folder: Path) -> None:
        self.spec = (folder / "spec.md").read_text(encoding="utf-8")
        self.laid = resolve_plan_file(
            (folder / "plan.yaml").read_text(encoding="utf-8"), source="it", output_dir="."
        ).on(MigrationStart())
        self.latency = 0.0
        self.answer: Mapping[str, Any] = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
        self.found: Sequence[Mapping[str, Any]] = json.loads((folder / "found.json").read_text(encoding="utf-8"))

    def planning(self, asked: Asked) -> Mapping[str, Any]:
        """Answer with a plan that lacks sentences, or with what those ask for."""
        numbers = {sentence: number for number, sentence in asked.sentences.items()}
        found = [{"number": numbers[each["sentence"]], **each} for each in self.found] if numbers else []
        return covered(asked.sentences, *found) if numbers else self.answer


def as_proposed(plan: Plan) -> dict[str, Any]:
    """Write a plan as a model does."""
    return {
        "project": plan.project,
        "description": plan.description,
        "entities": [_entity(entity) for entity in plan.entities],
        **{name: [item.content() for item in items] for name, items in plan.collections.items()},
        "rules": list(plan.rules),
        "instructions": [{"phase": phase, "text": text} for phase, text in plan.instructions.items()],
        "left_out": list(plan.left_out),
    }


def _entity(entity: Entity) -> dict[str, Any]:
    content: dict[str, Any] = {"name": entity.name, "fields": [format_field(field) for field in entity.fields]}
    groups = {"unique": entity.unique if entity.unique != entity.implied_unique else (), "index": entity.index}
    content |= {key: [", ".join(group) for group in value] for key, value in groups.items() if value}
    content |= {"plural": entity.plural_name, "table": entity.table_name, "rules": list(entity.rules)}
    return content


def covered(sentences: Iterable[int], *more: Mapping[str, Any]) -> dict[str, Any]:
    """Answer that the plan has these *sentences*, but for what *more* says of some."""
    open_ones = {each["number"] for each in more}
    rest = [{"number": each, "kind": "covered", "of": "description"} for each in sentences if each not in open_ones]
    return {"sentences": [*rest, *more]}


class FakeGemini:
    """The server, for as long as its context lasts; *script* says what becomes of each request."""

    def __init__(self, script: Callable[[Asked], Reply]) -> None:
        self.script = script
        self.models: Callable[[Asked], Reply] = known_model
        """Answers who asks whether there is a model."""
        self.requests: list[Asked] = []
        """Those to a model."""
        self.active = self.most = 0
        self._lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # 40 ms an answer, which is none of the client's

            def do_POST(self) -> None:
                arrived = time.monotonic()
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with fake._lock:
                    fake.active += 1
                    fake.most = max(fake.most, fake.active)
                    model = self.path.rpartition("/")[2].partition(":")[0]
                    key = self.headers.get("x-goog-api-key", "")
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    asked = Asked(len(fake.requests) + 1, model, key, body, self.path, headers)
                    fake.requests.append(asked)
                try:
                    _act(self, fake.script(asked), arrived)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True  # the client went away, as some tests want
                finally:
                    with fake._lock:
                        fake.active -= 1

            def do_GET(self) -> None:
                key, headers = self.headers.get("x-goog-api-key", ""), dict(self.headers.items())
                asked = Asked(0, self.path.rpartition("/")[2].partition("?")[0], key, {}, self.path, headers)
                _act(self, fake.models(asked), time.monotonic())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        return {"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": self.url, "NO_PROXY": "127.0.0.1"}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Say nothing: a client that was killed is what some tests are about."""


def _act(handler: BaseHTTPRequestHandler, reply: Reply, arrived: float) -> None:
    time.sleep(max(0.0, arrived + reply.wait - time.monotonic()))
    if reply.reset or reply.raw is not None:
        if reply.raw is not None:
            handler.wfile.write(reply.raw)
        else:
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True
        handler.connection.close()
        return
    handler.send_response(reply.status)
    for name, value in (
        {"Content-Type": "application/json", "Content-Length": str(len(reply.body))}
        | {name.replace("_", "-"): value for name, value in reply.headers.items()}
    ).items():
        handler.send_header(name, value)
    handler.end_headers()
    body = reply.body if reply.cut is None else reply.body[: reply.cut]
    if reply.drip:
        for byte in body:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(reply.drip)
    else:
        handler.wfile.write(body)
    if reply.cut is not None:
        handler.close_connection = True


def main() -> None:
    """Play the blog until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds for each answer")
    options = parser.parse_args()
    with FakeGemini(Author(latency=options.latency)) as fake:
        print(" ".join(f"{name}={value}" for name, value in fake.environment.items()), flush=True)
        told = 0
        while True:
            time.sleep(0.5)
            for asked in fake.requests[told:]:
                told += 1
                print(
                    f"{asked.number} {asked.model} {len(asked.prompt):,} characters: {', '.join(asked.paths) or 'plan'}"
                )


if __name__ == "__main__":
    main()
