"""Fetch and push the branch of a run; a branch is never force-pushed.

The token, if there is one, is passed in the environment of each fetch or push and stored nowhere.  In a partial clone,
every git call that may fetch objects gets it, except for those that run programs from git's configuration.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from bot.errors import PushError, RepositoryError, UsageError
from bot.history.git import REMOTE_TIMEOUT, Result, config_environment
from bot.history.repository import Repository

_RACE = re.compile(
    r"non-fast-forward|fetch first|stale info|cannot lock ref|failed to update ref|already exists|incorrect old value"
)
_IN_THE_WAY = re.compile(r"'(refs/[^']+)' exists; cannot create")
"""Git keeps ``a`` as a file and ``a/b`` in a folder, so it can't have both."""
_STATUS = re.compile(r"returned error: (\d{3})")
_TEMPORARY = re.compile(
    r"returned error: (5\d\d|429|408)|RPC failed|early EOF|hung up|unexpected disconnect|Empty reply|no answer"
    r"|Connection reset|timed out|Internal Server Error|unpack(er)? (error|failed)|failed to report status",
    re.IGNORECASE,
)
"""Errors that a retry may solve; being offline is not one of them."""
_RATE_LIMIT = re.compile(r"rate limit", re.IGNORECASE)
"""GitHub says so with a status of 403, which otherwise is for good."""
_REMEDIES = {
    r"(?m)^(?>.*?refusing to allow ).* workflow": (
        "no 'permissions:' line allows this; remove the workflow file from the branch, "
        "or use a token with write access to workflows"
    ),
    r"protected branch|rule violations|GH006|GH013": (
        "exclude 'phasebot/**' from the repository's branch rules, or let the owner of the token bypass them"
    ),
    r"shallow update not allowed": (
        "this clone is too shallow for that remote; set 'fetch-depth: 0' for actions/checkout, "
        "or run 'git fetch --unshallow'"
    ),
    r"returned error: 403|Permission to \S+ denied|Write access to repository not granted": (
        "give the workflow's job 'permissions: contents: write', or use a token with write access to the repository"
    ),
    r"returned error: 30\d": "the repository has moved; set its new URL with 'git remote set-url'",
    r"returned error: 401|could not read (Username|Password)|Authentication failed": (
        "the credentials are missing or expired; renew the token, or log in with a credential helper"
    ),
    r"Permission denied|Host key verification failed": (
        "let ssh log in to that server without a question, with a key that may write to the repository"
    ),
    r"(?m)^(?>.*?[Rr]epository ).*not found": (
        "correct its URL with 'git remote set-url', or use a token that may read it"
    ),
}
"""Pattern in git's output → what to do; the first match wins.  A failure with a remedy lasts until somebody acts."""


class RejectedError(PushError):
    """Others pushed in the meantime: fetch, integrate and push again."""


class UnreachableError(PushError):
    """The remote did not answer properly; a retry may help."""


class RefusedError(PushError):
    """The remote refused for good: no retry helps until a person has changed something."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token and the server to send it to."""

    token: str = field(repr=False)
    server_url: str

    def __post_init__(self) -> None:
        """Refuse values that can't be sent.  The message contains neither, because both can contain a secret."""
        if not re.fullmatch(r"[!-~]+", self.token):
            raise UsageError("reading the token: it is empty or contains a space or line break; copy it again")
        try:
            is_url = _origin(urlsplit(self.server_url)) is not None
        except ValueError:  # an invalid port, or unbalanced brackets
            is_url = False
        if not (is_url and re.fullmatch(r"https?://[!-~]+", self.server_url)) or re.search("[@?#]", self.server_url):
            raise UsageError("reading the server's URL: it is not a plain http or https URL; correct it")

    @property
    def _basic(self) -> str:
        return b64encode(f"x-access-token:{self.token}".encode()).decode()

    @property
    def environment(self) -> dict[str, str]:
        """Variables that make git send only the token, and only to the server.

        GitHub refuses two Authorization headers, so the one that actions/checkout configured is cleared first.
        Redirects are off, because git would send the header to the host that it is redirected to.
        """
        server = f"http.{self.server_url.rstrip('/')}/"
        settings = [
            (f"{server}.extraheader", ""),
            (f"{server}.extraheader", f"AUTHORIZATION: basic {self._basic}"),
            (f"{server}.followRedirects", "false"),
            ("credential.helper", ""),
        ]
        return {**config_environment(settings), "GIT_ASKPASS": "", "GIT_TRACE_REDACT": "1"}

    def covers(self, url: str) -> bool:
        """Whether *url* is on the server: same scheme, host and port, and under its path, as git compares them."""
        try:
            ours, theirs = urlsplit(self.server_url), urlsplit(url)
            return _origin(ours) == _origin(theirs) and f"{theirs.path}/".startswith(f"{ours.path.rstrip('/')}/")
        except ValueError:
            return False

    def redact(self, text: str) -> str:
        """Return *text* without the token, both plain and encoded."""
        return text.replace(self._basic, "***").replace(self.token, "***")


