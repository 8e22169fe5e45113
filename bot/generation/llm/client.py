"""What is asked of a model, and what it answers: values only, and the protocol of who carries them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.generation.provider import Tokens


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One request to a model, whichever model it is."""

    system: str
    """What holds for every question of a run; together with the first parts the prefix that services cache."""
    parts: Sequence[str]
    """Texts of one turn, from what changes least to what changes most."""
    schema: Mapping[str, Any] | None
    """JSON schema of the answer; None where the service refused it."""
    form: str
    """The same in words, for when there is no schema."""

    @property
    def size(self) -> int:
        """Characters, the schema left out."""
        return len(self.system) + sum(map(len, self.parts))


@dataclass(frozen=True, slots=True)
class ModelResponse:
    """What a model answered, unjudged."""

    text: str
    tokens: Tokens
    cut: bool = False
    """Whether the model stopped because the answer was getting too long."""


class ModelClient(Protocol):
    """A service that answers questions.  Retries nothing."""

    async def ask(self, name: str, question: ModelRequest) -> ModelResponse:
        """Ask the model *name* once.

        Raises:
            ModelError: There is no answer, for one of the reasons in
                :class:`bot.generation.llm.retry_policy.FailureKind`, the deadline excepted.
        """
