"""Settings: the user's own (a TOML file and environment variables) and those fixed per run."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

import platformdirs
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from core import APPLICATION
from core.errors import ConfigError
from core.pricing import MOST_USD

Provider: TypeAlias = Literal["anthropic", "google"]
"""Whose API a model speaks; who serves it may be somebody else."""

SandboxKind: TypeAlias = Literal["local", "modal"]
"""Where experiments run: on this machine, or on machines at Modal."""

PaperSize: TypeAlias = Literal["us-letter", "a4"]
"""The size of a paper's pages, as Typst calls it."""

Thinking: TypeAlias = Literal["adaptive", "budget", "level", "none"]
"""How a model is asked to think.

``adaptive`` (Claude): it decides, and ``effort`` says how hard. ``budget``: a number of tokens. ``level``
(Gemini): a word. ``none``: nothing is asked for.
"""


def config_path() -> Path:
    """The user's settings file; it need not exist."""
    return platformdirs.user_config_path(APPLICATION) / "config.toml"


def cache_path() -> Path:
    """Where things are kept that can be made again, such as package environments."""
    return platformdirs.user_cache_path(APPLICATION)


def checked_base_url(url: str) -> str:
    """The address of a server that speaks a provider's API, as both providers' clients want it.

    Raises:
        ValueError: it is no such address, or holds something that must not get into a journal.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not an address like http://localhost:11434")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("a base URL holds no name, key or query; keys are kept with 'fumehood keys'")
    path = parts.path.rstrip("/")
    if path.endswith(("/v1", "/v1beta")):
        raise ValueError(f"leave {path.rpartition('/')[2]!r} out of {url!r}: it is added to every request")
    return f"{parts.scheme}://{parts.netloc}{path}"


BaseUrl: TypeAlias = Annotated[str, AfterValidator(checked_base_url)]

UsdPerMillion: TypeAlias = Annotated[Decimal, Field(ge=0, le=1_000_000)]


class DeclaredPrices(BaseModel):
    """What tokens of a declared model cost, USD per million."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    input: UsdPerMillion
    """Of tokens read."""
    output: UsdPerMillion
    """Of tokens written, thoughts included."""
    cached: UsdPerMillion | None = None
    """Of tokens read from the cache; None for the same as ``input``."""
    cache_written: UsdPerMillion | None = None
    """Of tokens written into the cache; None for the same as ``input``."""


class DeclaredModel(BaseModel):
    """A model that the user described; what is left out is as the catalogue knows it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    provider: Provider
    """Whose API it speaks."""
    id: str | None = Field(default=None, min_length=1)
    """What its server calls it; None for the name it is declared under."""
    base_url: BaseUrl | None = None
    """Where it is served; None for where its provider's models are."""
    context_tokens: int | None = Field(default=None, ge=1000, le=100_000_000)
    """The most that it can read and write in one turn."""
    max_output_tokens: int | None = Field(default=None, ge=1000, le=10_000_000)
    """The most that it may write in one turn, thoughts included."""
    thinking: Thinking | None = None
    """How it is asked to think."""
    free: bool = False
    """Whether its tokens cost nothing."""
    prices: DeclaredPrices | None = None
    """What its tokens cost; None for unknown where it is not served by the vendor itself."""

    @model_validator(mode="after")
    def _one_price(self) -> DeclaredModel:
        if self.free and self.prices is not None:
            raise ValueError("either it is free or it has prices")
        return self


