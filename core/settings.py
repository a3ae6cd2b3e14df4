"""The only reader of the environment: one typed settings object, read once at the edge."""

import os
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.brand import DEFAULT_MOVED_AT_ONCE


class Settings(BaseSettings):
    """Addresses, limits and sizes, each set by `CONSTINTEL_<NAME>`; Neo4j's and Redis' by their usual names."""

    model_config = SettingsConfigDict(env_prefix="CONSTINTEL_", extra="ignore", populate_by_name=True)

    neo4j_uri: str | None = Field(default=None, validation_alias="NEO4J_URI")
    neo4j_user: str = Field(default="neo4j", validation_alias="NEO4J_USER")
    neo4j_password: SecretStr | None = Field(default=None, validation_alias="NEO4J_PASSWORD")
    neo4j_database: str = Field(default="neo4j", validation_alias="NEO4J_DATABASE")
    redis_url: str | None = Field(default=None, validation_alias="REDIS_URL")
    data_dir: Path = Path(".constintel")
    cache_home: Path = Field(default_factory=lambda: Path.home() / ".cache", validation_alias="XDG_CACHE_HOME")
    """Downloads that all checkouts of a user share lie below this."""
    secret_key: SecretStr | None = None
    """Seals credentials that the graph keeps, 32 characters or more; without it `secret.key` of the data directory."""
    public_url: str = "http://127.0.0.1:8000"
    """How senders reach the service; Twilio signs the full address."""
    group_commit_max_events: int = 500
    """Events of one transaction: 100 to 500 gave the best rate."""
    group_commit_writers: int = 2
    """Transactions open at once in one process; more than the server's cores only wait for locks."""
    max_waiting_events: int = Field(default=10_000, gt=0)
    """Events that may wait for their commit in one process: past half of it large requests get a 429, past it a 503."""
    retry_budget_seconds: float = 8.0
    """How long one commit is tried before its events go to the inbox; without Redis its callers get a 503 then."""
    moved_at_once: int = Field(default=DEFAULT_MOVED_AT_ONCE, gt=0)
    """Events that change hands in the transaction of a late sign-in; of more a task moves as many at a time."""
    inbox_max_events: int = Field(default=500_000, gt=0)
    """Events that may wait in the inbox while Neo4j is away; past it senders get a 503."""
    inbox_max_megabytes: int = Field(default=1024, gt=0)
    """The same in size: Redis keeps the inbox in memory and on disk."""
    stream_max_entries: int = Field(default=50_000, gt=0)
    """About how many entries each of the streams keeps in Redis."""
    change_retention_days: float = Field(default=30, gt=0)
    """How long entries of the change feed are kept."""
    webhook_timeout_seconds: float = Field(default=10, gt=0, le=60)
    """How long a receiver of changes may take for one message."""
    webhook_give_up_days: float = Field(default=5, gt=0)
    """A webhook that failed for so long is switched off."""
    webhook_private_addresses: bool = False
    """Whether webhooks may go to loopback, private and link-local addresses."""
    crm_timeout_seconds: float = Field(default=30, gt=0, le=60)
    """How long a CRM may take for one answer."""
    crm_private_addresses: bool = False
    """Whether CRM connections may go to loopback, private and link-local addresses."""
    csv_max_bytes: int = Field(default=20 * 1024**3, gt=0)
    """The largest CSV file that is taken, unpacked; it waits on disk below the data directory."""
    csv_keep_days: float = Field(default=30, gt=0)
    """How long the rows that an import refused can be downloaded."""
    csv_patience_seconds: float = Field(default=10, ge=0)
    """How long the sender of a small file waits for its import to be done."""
    csv_dry_run_seconds: float = Field(default=20, gt=0)
    """How long a dry run may look at a file; what it found by then is the answer."""
    log_level: str = "INFO"
    log_json: bool = True
    test_backend: str = "embedded"

    @field_validator("cache_home")
    @classmethod
    def _default_cache_home(cls, value: Path) -> Path:
        """The XDG rule: an empty or relative folder counts as unset; it would differ with the working directory."""
        return value if value.is_absolute() else Path.home() / ".cache"


def load_settings() -> Settings:
    """Read the environment now; raises pydantic's ValidationError naming a bad variable."""
    return Settings()


def variable_names() -> dict[str, str]:
    """Field of the settings → the environment variable that sets it."""
    names = {}
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        names[name] = alias if isinstance(alias, str) else f"CONSTINTEL_{name.upper()}"
    return names


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment for a child process: this process's own with `settings` written over it."""
    environment = dict(os.environ)
    for name, variable in variable_names().items():
        value = getattr(settings, name)
        if value is None:
            environment.pop(variable, None)
        else:
            environment[variable] = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    return environment