def _origin(url: SplitResult) -> tuple[str, str, int] | None:
    port = {"http": 80, "https": 443}.get(url.scheme)
    return (url.scheme, url.hostname, url.port or port) if port and url.hostname else None


@dataclass(frozen=True, slots=True)
class RemoteBranches:
    """What a remote has."""

    default: str | None
    """None if it says none, or one that it does not have."""
    names: frozenset[str]


class Remote:
    """One remote of the repository."""

    def __init__(self, repository: Repository, name: str, credentials: Credentials | None = None) -> None:
        self._repository = repository
        self._credentials = credentials
        self.name = name
        if credentials and any(self._is_covered(promisor) for promisor in repository.git.promisors):
            repository.git.fetch_missing_with(credentials.environment, credentials.redact)

    def tracking_ref(self, branch: str) -> str:
        """Return the remote-tracking branch of *branch*."""
        return f"refs/remotes/{self.name}/{branch}"

    def branches(self) -> RemoteBranches:
        """Ask the remote for its branches; raises like :meth:`fetch`."""
        result = self._run("ls-remote", "--symref", "--", self.name, "HEAD", "refs/heads/*")
        if result.status != 0:
            raise self._failure("the list of branches", result.err)
        default, names, prefix = None, set(), "refs/heads/"
        for value, _, ref in (line.partition("\t") for line in result.text.split("\n")):
            if ref == "HEAD" and value.startswith(f"ref: {prefix}"):
                default = value.removeprefix(f"ref: {prefix}")
            elif ref.startswith(prefix):
                names.add(ref.removeprefix(prefix))
        return RemoteBranches(default if default in names else None, frozenset(names))

    def fetch(self, branch: str) -> str | None:
        """Fetch *branch* and return its commit; None if the remote does not have it.

        Raises:
            UnreachableError: The remote can't be reached at the moment.
            RefusedError: The remote refused.
            PushError: The remote can't be reached at all.
        """
        return self._fetch(f"refs/heads/{branch}", self.tracking_ref(branch), branch)

    def fetch_ref(self, ref: str) -> str | None:
        """Fetch *ref*, which is not a branch, to the same name locally; otherwise like :meth:`fetch`."""
        return self._fetch(ref, ref, ref)

    def _fetch(self, ref: str, local_ref: str, name: str) -> str | None:
        result = self._run(
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"),
            *("--", self.name, f"+{ref}:{local_ref}"),
        )
        if result.status == 0:
            return self._repository.oid(local_ref)
        if "couldn't find remote ref" in result.err:
            self._repository.git.run("update-ref", "-d", local_ref)
            return None
        if match := _IN_THE_WAY.search(result.err):
            raise PushError(
                f"fetching {name} from {self.name}: {match[1].removeprefix('refs/remotes/')} is in the way, which "
                f"{self.name} no longer has; run 'git remote prune {self.name}'"
            )
        raise self._failure(name, result.err)

    def _failure(self, name: str, err: str) -> PushError:
        """Return the error for a fetch of *name* that failed with the output *err*."""
        self._repository.git.check_writable(f"fetching {name} from {self.name}", PushError)
        error, remedy = _classify("", err)
        alternative = "" if self._credentials else ", or use --no-push"  # with a token, pushing is what people want
        todo = f"{remedy or 'check the remote'}{alternative}"
        return error(f"fetching {name} from {self.name}: {_cause(err)}; {todo}")

    def push(self, oid: str, branch: str) -> None:
        """Push the commit *oid* as *branch*.

        Raises:
            RejectedError: The remote's branch has commits that *oid* does not.
            UnreachableError: The remote can't be reached at the moment.
            RefusedError: The remote refused for another reason.
            PushError: The remote can't be reached at all.
        """
        self._push(f"{oid}:refs/heads/{branch}", branch)
        self._repository.git.run("update-ref", self.tracking_ref(branch), oid)

    def set_ref(self, oid: str, ref: str) -> None:
        """Point *ref*, which is not a branch, to *oid*, whatever it points to now; raises like :meth:`push`."""
        self._push(f"+{oid}:{ref}", ref, default_remedy="try again")

    def delete_ref(self, ref: str, oid: str) -> None:
        """Delete *ref* if it still points to *oid*; raises like :meth:`push`."""
        self._push(f":{ref}", ref, f"--force-with-lease={ref}:{oid}", default_remedy="try again")

    def _push(self, refspec: str, name: str, *options: str, default_remedy: str = "") -> None:
        """Push *refspec*; the message of a failure ends with *default_remedy*."""
        result = self._run(
            *("push", "--no-verify", "--porcelain", "--no-follow-tags", "--recurse-submodules=no", *options),
            *("--", self.name, refspec),
        )
        if result.status == 0:
            return
        reason = next((line for line in result.text.split("\n") if line.startswith("!")), "")
        if match := _IN_THE_WAY.search(result.err):
            raise RefusedError(
                f"pushing {name} to {self.name}: git can't have it beside {match[1].removeprefix('refs/heads/')}; "
                f"rename that branch on {self.name}"
            )
        error, remedy = _classify(reason, result.err)
        if error is RejectedError:
            raise RejectedError(f"pushing {name} to {self.name}: others pushed in the meantime")
        cause = reason.rpartition("\t")[2] or _cause(result.err)
        told = f"pushing {name} to {self.name}: {cause}"
        raise error("; ".join(filter(None, (told, remedy, default_remedy))))

    def _run(self, *arguments: str) -> Result:
        """Run git against the remote, with the token if it is for its server; the output is redacted."""
        credentials = self._credentials
        if credentials is None:
            return self._run_with_timeout(*arguments, environment=None)
        push_flag = ("--push",) if arguments[0] == "push" else ()
        environment = credentials.environment if self._is_covered(self.name, *push_flag) else None
        result = self._run_with_timeout(*arguments, environment=environment)
        output = credentials.redact(result.out.decode("utf-8", "surrogateescape"))
        return Result(result.status, output.encode("utf-8", "surrogateescape"), credentials.redact(result.err))

    def _is_covered(self, name: str, *push_flag: str) -> bool:
        """Whether the token is for the server of the remote *name*."""
        urls = self._repository.git.run("remote", "get-url", "--all", *push_flag, "--", name).text.split("\n")
        return self._credentials is not None and any(map(self._credentials.covers, urls))

    def _run_with_timeout(self, *arguments: str, environment: Mapping[str, str] | None) -> Result:
        try:
            return self._repository.git.run(*arguments, environment=environment, timeout=REMOTE_TIMEOUT)
        except RepositoryError as exc:
            raise UnreachableError(str(exc)) from exc