class WrittenModel(DeclaredModel):
    """A declared model as the user wrote it: what nobody understands is a slip of the pen."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Settings(BaseSettings):
    """What the user prefers. Environment variables ``FUMEHOOD_…`` go before the file."""

    model_config = SettingsConfigDict(env_prefix="FUMEHOOD_", extra="forbid", use_attribute_docstrings=True)

    data_folder: Path = Field(default_factory=lambda: platformdirs.user_data_path(APPLICATION))
    """The folder that holds ``runs/``."""
    model: str | None = None
    """The model of every agent that is not given another; None for a good one of whom a key is there."""
    researcher_model: str | None = None
    """The researchers' model; None for ``model``."""
    writer_model: str | None = None
    """The writer's model; None for ``model``."""
    base_urls: dict[Provider, BaseUrl] = Field(default_factory=dict)
    """Where models are served, by provider; those left out are asked at the vendor's own address."""
    models: dict[str, WrittenModel] = Field(default_factory=dict)
    """Models of your own by name, as in ``[models."qwen3-coder"]``."""
    sandbox: SandboxKind = "local"
    """Where experiments run."""
    budget_usd: Decimal = Field(default=Decimal(10), ge=0, le=MOST_USD)
    """The cap of a run, USD."""
    approve: str = "ask"
    """The policy: ``ask``, ``auto``, ``cpu`` or ``under:USD``."""
    max_parallel: int = Field(default=2, ge=1, le=256)
    """Experiments that run at once."""
    local_usd_per_hour: Decimal = Field(default=Decimal(0), ge=0)
    """What an hour of this machine costs you, USD; the local sandbox is priced with it."""
    paper_size: PaperSize = "us-letter"
    """The size of a paper's pages: ``us-letter`` or ``a4``."""
    lease_seconds: float = Field(default=600, ge=1)
    """How long scripts go on without an engine before they end themselves, in seconds."""
    theme: str | None = None
    """The console's theme; None for the one chosen in the console."""
    keys: dict[str, str] = Field(default_factory=dict)
    """Keys of the console by binding, such as ``"run.pause" = "P"``."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the file; a ``.env`` is not read."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=config_path())

    @property
    def runs_folder(self) -> Path:
        """The folder that holds one folder per run."""
        return self.data_folder / "runs"


def read_settings(**overrides: Any) -> Settings:
    """Read the user's settings.

    Raises:
        ConfigError: the file does not parse, or a value in it or in the environment is unusable.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise ConfigError(
            f"the setting {name!r} cannot be used: {first['msg'].removeprefix('Value error, ')}",
            f"Mend it in {config_path()} or in FUMEHOOD_{name.partition('.')[0].upper()}.",
        ) from None
    except SettingsError as error:
        raise ConfigError(f"a FUMEHOOD_ variable cannot be used: {error}", "It has to be JSON.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{config_path()} is not TOML: {error}", "Mend the file or move it away.") from None
    except OSError as error:
        raise ConfigError(f"cannot read {config_path()}: {error.strerror}") from None


class RunSettings(BaseModel):
    """What is fixed when a run is created. Only the cap can be changed later, by an event."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="constants")

    mode: Literal["orchestrator", "single"] = "orchestrator"
    """``single`` plans exactly one experiment, for the hypothesis as typed."""
    model: str
    """The orchestrator's model, e.g. ``scripted:bagging``."""
    researcher_model: str
    """The model of every researcher."""
    writer_model: str
    """The writer's model."""
    base_urls: dict[str, str] = Field(default_factory=dict)
    """Where models are served, by provider; those left out are asked at the vendor's own address."""
    models: dict[str, DeclaredModel] = Field(default_factory=dict)
    """Of the models that the user declared, those that the run uses, by name."""
    sandbox: SandboxKind = "local"
    """Where experiments run."""
    gpu: str | None = None
    """The GPU that experiments get unless they say otherwise; None for CPU only."""
    num_agents: int = Field(default=3, ge=1, le=256)
    """Experiments that one round may have."""
    max_rounds: int = Field(default=3, ge=1, le=50)
    """Rounds that the orchestrator may propose."""
    max_parallel: int = Field(default=2, ge=1, le=256)
    """Experiments that run at once."""
    budget_usd: Decimal = Field(default=Decimal(10), ge=0, le=MOST_USD)
    """The cap at the start, USD."""
    approve: str = "ask"
    """The policy as it was typed; what cannot be read means ``ask``."""
    confirm_scripts: bool | None = None
    """Whether every script needs a yes; None for: only where isolation is ``process only``."""
    accept_process_only: bool = False
    """Whether the human accepted, beforehand, to run without isolation."""
    alpha: float = Field(default=0.05, gt=0, lt=1)
    """Probability of any false "supported" in the whole run."""
    max_turns: int = Field(default=80, ge=1, le=10_000)
    """Turns that one agent may take."""
    characters_per_second: float | None = None
    """Streaming speed of scripted models; None for as fast as possible."""
    local_usd_per_hour: Decimal = Field(default=Decimal(0), ge=0)
    """Price of the local sandbox, USD per hour."""
    lease_seconds: float = Field(default=600, ge=1)
    """How long scripts go on without an engine, in seconds."""
    literature: bool = True
    """Whether agents may ask the literature; else nothing is asked over the network for the paper."""
    paper_size: PaperSize = "us-letter"
    """The size of the paper's pages."""

    @property
    def experiments_per_round(self) -> int:
        """How many experiments a round may have; one in single mode."""
        return 1 if self.mode == "single" else self.num_agents

    @property
    def rounds(self) -> int:
        """How many rounds there may be; one in single mode."""
        return 1 if self.mode == "single" else self.max_rounds
