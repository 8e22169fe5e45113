"""Secrets are found in every form that is known, placeholders are not, and no text takes long."""

import base64
import json
import subprocess
import sys
import time

import pytest

from bot.generation.templates import render_phase
from bot.planning.resolved_plan import resolve_exact_spec
from bot.secret_scan import Secret, find_secret
from tests.repositories import DATA
from tests.unit.values import BLOG

_A, _N, _HEX = "Zq7Rk2mVx9Tb4Lw8Hs3Nd6Jf1Gc5Py0Ua" * 3, "8391746250" * 3, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b" * 3
_MATERIAL = "MIIEpAIBAAKCAQEA3Tz2mr7SZiAMfQyuvBjM9Oi"


def _jwt(claims: dict[str, object]) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    head = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{head}.{_A[:43]}"


SECRETS = {  # assembled, so that no scanner takes this file for one that holds them
    "a Google API key": ["AIza" + _A[:35], "AIza" + "A" * 35, "AIzaSy" + _HEX[:33], "AQ." + "Ab8RN6" + _A[:44]],
    "a Google OAuth secret": ["GOCSPX-" + _A[:28], "ya29." + _A[:60]],
    "an AWS key": ["AKIA" + "QWERTZ7UIOPASDF2", "ASIA" + "0123456789ABCDEF", f"aws_token = '{_A[:40]}'"],
    "an AWS secret key": [f"AWS_SECRET_ACCESS_KEY={_A[:40]}", f"aws_secret_access_key: {_A[:40]}"],
    "an Azure storage key": ["AccountKey=" + _A[:86] + "=="],
    "an Azure shared access key": ["SharedAccessKey=" + _A[:43] + "="],
    "a GitHub token": ["ghp_" + _A[:36], "ghs_" + _A[:36], "gho_" + _A[:36], "github_pat_" + _A[:22] + "_" + _A[:59]],
    "a GitLab token": ["glpat-" + _A[:20], "glrt-" + _A[:20]],
    "a Slack token": [
        f"xoxb-{_N[:12]}-{_N[:13]}-{_A[:24]}",
        "https://hooks.slack.com/services/T" + _A[:8] + "/B" + _A[:8] + "/" + _A[:24],
        "xapp-1-A0" + _N[:9] + "-" + _N[:13] + "-" + _HEX[:64],
    ],
    "a Stripe API key": ["sk_live_" + _A[:24], "rk_live_" + _A[:24]],
    "a JSON web token": [_jwt({"sub": "42", "exp": 1})],
    "an npm token": ["npm_" + _A[:36], "//registry.npmjs.org/:_authToken=npm_" + _A[:36]],
    "a PyPI token": ["pypi-AgEIcHlwaS5vcmc" + _A[:80]],
    "a SendGrid API key": ["SG." + _A[:22] + "." + _A[:43]],
    "a Twilio key": ["SK" + _HEX[:32]],
    "a Square OAuth secret": ["sq0csp-" + _A[:43]],
    "a Telegram bot token": ["123456789:AA" + _A[:33]],
    "an OpenAI API key": ["sk-" + _A[:48], "sk-proj-" + _A[:60], "sk-" + _A[:20] + "T3BlbkFJ" + _A[:20]],
    "an Anthropic API key": ["sk-ant-api03-" + _A[:80]],
    "a Hugging Face token": ["hf_" + _A[:34]],
    "a DigitalOcean token": ["dop_v1_" + _HEX[:64]],
    "a Docker Hub token": ["dckr_pat_" + _A[:27]],
    "a Shopify token": ["shpat_" + _HEX[:32]],
    "a password in a URL": [
        "postgresql://app:Zq7Rk2mVx9@db.acme.io/app",
        "https://deploy:8c1f0e77aa@git.acme.com/x.git",
        "redis://default:hTq39sLw82@cache-12.eu.redislabs.com:6379",
    ],
    "a private key": [
        f"-----BEGIN {kind}PRIVATE KEY-----\n{_MATERIAL}\n-----END {kind}PRIVATE KEY-----"
        for kind in ("", "RSA ", "EC ", "DSA ", "OPENSSH ")
    ]
    + [
        f'KEY = "-----BEGIN PRIVATE KEY-----\\n{_MATERIAL}\\n-----END PRIVATE KEY-----"',
        f"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n{_MATERIAL}\n",
        f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{_MATERIAL}\n",
        f"key: |\n  -----BEGIN PRIVATE KEY-----\n  {_MATERIAL}\n",
    ],
}
_CASES = [(kind, secret) for kind, secrets in SECRETS.items() for secret in secrets]


