"""Finds secrets in text that is about to be committed: keys, tokens and passwords of well-known services.

The patterns are those of detect-secrets, and a few for services that it does not know.  A file with a find is missing,
so only forms that nothing else has are looked for: no words, no texts that only look random, and no placeholders.
Every pattern takes linear time.
"""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

_EDGE = r"(?:(?<![\w-])|(?<=\\[nrt]))"
"""The start of a word, also behind an escaped line break."""
_OWN: Sequence[tuple[str, tuple[str, ...], str]] = (
    ("a Google API key", ("AIza", "AQ."), rf"AIza[0-9A-Za-z_-]{{35}}|{_EDGE}AQ\.[A-Za-z0-9_-]{{40,}}"),
    ("a Google OAuth secret", ("GOCSPX-", "ya29."), r"GOCSPX-[A-Za-z0-9_-]{28}|ya29\.[A-Za-z0-9_-]{40,}"),
    ("a GitHub token", ("github_pat_",), r"github_pat_[A-Za-z0-9_]{50,}"),
    ("an npm token", ("npm_",), r"npm_[A-Za-z0-9]{36}"),
    ("an Anthropic API key", ("sk-ant-",), r"sk-ant-[A-Za-z0-9_-]{32,}"),
    (
        "an OpenAI API key",
        ("sk-", "T3BlbkFJ"),
        rf"{_EDGE}sk-(?:(?:proj|svcacct|admin)-[\w-]{{32,}}|\w{{48}}(?!\w))|(?<=[\w-]{{20}})T3BlbkFJ[\w-]{{20}}",
    ),
    ("a Hugging Face token", ("hf_",), rf"{_EDGE}hf_[A-Za-z0-9]{{34}}"),
    ("a DigitalOcean token", ("_v1_",), r"do[opr]_v1_[0-9a-f]{64}"),
    ("a Docker Hub token", ("dckr_pat_",), r"dckr_pat_[A-Za-z0-9_-]{27}"),
    ("a Shopify token", ("shp",), r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    ("a Slack token", ("xapp-",), r"xapp-\d-[A-Z0-9]+-\d+-[a-z0-9]{32}"),
    ("a Telegram bot token", (":AA",), r"(?<![\d:])\d{8,10}:AA[0-9A-Za-z_-]{33}"),
    ("an Azure shared access key", ("SharedAccessKey=",), r"SharedAccessKey=[A-Za-z0-9+/]{43}="),
    (
        "an AWS secret key",
        ("aws", "AWS", "Aws"),
        r"(?i:aws_?secret_?(?:access_?)?key)[\"']?[ \t]{0,9}[:=][ \t]{0,9}[\"']?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])",
    ),
)
"""What it is, what a text with it contains, and its form."""
_TOKEN = re.compile(rf"{_EDGE}(eyJ[\w-]{{8,1000}})\.(eyJ[\w-]{{8,4000}})\.[\w-]{{40,1000}}(?![\w-])", re.ASCII)
_LIBRARY_KINDS = {
    "AWSKeyDetector": "an AWS key",
    "AzureStorageKeyDetector": "an Azure storage key",
    "BasicAuthDetector": "a password in a URL",
    "GitHubTokenDetector": "a GitHub token",
    "GitLabTokenDetector": "a GitLab token",
    "PrivateKeyDetector": "a private key",
    "PypiTokenDetector": "a PyPI token",
    "SendGridDetector": "a SendGrid API key",
    "SlackDetector": "a Slack token",
    "SquareOAuthDetector": "a Square OAuth secret",
    "StripeDetector": "a Stripe API key",
    "TwilioKeyDetector": "a Twilio key",
}
"""Detectors of the library.  The others take quadratic time, or find ordinary words and numbers."""
_HINT = re.compile(
    r"A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA|(?:aws|AWS|Aws).{0,60}[\"'][0-9A-Za-z/+]{40}|AccountKey=|://[^\s/:@]+:[^\s/@]+@"
    r"|gh[pousr]_|gl(?:pat|dt|ft|soat|rt)-|GR1348941|PRIVATE KEY|pypi-|SG\.|xox[a-z]-"
    r"|hooks\.slack\.com|sq0csp-|[rs]k_live_|(?:AC|SK)[a-z0-9]{32}"
)
"""What a text needs for the library to find something in it: loading it takes 0.2 seconds."""
_ANCHORS = (
    *("A3T", "ABIA", "ACCA", "AKIA", "ASIA", "aws", "AWS", "Aws", "AccountKey=", "://", "gh", "gl", "GR1348941"),
    *("PRIVATE KEY", "pypi-", "SG.", "xox", "hooks.slack", "sq0csp-", "k_live_", "AC", "SK"),
)
"""What :data:`_HINT` needs; looking for words takes next to no time."""
_PLACEHOLDER = re.compile(r"x{6}|example|placeholder|your|change[_-]?me|redacted", re.IGNORECASE)
_PUBLIC = ("Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq",)
"""Keys that everybody has: that of Azure's emulator."""
_SAMPLE_TOKEN = re.compile(r"1234567890|john ?doe|jane ?doe|example", re.IGNORECASE)
_WORDS = re.compile(
    r"super|very|strong|secure|local(?:host)?|my(?:sql)?|the|some|new|old|sql|root|admin|user(?:name)?|guest|app|api"
    r"|service|pass(?:word|wd|phrase)?|pwd|secret|key|token|test(?:ing)?|dev(?:elopment)?|demo|sample|fake|dummy"
    r"|default|change|this|it|me|in|prod(?:uction)?|postgres(?:ql)?|maria|mongo(?:db)?|redis|rabbit(?:mq)?|minio|blog"
    r"|shop|web|docker|letmein|hunter|qwerty|abc|db|s3cr3t|[Pp][4a@]ssw[0o]rd|[\W\d_]",
    re.IGNORECASE,
)
"""What passwords for development consist of."""
_HOST = re.compile(r"[\w.-]{0,255}")
_LOCAL = ("localhost", "127.", "0.0.0.0")  # noqa: S104  # nothing listens there
_LOCAL_ENDS = (".test", ".invalid", ".local", ".localhost", ".localdomain")
_MIN_PASSWORD = 8
_ROOM = 400
"""How many characters behind a match are looked at."""


class Secret(NamedTuple):
    """Where a secret is, and what it is; never the secret itself."""

    line: int
    kind: str

    def __str__(self) -> str:
        return f"line {self.line} holds {self.kind}"


def find_secret(text: str) -> Secret | None:
    """Return the first secret of *text*; None if it holds none."""
    start, kind = min(_found(text), default=(-1, ""))
    return Secret(text.count("\n", 0, start) + 1, kind) if kind else None


def _found(text: str) -> Iterator[tuple[int, str]]:
    """Yield the places and kinds of secrets."""
    for kind, anchors, form in _OWN:
        if any(anchor in text for anchor in anchors):
            matches = re.finditer(form, text, re.ASCII)
            yield from ((match.start(), kind) for match in matches if not _is_harmless(match[0]))
    if "eyJ" in text:
        yield from ((match.start(), "a JSON web token") for match in _TOKEN.finditer(text) if _is_signed(match))
    if not (any(anchor in text for anchor in _ANCHORS) and _HINT.search(text)):
        return
    for name, kind, pattern in _library():
        for match in pattern.finditer(text):
            if name == "PrivateKeyDetector":
                real = _has_key(text[match.end() : match.end() + _ROOM])
            elif name == "BasicAuthDetector":
                real = _is_real_password(match[0], text[match.end() : match.end() + _ROOM])
            else:
                real = not _is_harmless(match[0])
            if real:
                yield match.start(), kind


@cache
def _library() -> Sequence[tuple[str, str, re.Pattern[str]]]:
    from detect_secrets.plugins import (
        aws,
        azure_storage_key,
        basic_auth,
        github_token,
        gitlab_token,
        private_key,
        pypi_token,
        sendgrid,
        slack,
        square_oauth,
        stripe,
        twilio,
    )

    modules = (
        *(aws, azure_storage_key, basic_auth, github_token, gitlab_token, private_key, pypi_token, sendgrid, slack),
        *(square_oauth, stripe, twilio),
    )
    detectors = ((name, getattr(module, name)) for module in modules for name in vars(module) if name in _LIBRARY_KINDS)
    return tuple((name, _LIBRARY_KINDS[name], pattern) for name, detector in detectors for pattern in detector.denylist)


def _is_harmless(found: str) -> bool:
    return bool(_PLACEHOLDER.search(found)) or any(each in found for each in _PUBLIC)


def _is_signed(match: re.Match[str]) -> bool:
    """Whether *match* is a signed JSON web token, and not the one of everybody's documentation."""
    try:
        head, claims = (urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode() for part in match.groups())
        return bool(json.loads(head).get("alg")) and not _SAMPLE_TOKEN.search(claims)
    except (ValueError, AttributeError, RecursionError):
        return False


def _has_key(after: str) -> bool:
    """Whether a private key follows its first line, and not code or a placeholder."""
    after = after.removeprefix(" BLOCK")
    if not after.startswith("-----"):
        return False
    for row in re.split(r"\n|\\n", after[5:].partition("-----END")[0]):
        line = row.strip(" \t\r\"'`+,;|\\#")
        if line and ": " not in line:
            return bool(re.fullmatch(r"[A-Za-z0-9+/=]{16,}", line)) and not _is_harmless(line)
    return False


def _is_real_password(url: str, after: str) -> bool:
    """Whether a URL's password is one that protects something: not a word, and not of a host for development."""
    user, _, password = url.removeprefix("://").removesuffix("@").partition(":")
    if len(password) < _MIN_PASSWORD or password == user or re.search(r"[{}<>`\\\"]", url) or _is_harmless(url):
        return False
    host = _HOST.match(after)
    name = host[0].rstrip(".").lower() if host else ""
    local = "." not in name or "example" in name or name.startswith(_LOCAL) or name.endswith(_LOCAL_ENDS)
    return not local and bool(re.search(r"\d", password)) and bool(_WORDS.sub("", password))
