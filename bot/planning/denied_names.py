"""Names of files and folders that programs act on by themselves, so that they are never generated.

Whoever checks out, opens or merges a project runs what such a file says: a CI service, git, an editor, a package
manager, an AI agent.  What people run on purpose (``Makefile``, ``Dockerfile``, ``conftest.py``) is not listed.
"""

import fnmatch
import re
import unicodedata
from collections.abc import Mapping, Sequence

ALLOWED_HIDDEN = frozenset((
    *(".gitignore", ".gitkeep", ".keep", ".nojekyll", ".editorconfig", ".yamllint"),
    *(".env.example", ".env.sample", ".env.template", ".env.dist"),
    *(".python-version", ".node-version", ".nvmrc", ".ruby-version", ".java-version", ".go-version", ".swift-version"),
    *(".dockerignore", ".npmignore", ".prettierignore", ".eslintignore", ".stylelintignore", ".helmignore"),
    *(".gcloudignore", ".vercelignore", ".slugignore", ".ebignore"),
))  # fmt: skip
"""Hidden files that no program runs code from."""
ALLOWED_TAILS = (".phasebot/plan.yaml", ".phasebot/spec.md")
"""Phasebot's own files, the only ones in a hidden folder."""

HIDDEN = "is hidden"
_DENIED: Mapping[str, Sequence[str]] = {
    "configures git or GitHub": (
        *(".git*", "codeowners", "action.yml", "action.yaml", "dependabot.y*ml"),
        *("renovate.json*", "mergify.y*ml"),
    ),
    "configures a CI or deployment service": (
        *("jenkinsfile*", "*.jenkinsfile", "azure-pipeline*", "azure-ci.y*ml", "vsts-ci.y*ml", "bitbucket-pipelines*"),
        *("*appveyor.y*ml", "*gitlab-ci*.y*ml", "circle.y*ml", "*cloudbuild*.y*ml", "*cloudbuild*.json"),
        *("buildspec*.y*ml", "appspec.y*ml", "amplify.y*ml", "codeship-*.y*ml", "codefresh*.y*ml", "codemagic.y*ml"),
        *("bitrise.y*ml", "buddy.y*ml", "wercker.y*ml", "shippable*.y*ml", "screwdriver.y*ml", "semaphore.y*ml"),
        *("drone.y*ml", "woodpecker.y*ml", "travis.y*ml", "cirrus.y*ml", "cirrus.star", "concourse.y*ml"),
        *("netlify.toml", "vercel.json", "now.json", "render.y*ml", "heroku.y*ml", "buildkite.y*ml", "rocro.y*ml"),
        *(".buildkite", ".circleci", ".cirrus*", ".drone*", ".forgejo", ".gitea", ".travis.yml", ".woodpecker*"),
        *(".semaphore*", ".teamcity", ".azure*", ".buildspec*", ".build.yml", ".builds", ".tekton", ".harness"),
        *(".scrutinizer.yml", ".appveyor.yml", ".netlify", ".vercel", ".do", ".ebextensions", ".platform*"),
    ),
    "instructs an AI agent": (
        *("claude*.md", "agents*.md", "gemini.md", "gemini.*.md", "qwen.md", "codex.md", "crush.md", "warp.md"),
        *("skill.md", "copilot-instructions*.md", "*.instructions.md", "*.prompt.md", "*.chatmode.md", "*.agent.md"),
        *("*.mdc", "*mcp.json", "mcp_config.json", "mcp-config.json", "opencode.json*", "cursorrules", "replit.md"),
        *("crush.json", "jules.md", "claude_desktop_config.json", "conductor.json"),
        *(".agent*", ".aider*", ".aiexclude", ".amazonq", ".amp*", ".augment*", ".claude*", ".cline*", ".codeium*"),
        *(".codex*", ".continue*", ".copilot*", ".crush*", ".cursor*", ".factory", ".gemini*", ".goose*", ".junie"),
        *(".kilocode*", ".kiro*", ".mcp.json", ".opencode*", ".qodo*", ".qwen*", ".roo*", ".rules", ".tabnine*"),
        *(".trae*", ".warp*", ".windsurf*", ".zencoder", ".devin*"),
    ),
    "runs programs when people commit": (
        *("lefthook*.y*ml", "lefthook*.toml", "lefthook*.json", "pre-commit-config.y*ml", "captainhook.json"),
        *("grumphp.y*ml", "prek.toml", "hk.pkl", "husky.config.*", "simple-git-hooks.*", "lint-staged.config.*"),
        *("commitlint.config.*",),
        *(".husky*", ".pre-commit*", ".lefthook*", ".overcommit*", ".simple-git-hooks*", ".lintstagedrc*"),
        *(".commitlintrc*",),
    ),
    "configures an editor or a shell": (
        *("*.code-workspace", "*.sublime-project", "*.sublime-workspace", "*.iml", "devcontainer.json", "devfile.y*ml"),
        *("mise.toml", "mise.*.toml", "rtx.toml", "devbox.json", "_vimrc", "_gvimrc", "_exrc", "desktop.ini"),
        *("autorun.inf", "*.lnk", "*.url", "*.scf", "*.library-ms"),
        *(".vscode*", ".idea", ".vs", ".fleet", ".zed", ".nova", ".helix", ".devcontainer*", ".gitpod*", ".replit*"),
        *(".theia", ".settings", ".vim*", ".nvim*", ".exrc", ".lvimrc", ".dir-locals*", ".projectile", ".envrc"),
        *(".bash*", ".zsh*", ".profile", ".inputrc", ".tmux*", ".mise*", ".tool-versions", ".autoenv*", ".direnv"),
    ),
    "changes what Python or a package manager loads": (
        *("*.pth", "*.egg-link", "sitecustomize*", "usercustomize*", "pyvenv.cfg", "pip.conf", "pip.ini", "uv.toml"),
        *("poetry.toml", "pdm.toml", "condarc", "pydistutils.cfg", "pnpmfile.*", "yarnrc*", "yarn.config.cjs"),
        *("bunfig.toml", "nuget.config", "npmrc", ".wgetrc"),
        *(".npmrc", ".yarn*", ".pnpm*", ".bunfig*", ".pypirc", ".pip", ".pydistutils*", ".condarc", ".netrc"),
        *(
            ".cargo",
            ".mvn",
            ".gradle",
            ".bundle",
            ".gemrc",
            ".sbtopts",
            ".nuget",
            ".venv",
            ".pdm*",
            ".curlrc",
            ".wgetrc",
        ),
    ),
}
"""What a file does → patterns of its name or of a folder it is in, lower-case."""
_KINDS = tuple((re.compile("|".join(map(fnmatch.translate, patterns))), what) for what, patterns in _DENIED.items())
_MARKS = re.compile("[\u0300-\u036f]")


def fold(text: str) -> str:
    """Return *text* as the most lenient file system compares names: without case, width and dots of a letter."""
    plain = unicodedata.normalize("NFKC", text).casefold().upper().casefold()
    return _MARKS.sub("", unicodedata.normalize("NFKD", plain))


def what_it_does(parts: Sequence[str]) -> str | None:
    """Return what the file with the folded *parts* of a path does by itself; None if nothing."""
    if "/".join(parts[-2:]) in ALLOWED_TAILS:
        parts = parts[:-2]
    elif parts[-1] in ALLOWED_HIDDEN:
        parts = parts[:-1]
    for part in parts:
        for pattern, what in _KINDS:
            if pattern.match(part):
                return what
    return HIDDEN if any(part.startswith(".") for part in parts) else None
