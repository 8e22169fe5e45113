"""The interface to a language model: request, response and client protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.generation.provider import Tokens


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A request that can be sent to any model."""

    system: str
    """The system prompt, the same for a whole run; services cache it together with the first parts."""
    parts: Sequence[str]
    """The texts of the user turn, those that change least first."""
    schema: Mapping[str, Any] | None
    """JSON schema of the response; None if the service rejected it."""
    form: str
    """The response format in words, used when there is no schema."""

    @property
    def size(self) -> int:
        """Number of characters, without the schema."""
        return len(self.system) + sum(map(len, self.parts))


@dataclass(frozen=True, slots=True)
class ModelResponse:
    """The unchecked response of a model."""

    text: str
    tokens: Tokens
    cut: bool = False
    """Whether the model stopped at its output limit."""


class ModelClient(Protocol):
    """Sends requests to a model service.  It never retries."""

    async def ask(self, model: str, request: ModelRequest) -> ModelResponse:
        """Send *request* to *model* once.

        Raises:
            ModelError: The request failed.  The kind is any :class:`bot.generation.llm.retry_policy.FailureKind`
                except a timeout of the whole request, which the caller handles.
        """
