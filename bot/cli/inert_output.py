"""JSON and YAML for a job of GitHub Actions: the same content, in which the runner finds no command.

A program may read what a command prints, so that the bar of :func:`bot.forge.workflow_commands.neutralise` would be in
its way.  Both languages can escape the characters instead.
"""

import json

from bot.forge.workflow_commands import has_command


def inert_json(text: str, *, in_job: bool) -> str:
    """Return the JSON *text*, which in a job holds no command."""
    if not (in_job and _is_active(text)):
        return text
    return json.dumps(json.loads(text), indent=2).replace("##[", r"#\u0023[")


def inert_yaml(text: str, *, in_job: bool) -> str:
    """Return the YAML *text*, which in a job holds no command: then every value is quoted and on one line."""
    if not (in_job and _is_active(text)):
        return text
    import yaml

    quoted = yaml.safe_dump(yaml.safe_load(text), default_style='"', width=float("inf"), sort_keys=False)
    return quoted.replace("##[", r"#\x23[")


def _is_active(text: str) -> bool:
    return any(map(has_command, text.splitlines()))
