"""What tokens cost: an estimate by the dated price table of the package ``genai-prices``, offline.

Only an estimate: caches, tiers and free quota are unknown here, and all tokens are priced as of the given day.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple


class Estimate(NamedTuple):
    """What a run has cost, more or less."""

    dollars: Decimal
    unpriced: tuple[str, ...]
    """Models that the table does not know; their tokens are not in the sum."""

    def __str__(self) -> str:
        """Write it for people: ``about $0.0123 (estimate)``."""
        more = f", without {', '.join(self.unpriced)}" if self.unpriced else ""
        return f"about ${self.dollars:.{2 if self.dollars >= 1 else 4}f} (estimate{more})"


def estimate(models: Mapping[str, tuple[int, int]], day: datetime) -> Estimate:
    """Price tokens in and out by model, as of *day*."""
    from genai_prices import Usage, calc_price

    dollars, unpriced = Decimal(0), []
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
            dollars += price.total_price
    return Estimate(dollars, tuple(unpriced))