def choose_remote(repository: Repository, name: str | None, *, required: bool) -> str | None:
    """Return the remote to push to: *name*, else ``origin``, else the only one; None if there is none of these.

    Raises:
        UsageError: *name* is not a remote, or one is *required* and there is none to choose.
    """
    remotes = repository.git("remote").split()
    if name is not None and name not in remotes:
        raise UsageError(f"remote {name!r} is not known; remotes are: {', '.join(remotes) or 'none'}")
    chosen = name or ("origin" if "origin" in remotes else remotes[0] if len(remotes) == 1 else None)
    if chosen is None and required:
        raise UsageError("pushing: there is no remote; add one with 'git remote add origin URL', or leave out --push")
    return chosen


def _cause(text: str) -> str:
    """Return the line that says why git failed; if it has only an HTTP status, the server's message, too."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("To ", "hint:"))]
    cause = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "no answer")
    answer = next((line.removeprefix("remote:").strip(" .") for line in lines if line.startswith("remote:")), "")
    status = _STATUS.search(cause)
    return f"{answer} (HTTP {status[1]})" if answer and status else cause


def _classify(reason: str, output: str) -> tuple[type[PushError], str]:
    """Return the kind of a failure and its remedy, if there is one.

    *reason* is the line about the ref in a push, if the remote got as far as that; *output* is what git wrote besides.
    """
    remedy = next((each for pattern, each in _REMEDIES.items() if re.search(pattern, f"{reason}\n{output}")), "")
    if _RACE.search(reason):
        return RejectedError, ""
    if _RATE_LIMIT.search(output) or (_TEMPORARY.search(reason or output) and not remedy):
        return UnreachableError, ""
    return (RefusedError if reason or remedy else PushError), remedy
