"""Reword messages of the command line for comments, where people write commands and set the action's inputs.

Pure.  A message says what to do in one place; this is the one place that says it for the other.
"""

import re
from collections.abc import Mapping

_REWORDED: Mapping[str, str] = {
    r"run generate again with (--max-tokens \d+)": r"comment /generate \1",
    r"raise --max-tokens and try again": "comment /generate with a higher --max-tokens",
    r", and if it fails again, check the repository with 'git fsck'": "",
    r"run generate again with another --model": "set another model in the action's inputs, then comment {command}",
    r"run generate again": "comment {command} again",
    r"run again\b": "comment {command} again",
    r"\brun generate\b": "comment /generate",
    r"'phasebot generate SPEC(?: --repo [^']*)?'": "/generate on the issue that describes the project",
    r"'phasebot status'": "/status",
    r"'phasebot fix'": "/fix",
    r"; 'phasebot verify' runs the tests to find some": "",
    r"with GEMINI_API_KEY set, a model": "with the action's input gemini-api-key, a model",
    r"set GEMINI_API_KEY, or mend": "set the action's input gemini-api-key, or mend",
    r",? or use another --model": ", or set another model in the action's inputs",
    r"use another --model": "set another model in the action's inputs",
    r"use a faster --model": "set a faster model in the action's inputs",
    r"correct --model": "correct the model in the action's inputs",
    r"lower --jobs": "lower jobs in the action's inputs",
    r"set GEMINI_API_KEY or use --provider gemini": "set the action's input gemini-api-key so that a model does it",
    r"set GEMINI_API_KEY to": "set the action's input gemini-api-key to",
    r"set the environment variable GEMINI_API_KEY \(in the action: the input gemini-api-key\)": (
        "set the action's input gemini-api-key"
    ),
    r"; --discard-edits removes it, too": "",
    r"(?:, or use|; try) --no-push": "",
    r"; --no-push goes on without it": "",
    r"'phasebot regenerate ([^'\n]+) --run [^\s']+( --discard-edits)?'": r"/regenerate \1\2",
    r"name it with --base": "name it in the action's input base-branch",
    r"leave out --base": "correct the action's input base-branch",
    r"[,;] (?:or )?leave out --push(?: and --remote)?": "",
    r"; if you trust that folder, name it yourself with --recipe \S+": (
        "; only the action's input recipe can name one elsewhere"
    ),
    r"because --(recipe|output-dir) is": r"because the action's input \1 is",
    r"remove it with 'git update-ref [^']*', and report this": "report this",
    r"get write permission for it, or work in a clone of your own": "give the job's user permission to write to it",
}
"""Pattern → what a comment says instead; ``{command}`` stands for the comment to write."""


def for_comment(message: str, command: str = "/generate") -> str:
    """Return *message* with remedies that help in a comment; *command* is the comment that tries again or continues."""
    plain = command.partition("\n")[0].partition(" -- ")[0] or "/generate"
    for pattern, replacement in _REWORDED.items():
        template = replacement.replace("{command}", plain.replace("\\", r"\\"))
        message = re.sub(pattern, template, message)
    return message
