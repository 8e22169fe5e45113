"""What a plan lists: entities with their fields, and the items of other collections, such as features.

Keys that plans of earlier releases don't have are left out of a dump where they are unused, so that digests stay.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, model_serializer, model_validator
from pydantic import Field as Setting

from bot.planning import names
from bot.planning.field_defaults import Default, parse_default
from bot.planning.plurals import plural, singular
from bot.text import CONTROL

Scalar = Literal[
    "string", "text", "integer", "float", "decimal", "boolean", "date", "datetime", "uuid", "email", "url", "json",
    "time", "bytes", "password",
]  # fmt: skip
FieldType = Literal[Scalar, "enum", "relation"]
SCALARS: tuple[str, ...] = get_args(Scalar)
TEXTS = ("string", "text", "password")
"""Types whose limits are numbers of characters."""
NUMBERS = ("integer", "float", "decimal")
"""Types whose limits are values."""

ME = "me"
"""The default of a relation to whoever calls."""
VERBS = ("read", "create", "update", "delete")
"""What `access` is about."""


def clean(text: str) -> str:
    """Return *text* if it holds no control character.  Raises ValueError."""
    if bad := CONTROL.search(text):
        raise ValueError(f"it holds the character U+{ord(bad[0]):04X}; remove it")
    return text


def _one_line(text: str) -> str:
    line = " ".join(clean(text).split())
    if not line:
        raise ValueError("it is empty; write at least one word")
    return line


Line = Annotated[str, AfterValidator(_one_line)]
Prose = Annotated[str, AfterValidator(lambda text: clean(text).strip())]


class Frozen(BaseModel):
    """A value of the plan."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)
    later: ClassVar[frozenset[str]] = frozenset()
    """Keys that plans of earlier releases don't have."""

    @model_serializer(mode="wrap")
    def _leave_out_unused(self, dump: Callable[[Self], dict[str, Any]]) -> dict[str, Any]:
        return {key: value for key, value in dump(self).items() if value or key not in self.later}


class Field(Frozen):
    """One field of an entity: a column, a relation to another entity, or to many of them."""

    later = frozenset(
        ("minimum", "maximum", "digits", "places", "pattern", "secret", "auto", "doc", "was", "on_delete", "many")
    )

    name: str
    type: FieldType
    unique: bool = False
    index: bool = False
    optional: bool = False
    default: str | None = None
    """The default as written in the grammar (``false``, ``9.99``, ``now``), without quotes."""
    choices: tuple[str, ...] = ()
    target: str | None = None
    minimum: str | None = None
    """The least value of a number, the least length of a text, as written."""
    maximum: str | None = None
    digits: int | None = None
    """How many digits a decimal has in all."""
    places: int | None = None
    """How many of them are behind the point."""
    pattern: str | None = None
    """A regular expression that the whole text has to match."""
    secret: bool = False
    """Whether it is stored as it is, but never shown."""
    auto: Literal["create", "update", "delete"] | None = None
    """Whether the server sets it: when a row is created, whenever it changes, or when it is deleted.

    A row with a field of the last kind is only marked as deleted, and stays.
    """
    doc: str = ""
    was: str | None = None
    """The name that the field had before."""
    on_delete: Literal["cascade", "set null"] | None = None
    """What happens when the row it refers to is deleted; None: that is refused."""
    many: bool = False
    """Whether a relation is to any number of rows."""

    @property
    def is_relation(self) -> bool:
        return self.type == "relation"

    @property
    def is_password(self) -> bool:
        """Whether only a hash is stored."""
        return self.type == "password" or (self.name == "password" and self.type in ("string", "text"))

    @property
    def column(self) -> str:
        """The name of the database column and in JSON; that of a relation ends in ``_id``, of a many ``_ids``."""
        if not self.is_relation:
            return self.name
        return f"{singular(self.name)}_ids" if self.many else f"{self.name}_id"

    @property
    def has_default(self) -> bool:
        return self.default is not None

    @property
    def default_value(self) -> Default:
        """The default as a Python value of the field's type; ``now`` and ``today`` stay strings; so does ``me``."""
        if self.default is None or self.is_relation:
            return self.default
        return parse_default(self.type, self.default, self.choices)


class Entity(Frozen):
    """One kind of record in the project, with its fields in order."""

    later = frozenset(("unique", "index", "plural", "table", "access", "rules"))

    name: str
    fields: tuple[Field, ...]
    unique: tuple[tuple[str, ...], ...] | None = None
    """Fields that are unique together; for a link of two entities, the pair, unless something else is said."""
    index: tuple[tuple[str, ...], ...] = ()
    """Fields that are indexed together."""
    plural_name: str | None = Setting(default=None, alias="plural")
    table_name: str | None = Setting(default=None, alias="table")
    access: Mapping[str, tuple[str, ...]] = {}
    """Verb → who may do it: ``anyone``, ``user``, ``owner``, or a role."""
    rules: tuple[Line, ...] = ()

    @model_validator(mode="after")
    def _add_implied_unique(self) -> Self:
        if self.unique is None:
            object.__setattr__(self, "unique", self.implied_unique)
        return self

    @property
    def implied_unique(self) -> tuple[tuple[str, ...], ...]:
        """What is unique if nothing is said: the pair of two required relations that are the whole entity."""
        plain = [field.name for field in self.fields if field.is_relation and not (field.optional or field.unique)]
        is_link = len(self.fields) == 2 and len(plain) == 2 and not any(field.many for field in self.fields)  # noqa: PLR2004
        return (tuple(plain),) if is_link else ()

    @property
    def module(self) -> str:
        return names.module_name(self.name)

    @property
    def plural(self) -> str:
        return self.plural_name or plural(names.snake_case(self.name))

    @property
    def table(self) -> str:
        return self.table_name or self.plural

    def content(self, *, defaults: bool = False) -> dict[str, Any]:
        """Return the entity for a digest: an implied pair is left out, because earlier releases did not write it."""
        content = self.model_dump(mode="json", by_alias=True, exclude_defaults=not defaults)
        if self.unique == self.implied_unique:
            content.pop("unique", None)
        else:
            content["unique"] = [list(group) for group in self.unique or ()]
        return content


class Item(Frozen):
    """One item of a collection other than entities, such as a feature."""

    name: str
    does: Prose = ""
    """What it does, in a sentence or a few."""
    uses: tuple[str, ...] = ()
    """Entities and items that it needs."""
    rules: tuple[Line, ...] = ()
    files: tuple[str, ...] = ()
    """Its own files, where the recipe leaves them to the plan."""

    @property
    def module(self) -> str:
        return names.module_name(self.name)

    @property
    def plural(self) -> str:
        return plural(names.snake_case(self.name))

    def content(self) -> dict[str, Any]:
        """Return the item for a digest."""
        return self.model_dump(mode="json", exclude_defaults=True)
