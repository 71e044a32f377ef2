"""Costs as two integers, which SQL sums exactly; SQLite has no decimal numbers.

"0.000026" is 26 millionths and a rest of 0; the rest counts units of 10^-15. A price has at most nine decimal
places and is per million tokens, so that nothing is rounded.
"""

from __future__ import annotations

from decimal import Decimal

PLACES = 15
_REST_UNITS = 10**9
"""Units of the rest in a millionth."""


def cost_parts(cost: Decimal | None) -> tuple[int | None, int | None]:
    """Millionths and rest; None if the cost is unknown."""
    if cost is None:
        return None, None
    return divmod(int(cost.scaleb(PLACES).to_integral_value()), _REST_UNITS)


def cost_of(millionths: int, rest: int) -> Decimal:
    """The sum of costs, from the sums of their parts."""
    return Decimal(millionths * _REST_UNITS + rest).scaleb(-PLACES)


def cost_text(cost: Decimal) -> str:
    """Without an exponent and without zeros at the end, such as "0.1"."""
    return f"{cost:f}".rstrip("0").rstrip(".") if "." in f"{cost:f}" else f"{cost:f}"
