"""The remote side of a run's branch: fetch it, and push to it, never by force.

A token, where there is one, lives in the environment of one fetch or push and nowhere else.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from bot.errors import PushError, RepositoryError, UsageError
from bot.history.git import REMOTE_TIMEOUT, Result, through_environment
from bot.history.repository import Repository

_RACE = re.compile(
    r"non-fast-forward|fetch first|stale info|cannot lock ref|failed to update ref|already exists|incorrect old value"
)
_STATUS = re.compile(r"returned error: (\d{3})")
_PASSING = re.compile(
    r"returned error: (5\d\d|429|408)|RPC failed|early EOF|hung up|unexpected disconnect|Empty reply|no answer"
    r"|Connection reset|timed out",
    re.IGNORECASE,
)
"""What may be over in a moment; not what is so as long as a laptop is offline."""
_ADVICE = {
    r"refusing to allow .* workflow": (
        "no 'permissions:' line allows that; take the workflow file out of the branch, "
        "or use a token that may write workflows"
    ),
    r"protected branch|rule violations|GH006|GH013": (
        "let the repository's branch rules leave out 'phasebot/**', or let the owner of the token bypass them"
    ),
    r"shallow update not allowed": (
        "this clone is too shallow for that remote; set 'fetch-depth: 0' for actions/checkout, "
        "or run 'git fetch --unshallow'"
    ),
    r"returned error: 403|Permission to \S+ denied|Write access to repository not granted": (
        "give the workflow's job 'permissions: contents: write', or use a token that may write to the repository"
    ),
    r"returned error: 30\d": "the repository has moved; name its new address with 'git remote set-url'",
    r"returned error: 401|could not read (Username|Password)|Authentication failed": (
        "the credentials are missing or not valid any more; renew the token, or log in with a credential helper"
    ),
}
"""What to do about an answer of git that says more than that it failed; the first that fits."""


class RejectedError(PushError):
    """Others pushed meanwhile: fetch, reconcile, push again."""


class UnreachableError(PushError):
    """The remote did not answer, or not properly: asking again may help."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token, and the server that it is for."""

    token: str = field(repr=False)
    server_url: str

    def __post_init__(self) -> None:
        """Refuse what can't be sent; neither value is in the message, since either may hold a secret."""
        if not re.fullmatch(r"[!-~]+", self.token):
            raise UsageError("reading the token: it is empty or holds a blank or line break; copy it again")
        try:
            known = _origin(urlsplit(self.server_url)) is not None
        except ValueError:  # a port that is none, brackets that don't match
            known = False
        if not (known and re.fullmatch(r"https?://[!-~]+", self.server_url)) or re.search("[@?#]", self.server_url):
            raise UsageError("reading the server's URL: it is no plain http or https address; correct it")

    @property
    def _basic(self) -> str:
        return b64encode(f"x-access-token:{self.token}".encode()).decode()

    @property
    def environment(self) -> dict[str, str]:
        """What makes git send the token, and nothing but the token, to the server and nowhere else.

        Two Authorization headers are an error of GitHub's, so one that actions/checkout left is reset first.
        Where git follows a redirect, it hands the header to whatever host that leads to; so it must not.
        """
        server = f"http.{self.server_url.rstrip('/')}/"
        settings = [
            (f"{server}.extraheader", ""),
            (f"{server}.extraheader", f"AUTHORIZATION: basic {self._basic}"),
            (f"{server}.followRedirects", "false"),
            ("credential.helper", ""),
        ]
        return {**through_environment(settings), "GIT_ASKPASS": "", "GIT_TRACE_REDACT": "1"}

    def covers(self, url: str) -> bool:
        """Whether *url* is on the server: of the same scheme, host and port, and below its path, as git compares."""
        try:
            ours, theirs = urlsplit(self.server_url), urlsplit(url)
            return _origin(ours) == _origin(theirs) and f"{theirs.path}/".startswith(f"{ours.path.rstrip('/')}/")
        except ValueError:
            return False

    def redact(self, text: str) -> str:
        """Return *text* without the token, as it is and as it is sent."""
        return text.replace(self._basic, "***").replace(self.token, "***")


def _origin(url: SplitResult) -> tuple[str, str, int] | None:
    port = {"http": 80, "https": 443}.get(url.scheme)
    return (url.scheme, url.hostname, url.port or port) if port and url.hostname else None


