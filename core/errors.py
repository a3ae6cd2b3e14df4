"""The exception tree of ConstIntel; every layer raises these and `api/problems.py` renders them as RFC 9457.

    ConstIntelError
    ├── InvalidInputError        422  a value is of the wrong type, missing or contradicts another (names the field)
    │   ├── MalformedBodyError   400  the bytes cannot be parsed at all
    │   └── TooLargeError        413  over a stated limit
    ├── UnauthorizedError        401  no key, a wrong key, a wrong signature
    ├── ForbiddenError           403  the key is right, its scope is not
    ├── NotFoundError            404  unknown, or of another brand
    ├── ConflictError            409  the thing is in a state that refuses the command
    ├── GoneError                410  it was there and was removed
    ├── UnavailableError         503  a dependency is away; carries Retry-After seconds
    │   └── BusyError            429  more is coming in than can be taken now; carries Retry-After seconds
    ├── TimedOutError            503  the graph answers, but this takes it longer than it may
    ├── PoisonedEventError       422  the graph refuses this one event; it is kept as a dead letter
    │   └── TimedOutEventError   503  this one event takes the graph longer than it may; it is kept as a dead letter
    └── ConfigurationError       —    the operator's set-up is wrong; says what to do

Messages never contain the offending value: it may be personal data.
"""


class ConstIntelError(Exception):
    """Base of all expected failures; knows its HTTP status and whether a retry makes sense."""

    status = 500
    code = "internal_error"
    is_retryable = False

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.extensions: dict[str, str] = {}
        """Further members of the problem document; never the offending value."""


class UnreadableDataError(ConstIntelError):
    """What is stored is not what a query takes it for, such as text in the place of a time."""

    code = "unreadable_data"


class InvalidInputError(ConstIntelError):
    """A value does not fit; `field` is its path, such as `identifiers.email[0]`."""

    status = 422
    code = "invalid_input"


class MalformedBodyError(InvalidInputError):
    """The body is not parseable JSON, form data or gzip."""

    status = 400
    code = "malformed_body"


class TooLargeError(InvalidInputError):
    """A body, batch or event is over its limit."""

    status = 413
    code = "too_large"


class UnauthorizedError(ConstIntelError):
    """The caller did not prove who it is."""

    status = 401
    code = "unauthorized"


class ForbiddenError(ConstIntelError):
    """The caller is known and may not do this."""

    status = 403
    code = "forbidden"


class NotFoundError(ConstIntelError):
    """No such thing in this brand."""

    status = 404
    code = "not_found"


class ConflictError(ConstIntelError):
    """The state of the thing refuses the command."""

    status = 409
    code = "conflict"


class GoneError(ConstIntelError):
    """What is asked for was there and was removed."""

    status = 410
    code = "gone"


class UnavailableError(ConstIntelError):
    """A dependency is away; try again after `retry_after` seconds."""

    status = 503
    code = "unavailable"
    is_retryable = True

    def __init__(self, detail: str, *, retry_after: int = 2) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class BusyError(UnavailableError):
    """More is coming in than can be taken now; try again after `retry_after` seconds."""

    status = 429
    code = "too_many_requests"


class TimedOutError(ConstIntelError):
    """The graph answers, but this takes it longer than it may; again would take as long."""

    status = 503
    code = "timed_out"


class PoisonedEventError(ConstIntelError):
    """The graph refuses this one event whatever stands beside it; sending it again does not help."""

    status = 422
    code = "event_refused"


class TimedOutEventError(PoisonedEventError):
    """The graph answers, but not about this event within the time that it has."""

    status = 503
    code = "event_timed_out"


class ConfigurationError(ConstIntelError):
    """The operator's set-up is wrong; `detail` says what to do about it."""

    code = "configuration"
