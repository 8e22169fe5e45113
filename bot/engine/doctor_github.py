"""The doctor's checks of GitHub: the token, and the repository's settings as far as the token may read them."""

from collections.abc import Callable, Iterator, Mapping

from bot.engine.check import Check, guarded
from bot.errors import ForgeError, ForgeGoneError, ForgeRefusedError
from bot.forge.github_settings import AboutRepository, GitHubSettings
from bot.history.remote_address import GITHUB, RemoteAddress
from bot.history.repository import BRANCHES
from bot.settings import KEY

_API = "https://api.github.com"
_TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
_FORBID = {
    "creation": "forbid new branches",
    "update": "forbid pushes",
    "pull_request": "forbid pushes",
    "required_signatures": "want signed commits",
    "required_status_checks": "want checks before a push",
    "required_deployments": "want deployments before a push",
    "merge_queue": "forbid pushes",
}
"""Kind of rule → what rules of it do to a run's branch."""
_MAY_FORBID = "_pattern", "_restriction", "max_file_path_length", "max_file_size", "workflows", "code_scanning"


def check_github(environ: Mapping[str, str], address: RemoteAddress | None) -> Iterator[Check]:
    """Yield what GitHub says of the repository at *address*, which is asked only with a token."""
    if address is None:
        yield Check("unknown", "the remote is no repository on a server, so its settings are not checked")
        return
    token = next(filter(None, (environ.get(name, "").strip() for name in _TOKENS)), "")
    # The remote's host stands in the repository's configuration, so it does not decide who gets the token.
    api = environ.get("GITHUB_API_URL", "").strip().rstrip("/") or (_API if address.host == GITHUB else "")
    if not token:
        yield Check("unknown", f"the settings of {address.repository} on {address.host}", f"set {_TOKENS[0]}")
        return
    if not api:
        remedy = f"set GITHUB_API_URL to the address of its API, such as https://{address.host}/api/v3"
        yield Check("unknown", f"the settings of {address.repository} on {address.host}", remedy)
        return
    settings = GitHubSettings(token, repository=address.repository, api_url=api)
    page = f"https://{address.host}/{address.repository}/settings"
    try:
        about = settings.about()
    except ForgeError as exc:
        yield Check("problem", f"token: {exc}")
        return
    yield _token(about, address)
    yield from _check_settings(settings, address, page)


def _token(about: AboutRepository, address: RemoteAddress) -> Check:
    scopes = f" (scopes: {about.scopes})" if about.scopes else ""
    if about.may_push is False:
        remedy = "use one of somebody with write access"
        return Check("problem", f"the token{scopes} can't push to {address.repository}", remedy)
    branch = f"{address.repository} has the default branch {about.default_branch}"
    return Check("ok", f"the token{scopes} is accepted; {branch}")


def _check_settings(settings: GitHubSettings, address: RemoteAddress, page: str) -> Iterator[Check]:
    yield from _allowed("whether Actions are enabled", lambda: _check_actions(settings, page))
    yield from _allowed("whether workflows may open pull requests", lambda: _check_pulls(settings, page))
    yield from _allowed("whether the model's key is a secret", lambda: _check_secrets(settings, address))
    yield from _allowed(f"whether rules forbid {BRANCHES}…", lambda: _check_rules(settings, page))


def _allowed(what: str, checks: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """Yield what *checks* finds; what the token may not read is unknown."""

    def check() -> Iterator[Check]:
        try:
            yield from checks()
        except (ForgeRefusedError, ForgeGoneError) as exc:
            yield Check("unknown", what, str(exc))

    yield from guarded(what, check)


def _check_actions(settings: GitHubSettings, page: str) -> Iterator[Check]:
    policy = settings.actions()
    if not policy.enabled:
        yield Check("problem", "Actions are disabled, so comments do nothing", f"enable them: {page}/actions")
    elif policy.allowed == "local_only":
        yield Check("problem", "only the repository's own actions may run", f"allow Phasebot's: {page}/actions")
    elif policy.allowed == "selected":
        remedy = f"look whether Phasebot's and actions/checkout are among them: {page}/actions"
        yield Check("unknown", "only selected actions may run", remedy)
    else:
        yield Check("ok", "Actions are enabled")


def _check_pulls(settings: GitHubSettings, page: str) -> Iterator[Check]:
    if settings.may_open_pulls():
        yield Check("ok", "workflows may open pull requests")
    else:
        remedy = f"allow GitHub Actions to create and approve pull requests: {page}/actions"
        yield Check("problem", "workflows may not open pull requests", remedy)


def _check_secrets(settings: GitHubSettings, address: RemoteAddress) -> Iterator[Check]:
    if KEY in settings.secrets():
        yield Check("ok", f"workflows get the secret {KEY}")
    else:
        remedy = f"to let a model write there: gh secret set {KEY} --repo {address.repository}"
        yield Check("unknown", f"there is no secret {KEY}, so templates write in workflows", remedy)


def _check_rules(settings: GitHubSettings, page: str) -> Iterator[Check]:
    rules = settings.branch_rules(f"{BRANCHES}doctor")
    remedy = f"exclude '{BRANCHES}**' from them, or let the token's owner bypass them: {page}/rules"
    forbid = sorted({_FORBID[kind] for kind in rules if kind in _FORBID})
    if forbid:
        yield Check("problem", f"rules {' and '.join(forbid)} on {BRANCHES}…", remedy)
    elif perhaps := sorted(kind for kind in rules if kind.endswith(_MAY_FORBID[:2]) or kind in _MAY_FORBID):
        yield Check("unknown", f"rules may refuse a push to {BRANCHES}…: {', '.join(perhaps)}", remedy)
    else:
        yield Check("ok", f"no rule forbids {BRANCHES}…")
