"""English plurals, and back.  They become tables and paths, so the rules stay as they are: ``plural:`` overrules them.

The rules are ours because a new release of a library could rename people's tables.
"""

import re

_IRREGULAR = {
    "person": "people", "child": "children", "man": "men", "woman": "women", "foot": "feet", "tooth": "teeth",
    "goose": "geese", "mouse": "mice", "ox": "oxen", "leaf": "leaves", "life": "lives", "knife": "knives",
    "wife": "wives", "half": "halves", "shelf": "shelves", "self": "selves", "loaf": "loaves", "thief": "thieves",
    "wolf": "wolves", "calf": "calves", "hero": "heroes", "potato": "potatoes", "tomato": "tomatoes",
    "echo": "echoes", "veto": "vetoes", "torpedo": "torpedoes", "datum": "data", "medium": "media",
    "criterion": "criteria", "phenomenon": "phenomena", "analysis": "analyses", "basis": "bases", "axis": "axes",
    "crisis": "crises", "diagnosis": "diagnoses", "hypothesis": "hypotheses", "thesis": "theses", "oasis": "oases",
    "parenthesis": "parentheses", "synopsis": "synopses", "ellipsis": "ellipses", "emphasis": "emphases",
    "synthesis": "syntheses", "matrix": "matrices", "vertex": "vertices", "index": "indexes", "quiz": "quizzes",
    "alumnus": "alumni", "cactus": "cacti", "stimulus": "stimuli", "nucleus": "nuclei", "fungus": "fungi",
    "passerby": "passersby", "gas": "gases", "bus": "buses", "yes": "yeses",
}  # fmt: skip
_UNCOUNTABLE = frozenset((
    "advice", "aircraft", "analytics", "anime", "audio", "baggage", "bedding", "bison", "cash", "chess", "clothing",
    "content", "data", "deer", "equipment", "evidence", "feedback", "fish", "furniture", "gold", "hardware", "homework",
    "housework", "information", "inventory", "jewelry", "knowledge", "laundry", "luggage", "machinery", "mail",
    "mathematics", "media", "metadata", "moose", "money", "music", "news", "physics", "police", "politics", "rice",
    "salmon", "series", "sheep", "shrimp", "software", "spacecraft", "species", "staff", "stuff", "traffic", "trout",
    "weather", "wheat", "wildlife",
))  # fmt: skip
_SINGULAR_IN_S = re.compile(
    r"(?:ss|us|is|x|z|ch|sh|^(?:alias|atlas|bias|canvas|christmas|cosmos|chaos|ethos|gas|iris|lens|pancreas|pajamas|texas))$"
)
_PLURAL_IN_US = ("menus", "gurus", "emus", "tofus", "flus", "cpus", "gpus", "skus", "ius", "thus")
_PLURALS = {plural: word for word, plural in _IRREGULAR.items()}
_SINGULAR_IN_IE = frozenset((
    "brownie", "calorie", "collie", "cookie", "die", "genie", "lie", "movie", "pie", "prairie", "rookie", "selfie",
    "smoothie", "tie", "zombie",
))  # fmt: skip
_ENDINGS = (
    (re.compile(r"[^aeiou]uses$"), -2), (re.compile(r"(?:ss|sh|ch|x|alias|atlas|bias|canvas|lens)es$"), -2),
)  # fmt: skip


def plural(word: str) -> str:
    """Return the English plural of a snake_case *word*, whose last part counts; a plural stays as it is."""
    head, _, last = word.rpartition("_")
    return f"{head}_{_plural(last)}" if head else _plural(last)


def _plural(word: str) -> str:
    if word in _UNCOUNTABLE or word in _PLURALS:
        return word
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if is_plural(word):
        return word
    if re.search(r"(?:s|x|z|ch|sh)$", word):
        return word + "es"
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    return word + "s"


def is_plural(word: str) -> bool:
    """Whether a lower-case *word* is a plural in ``s`` already: ``users``, ``details``, ``preferences``."""
    return word.endswith("s") and len(word) > 3 and (word in _PLURAL_IN_US or not _SINGULAR_IN_S.search(word))  # noqa: PLR2004


def singular(word: str) -> str:
    """Return the singular of a snake_case *word*, whose last part counts; a singular stays as it is."""
    head, _, last = word.rpartition("_")
    return f"{head}_{_singular(last)}" if head else _singular(last)


def _singular(word: str) -> str:
    if word in _UNCOUNTABLE or word in _IRREGULAR:
        return word
    if word in _PLURALS:
        return _PLURALS[word]
    if word.endswith("ies") and word[:-1] not in _SINGULAR_IN_IE and len(word) > 4:  # noqa: PLR2004  # ties, pies
        return word[:-3] + "y"
    for ending, letters in _ENDINGS:
        if ending.search(word):
            return word[:letters]
    return word[:-1] if is_plural(word) else word
