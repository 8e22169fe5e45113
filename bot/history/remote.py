"""Fetch and push the branch of a run; a branch is never force-pushed.

The token, if there is one, is passed in the environment of each fetch or push and stored nowhere.  In a partial clone,
every git call that may fetch objects gets it.  These calls don't read the repository's configuration; see
:mod:`bot.history.sealed_repository`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bot.errors import PushError, RepositoryError, UsageError
from bot.history.credentials import Credentials
from bot.history.git import REMOTE_TIMEOUT, Result
from bot.history.repository import Repository
from bot.history.sealed_repository import REMOTE, SealedRepository

_RACE = re.compile(
    r"non-fast-forward|fetch first|stale info|cannot lock ref|failed to update ref|already exists|incorrect old value"
)
_IN_THE_WAY = re.compile(r"'(refs/[^']+)' exists; cannot create")
"""Git keeps ``a`` as a file and ``a/b`` in a folder, so it can't have both."""
_NO_PROGRAMS = {"GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh"}
"""For a remote elsewhere in a job: others, such as ext, run a program that the URL names."""
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
class RemoteBranches:
    """What a remote has."""

    default: str | None
    """None if it says none, or one that it does not have."""
    names: frozenset[str]


class _Target(NamedTuple):
    """What git is given as the remote."""

    name: str
    environment: Mapping[str, str] | None


class Remote:
    """One remote of the repository."""

    def __init__(
        self,
        repository: Repository,
        name: str,
        credentials: Credentials | None = None,
        *,
        timeout: float = REMOTE_TIMEOUT,
    ) -> None:
        """Use the remote *name*, and give up on it when it takes longer than *timeout* seconds."""
        self._repository = repository
        self._credentials = credentials
        self._timeout = timeout
        self.name = name
        self._sealed = SealedRepository(repository.git, name)
        self._known_targets: dict[bool, Sequence[_Target]] = {}
        for promisor in repository.git.promisors if credentials else ():
            sealed = self._sealed if promisor == name else SealedRepository(repository.git, promisor)
            if self._is_covered(sealed.urls()[0]):
                repository.git.fetch_missing_with(self._environment(sealed), self._redact)

    def tracking_ref(self, branch: str) -> str:
        """Return the remote-tracking branch of *branch*."""
        return f"refs/remotes/{self.name}/{branch}"

    @property
    def url(self) -> str:
        """Its first URL, as the clone's configuration has it; empty if there is none.  It may hold a password."""
        urls = self._repository.git.run("config", "--get-all", f"remote.{self.name}.url").text.split("\n")
        return urls[0]

    def branches(self) -> RemoteBranches:
        """Ask the remote for its branches; raises like :meth:`fetch`."""
        result = self._run(("ls-remote", "--symref"), "HEAD", "refs/heads/*")
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
            ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"),
            f"+{ref}:{local_ref}",
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

    def try_push(self, oid: str, branch: str) -> None:
        """Ask for permission to push the commit *oid* as *branch*, and push nothing; raises like :meth:`push`.

        What rules of the branch say shows only when something is pushed.
        """
        self._push(f"{oid}:refs/heads/{branch}", branch, "--dry-run")

    def set_ref(self, oid: str, ref: str) -> None:
        """Point *ref*, which is not a branch, to *oid*, whatever it points to now; raises like :meth:`push`."""
        self._push(f"+{oid}:{ref}", ref, default_remedy="try again")

    def delete_ref(self, ref: str, oid: str) -> None:
        """Delete *ref* if it still points to *oid*; raises like :meth:`push`."""
        self._push(f":{ref}", ref, f"--force-with-lease={ref}:{oid}", default_remedy="try again")

    def _push(self, refspec: str, name: str, *options: str, default_remedy: str = "") -> None:
        """Push *refspec*; the message of a failure ends with *default_remedy*."""
        result = self._run(
            ("push", "--no-verify", "--porcelain", "--no-follow-tags", "--recurse-submodules=no", *options),
            refspec,
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

    def _run(self, command: Sequence[str], *refs: str) -> Result:
        """Run git's *command* for *refs* with the remote, with the token if it is for its server; redact the output."""
        result = Result(0, b"", "")
        for target in self._targets(push=command[0] == "push"):
            result = self._run_with_timeout(*command, "--", target.name, *refs, environment=target.environment)
            if result.status != 0:
                break
        output = self._redact(result.out.decode("utf-8", "surrogateescape"))
        return Result(result.status, output.encode("utf-8", "surrogateescape"), self._redact(result.err))

    def _targets(self, *, push: bool) -> Sequence[_Target]:
        """Return what to give git as the remote, each with the environment for it."""
        if push not in self._known_targets:
            self._known_targets[push] = self._find_targets(push=push)
        return self._known_targets[push]

    def _find_targets(self, *, push: bool) -> Sequence[_Target]:
        if self._credentials is None:
            return [_Target(self.name, None)]
        urls = self._sealed.urls(*(("--push",) if push else ()))
        covered = [self._is_covered(url) for url in (urls if push else urls[:1])]  # git fetches from the first one
        if not any(covered):
            return [_Target(self.name, _NO_PROGRAMS)]
        sealed = self._environment(self._sealed)
        if all(covered):
            return [_Target(REMOTE, sealed)]
        return [_Target(url, sealed if each else _NO_PROGRAMS) for url, each in zip(urls, covered, strict=True)]

    def _is_covered(self, url: str) -> bool:
        """Whether the token is for the server of *url*."""
        return self._credentials is not None and self._credentials.covers(url)

    def _environment(self, sealed: SealedRepository) -> Mapping[str, str]:
        """Return the environment of a call that gets the token."""
        assert self._credentials, "a URL is covered"  # noqa: S101
        return sealed.environment(self._credentials.protocol, self._credentials.settings)

    def _redact(self, text: str) -> str:
        return self._credentials.redact(text) if self._credentials else text

    def _run_with_timeout(self, *arguments: str, environment: Mapping[str, str] | None) -> Result:
        try:
            return self._repository.git.run(*arguments, environment=environment, timeout=self._timeout)
        except RepositoryError as exc:
            raise UnreachableError(self._redact(str(exc))) from exc


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