@pytest.mark.parametrize(("kind", "secret"), _CASES)
@pytest.mark.parametrize("around", ["{}", "KEY={}\n", 'key = "{}"\n', '{{"key": "{}"}}', "- token: '{}' # x", "x\\n{}"])
def test_a_secret_is_found_with_its_line_and_kind(kind: str, secret: str, around: str) -> None:
    found = find_secret("# x\n\n" + around.format(secret))

    assert found is not None
    assert found.kind == kind
    assert found.line == 3 + secret[: secret.find("BEGIN")].count("\n") * (kind == "a private key")
    assert str(found) == f"line {found.line} holds {kind}"


def test_the_first_of_many_secrets_is_named() -> None:
    secrets = [secret for _, secret in _CASES]

    assert find_secret("\n".join(reversed(secrets))) == Secret(2, "a private key")


@pytest.mark.parametrize("name", sorted(path.name for path in (DATA / "hostile" / "no-secrets").iterdir()))
def test_what_projects_ordinarily_hold_is_no_secret(name: str) -> None:
    text = (DATA / "hostile" / "no-secrets" / name).read_text()

    assert [(line, found.kind) for line in text.split("\n") if (found := find_secret(line))] == []
    assert find_secret(text) is None


def test_no_file_of_the_built_in_recipe_holds_a_secret() -> None:
    examples = [path.read_text() for path in (DATA.parents[1] / "bot/recipes/fastapi/examples").glob("*.md")]
    for spec in [BLOG, *examples]:
        planned = resolve_exact_spec(spec, source="the spec", project="x", recipe="fastapi", output_dir=".")
        texts = {path: text for phase in planned.phases[1:] for path, text in render_phase(planned, phase).items()}
        assert len(texts) > 30
        assert {path: found for path, text in texts.items() if (found := find_secret(text))} == {}


def test_no_file_of_this_repository_holds_a_secret() -> None:
    root = DATA.parents[1]
    paths = [root / "README.md", *root.glob("bot/**/*.py"), *root.glob("bot/**/*.j2"), *root.glob(".github/**/*.yml")]

    assert {str(path): found for path in paths if (found := find_secret(path.read_text()))} == {}


def test_the_library_is_loaded_only_when_a_text_looks_like_a_secret() -> None:
    code = (
        "import sys; from bot.secret_scan import find_secret as f; f('x = 1  # see https://example.org/a@b'); "
        "a = 'detect_secrets' in sys.modules; f('ghp_'); print(a, 'detect_secrets' in sys.modules)"
    )

    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False True\n"


_WORST = (
    *("AIza", "AQ.", "eyJ", "//", "://", "://a1:password1@", "aws", "aws key '", "xoxb-1-", "BEGIN PRIVATE KEY", "a"),
    *("ACa", "sk-", "sk-ant-", "pypi-AgEIcHlwaS5vcmc", "xapp-1-", "ghp_", "\n", "aws_secret_access_key", "T3BlbkFJ"),
    *("eyJhYWFh.", "123456789:AA", "-----BEGIN PRIVATE KEY-----\\n", "SG.", "glpat-", "AccountKey=", "passmysql"),
)  # fmt: skip


_SHAPES = ["{}", *(pytest.param(each, marks=pytest.mark.slow) for each in ("xoxb-{}!", "://a:{}", '"{}"', "eyJ{}"))]


@pytest.mark.parametrize("shape", _SHAPES)
@pytest.mark.parametrize("unit", _WORST)
def test_time_grows_with_the_length_of_a_text_and_no_faster(unit: str, shape: str) -> None:
    find_secret("ghp_")  # load the library

    def seconds(size: int) -> float:
        text = shape.format((unit * size)[:size])
        start = time.process_time()
        find_secret(text)
        return time.process_time() - start

    assert any(seconds(120_000) < 3 * max(seconds(60_000), 0.02) for _ in range(5))