class Remote:
    """One remote of the repository."""

    def __init__(self, repository: Repository, name: str, credentials: Credentials | None = None) -> None:
        self._repository = repository
        self._credentials = credentials
        self.name = name

    def tracking(self, branch: str) -> str:
        """Return the ref that remembers where *branch* stood on the remote."""
        return f"refs/remotes/{self.name}/{branch}"

    def fetch(self, branch: str) -> str | None:
        """Fetch *branch* and return its commit; None when the remote has none.

        Raises:
            UnreachableError: The remote can't be reached, or not now.
            PushError: It refuses.
        """
        return self._fetch(f"refs/heads/{branch}", self.tracking(branch), branch)

    def fetch_ref(self, ref: str) -> str | None:
        """Fetch a ref that is no branch to its own name here, as :meth:`fetch` does a branch."""
        return self._fetch(ref, ref, ref)

    def _fetch(self, ref: str, to: str, name: str) -> str | None:
        result = self._run(
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"),
            *("--", self.name, f"+{ref}:{to}"),
        )
        if result.status == 0:
            return self._repository.oid(to)
        if "couldn't find remote ref" in result.err:
            self._repository.git.run("update-ref", "-d", to)
            return None
        todo = _advice(result.err) or "check the remote"
        kind = UnreachableError if _PASSING.search(result.err) else PushError
        otherwise = "" if self._credentials else ", or use --no-push"  # who gives a token wants nothing else
        raise kind(f"fetching {name} from {self.name}: {_cause(result.err)}; {todo}{otherwise}")

    def push(self, oid: str, branch: str) -> None:
        """Push the commit *oid* as *branch*.

        Raises:
            RejectedError: The remote's branch holds commits that *oid* does not.
            UnreachableError: The remote can't be reached, or not now.
            PushError: It refuses for another reason.
        """
        safe = "the commits are safe on the local branch, run generate again to push them"
        self._push(f"{oid}:refs/heads/{branch}", branch, safe)
        self._repository.git.run("update-ref", self.tracking(branch), oid)

    def put_ref(self, oid: str, ref: str) -> None:
        """Make *ref*, which is no branch and nobody's history, name *oid*; raises as :meth:`push` does."""
        self._push(f"+{oid}:{ref}", ref, "try again")

    def drop_ref(self, ref: str, oid: str) -> None:
        """Remove *ref* if it still names *oid*; raises as :meth:`push` does."""
        self._push(f":{ref}", ref, "try again", f"--force-with-lease={ref}:{oid}")

    def _push(self, what: str, name: str, otherwise: str, *options: str) -> None:
        """Push the refspec *what*; *otherwise* is what to do about a failure that nothing is known about."""
        result = self._run(
            *("push", "--no-verify", "--porcelain", "--no-follow-tags", "--recurse-submodules=no", *options),
            *("--", self.name, what),
        )
        if result.status == 0:
            return
        reason = next((line for line in result.text.split("\n") if line.startswith("!")), "")
        if _RACE.search(reason):
            raise RejectedError(f"pushing {name} to {self.name}: others pushed meanwhile")
        cause = reason.rpartition("\t")[2] or _cause(result.err)
        advice = _advice(f"{reason}\n{result.err}")
        kind = PushError if reason or not _PASSING.search(result.err) else UnreachableError
        raise kind(f"pushing {name} to {self.name}: {cause}; {f'{advice}; ' if advice else ''}{otherwise}")

    def _run(self, *arguments: str) -> Result:
        """Run git against the remote, with the token if it is for this one; the answer does not hold it."""
        git, credentials = self._repository.git, self._credentials
        if credentials is None:
            return self._in_time(*arguments, environment=None)
        way = ("--push",) if arguments[0] == "push" else ()
        urls = git.run("remote", "get-url", "--all", *way, "--", self.name).text.split("\n")
        environment = credentials.environment if any(map(credentials.covers, urls)) else None
        result = self._in_time(*arguments, environment=environment)
        out = credentials.redact(result.out.decode("utf-8", "surrogateescape"))
        return Result(result.status, out.encode("utf-8", "surrogateescape"), credentials.redact(result.err))

    def _in_time(self, *arguments: str, environment: Mapping[str, str] | None) -> Result:
        try:
            return self._repository.git.run(*arguments, environment=environment, timeout=REMOTE_TIMEOUT)
        except RepositoryError as exc:
            raise UnreachableError(str(exc)) from exc


def choose_remote(repository: Repository, name: str | None, *, required: bool) -> str | None:
    """Return the remote to push to: *name*, else ``origin``, else the only one; None when there is none.

    Raises:
        UsageError: *name* is none, or there is none (or no telling which) although one is *required*.
    """
    remotes = repository.git("remote").split()
    if name is not None and name not in remotes:
        raise UsageError(f"remote {name!r} is not known; remotes are: {', '.join(remotes) or 'none'}")
    chosen = name or ("origin" if "origin" in remotes else remotes[0] if len(remotes) == 1 else None)
    if chosen is None and required:
        raise UsageError("pushing: there is no remote; add one with 'git remote add origin URL', or leave --push out")
    return chosen


def _cause(text: str) -> str:
    """Pick the line that says why git failed; where it knows a status only, what the server says about it."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("To ", "hint:"))]
    cause = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "no answer")
    said = next((line.removeprefix("remote:").strip(" .") for line in lines if line.startswith("remote:")), "")
    status = _STATUS.search(cause)
    return f"{said} (HTTP {status[1]})" if said and status else cause


def _advice(text: str) -> str | None:
    return next((advice for pattern, advice in _ADVICE.items() if re.search(pattern, text)), None)
