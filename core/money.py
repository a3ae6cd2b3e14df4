"""Exact money: integer minor units of an ISO 4217 currency, shown as decimal strings."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from babel.numbers import get_currency_precision, is_currency, list_currencies

_CURRENCIES = frozenset(list_currencies())
_PRECISION: dict[str, int] = {}
# Above this an amount is a unit error or an attack; Neo4j integers are 64 bit.
MAX_MINOR = 10**15
_MAX_ADJUSTED = 18


def is_currency_code(code: str) -> bool:
    """Whether `code` is an ISO 4217 code in upper case."""
    return code in _CURRENCIES and is_currency(code)


def minor_digits(currency: str) -> int:
    """Digits after the decimal point of `currency` (ISO 4217 as in CLDR): USD 2, JPY 0, KWD 3."""
    digits = _PRECISION.get(currency)
    if digits is None:
        digits = _PRECISION[currency] = get_currency_precision(currency)
    return digits


def to_minor(amount: object, currency: str) -> int | None:
    """`amount` (decimal string, int or Decimal) in minor units, half up; None when it is no usable amount."""
    if isinstance(amount, bool) or not isinstance(amount, (str, int, Decimal)):
        return None
    try:
        value = Decimal(amount.strip()) if isinstance(amount, str) else Decimal(amount)
        # Asked before the exponent is written out: 1e999999999 would fill the memory.
        if not value.is_finite() or value.adjusted() > _MAX_ADJUSTED:
            return None
        minor = int(value.scaleb(minor_digits(currency)).to_integral_value(rounding=ROUND_HALF_UP))
    except (InvalidOperation, ValueError, OverflowError):
        return None
    return minor if abs(minor) <= MAX_MINOR else None


def to_decimal_string(minor: int, currency: str) -> str:
    """`minor` units as a plain decimal string with the currency's digits: 8999 USD is `89.99`."""
    digits = minor_digits(currency)
    sign, whole = ("-", -minor) if minor < 0 else ("", minor)
    if digits == 0:
        return f"{sign}{whole}"
    units, rest = divmod(whole, 10**digits)
    return f"{sign}{units}.{rest:0{digits}d}"
