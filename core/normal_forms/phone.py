"""Phone and WhatsApp numbers: E.164, or `+` and the digits where the number plan does not know them."""

import re
from functools import cache

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, NumberParseException, PhoneMetadata, PhoneNumberFormat

from core.normal_forms.junk import is_same_digit

MIN_DIGITS, MAX_DIGITS = 7, 15
_LABEL = re.compile(r"^(?:whatsapp|tel|phone|sms)\s*:\s*", re.IGNORECASE)
_PLAIN_E164 = re.compile(r"\+([1-9][0-9]{6,14})")
_EXTENSION = re.compile(r"(?:;ext=|\s*(?:ext\.?|extension|x|#)\s*)[0-9]{1,7}$", re.IGNORECASE)
_LONGEST_COUNTRY_CODE = 3


def normal_phone(text: str, region: str) -> str | None:
    """The normal form of a trimmed phone number, None when it is unusable or junk; `region` reads national numbers."""
    text = _LABEL.sub("", text)
    plain = _PLAIN_E164.fullmatch(text)
    if plain and _keeps_its_digits(plain.group(1)):
        form: str | None = text
    else:
        form = _by_number_plan(text, region) or _by_digits(text, region)
    return None if form is None or _is_junk_number(form) else form


def _keeps_its_digits(digits: str) -> bool:
    """Whether the library, too, would give `+` and these digits back, valid or not.

    It changes the digits of an international number only by taking off a national prefix. Where that prefix is one
    fixed digit and the number does not begin with it, nothing can be taken off: a valid number is formatted as it
    came, an invalid one falls back to the same text.
    """
    for length in range(1, _LONGEST_COUNTRY_CODE + 1):
        code = int(digits[:length])
        if code in COUNTRY_CODE_TO_REGION_CODE:
            prefix = _fixed_national_prefix(code)
            return prefix is not None and digits[length] != "0" and digits[length] != prefix
    return False


@cache
def _fixed_national_prefix(country_code: int) -> str | None:
    """The one digit that is dropped after `country_code` ("" for none), None when the rule is more than a digit."""
    region = COUNTRY_CODE_TO_REGION_CODE[country_code][0]
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
    if metadata is None or metadata.national_prefix_transform_rule:
        return None
    prefix = metadata.national_prefix_for_parsing or ""
    return prefix if prefix == "" or (len(prefix) == 1 and prefix.isdigit()) else None


def _by_number_plan(text: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _by_digits(text: str, region: str) -> str | None:
    """`+` and the digits when 7 to 15 are left; letters mean that this is no phone number at all."""
    text = _EXTENSION.sub("", text)
    digits = phonenumbers.normalize_digits_only(text)
    if not MIN_DIGITS <= len(digits) <= MAX_DIGITS or "@" in text or any(char.isalpha() for char in text):
        return None
    # Read once more as an international number, so that the form is the same when it comes back normalised.
    return _by_number_plan(f"+{digits}", region) or f"+{digits}"


def _is_junk_number(form: str) -> bool:
    """All digits the same, with or without the country code."""
    digits = form[1:]
    if is_same_digit(digits):
        return True
    for length in range(1, _LONGEST_COUNTRY_CODE + 1):
        if int(digits[:length]) in COUNTRY_CODE_TO_REGION_CODE:
            return is_same_digit(digits[length:])
    return False
