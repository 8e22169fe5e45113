"""The languages that a recipe can name for its files, so that their syntax can be checked.  Pure."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

ENDINGS: Mapping[str, str] = {"json": ".json", "python": ".py", "toml": ".toml", "yaml": ".yaml"}
"""Languages with a parser that every installation has → how the names of their files end."""

_GRAMMARS = """
actionscript ada agda apex arduino asm astro bash beancount bibtex bicep bitbake bsl c cairo capnp chatito clarity
clojure cmake cobol commonlisp cpon cpp csharp css csv cuda d dart dockerfile dtd elisp elixir elm embeddedtemplate
erlang fennel firrtl fish fortran fsharp func gdscript gitattributes gitignore gleam glsl gn go gomod gosum graphql
groovy hack hare haskell haxe hcl heex hlsl html hyprlang ini ispc janet java javascript jsonnet julia kconfig kdl
kotlin latex linkerscript llvm lua luau magik make markdown matlab mermaid meson netlinx nim ninja nix nqc objc ocaml
ocaml_interface odin org pascal pem perl pgn php po pony powershell prisma properties proto puppet purescript qmldir
qmljs r racket rego requirements ron rst ruby rust scala scheme scss smali smithy solidity sparql sql squirrel starlark
svelte swift tablegen tcl terraform thrift tsv tsx twig typescript typst udev uxntal v verilog vhdl vim vue wast wat
wgsl xcompose xml yuck zig
"""
GRAMMARS = frozenset(_GRAMMARS.split())
"""Languages that a grammar of tree-sitter-language-pack parses; markdown, for one, has no wrong syntax."""

_COMMON = (
    "javascript",
    "typescript",
    "tsx",
    "html",
    "css",
    "sql",
    "go",
    "rust",
    "java",
    "bash",
    "json",
    "yaml",
    "toml",
)
LANGUAGES = tuple(dict.fromkeys((*_COMMON, *sorted({*ENDINGS, *GRAMMARS}))))
"""All of them, the most common first."""

_GLOB = frozenset("*?[")


def language_of(path: str, patterns: Mapping[str, str]) -> str | None:
    """Return the language of the project's file *path*: of the first pattern that it matches; None if there is none.

    A pattern with ``*``, ``?`` or ``[`` can match across folders; one without them is a path.
    """
    for pattern, language in patterns.items():
        if fnmatchcase(path, pattern) if _GLOB & set(pattern) else path == pattern:
            return language
    return None
