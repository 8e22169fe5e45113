"""Estimate the cost of tokens from the price table of the package ``genai-prices``, offline.

The estimate ignores caches, tiers and free quota, and uses the prices of a single day.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from bot.history.run_state import UNKNOWN_MODEL


class Estimate(NamedTuple):
    """The estimated cost of a run."""

    dollars: Decimal | None
    """None if no model has a known price."""
    unpriced: tuple[str, ...]
    """Models without a known price; their tokens are not included."""

    def __str__(self) -> str:
        """Format the estimate: ``about $0.0123 (estimate)``; empty if nothing is known."""
        if self.dollars is None:
            return ""
        names = ["a model that is not recorded" if each == UNKNOWN_MODEL else each for each in self.unpriced]
        more = f", without {', '.join(names)}" if names else ""
        return f"about ${self.dollars:.{2 if self.dollars >= 1 else 4}f} (estimate{more})"


def estimate(models: Mapping[str, tuple[int, int]], day: datetime) -> Estimate:
    """Estimate the cost of each model's (input, output) tokens at the prices of *day*."""
    from genai_prices import Usage, calc_price

    dollars: Decimal | None = None
    unpriced = []
    for model, (read, written) in models.items():
        try:
            price = calc_price(
                Usage(input_tokens=read, output_tokens=written),
                model,
                provider_id="google",
                genai_request_timestamp=day,
            )
        except LookupError:
            unpriced.append(model)
        else:
            dollars = (dollars or Decimal(0)) + price.total_price
    return Estimate(dollars, tuple(unpriced))
