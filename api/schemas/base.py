"""What all schemas share: commands are strict; answers may grow and carry an example."""

from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

MAX_REASON = 1000
MAX_ID = 200

Id = Annotated[str, Field(min_length=1, max_length=MAX_ID)]
Reason = Annotated[
    str | None,
    Field(max_length=MAX_REASON, validation_alias=AliasChoices("reason", "note"), description="`note` is taken too."),
]


class Command(BaseModel):
    """The body of a POST that changes something: right types only, no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Shape(BaseModel):
    """An answer as documented; answers are not built through these classes."""


def example(value: Any) -> ConfigDict:
    """The model configuration that shows `value` as the example."""
    return ConfigDict(json_schema_extra={"example": value})
