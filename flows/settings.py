"""What the machine says: the environment becomes a frozen spec here and nowhere else."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

from pydantic import Field, PositiveInt, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.explain import explained
from pipeline.errors import ConfigError
from pipeline.naming import unknown

PREFIX = "ISOTHERM_"
EXPERIMENTS = Path(__file__).parents[1] / "deployments" / "experiments"


class Settings(BaseSettings):
    """What the machine says, in variables `ISOTHERM_WORKSPACE` and so on."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    workspace: Path = Path("workspace")
    """The folder that everything is kept in."""
    experiments: Path = EXPERIMENTS
    """The folder of experiment files."""
    workers: PositiveInt = Field(default_factory=lambda: os.cpu_count() or 1)
    """Processes that read, check and regrid."""
    today: dt.date | None = None
    """What day it is taken to be, to rehearse or repeat a day; really today where it is not set."""
    dask_address: str | None = None
    """A Dask scheduler to use instead of processes of one's own."""
    public_url: str | None = None
    """The address that the workspace is served at: links that people are shown begin with it."""

    @classmethod
    def load(cls, **given: Any) -> Settings:
        """From the environment; what is `given` and not None goes before.

        Raises
        ------
        ConfigError
            A variable has an unknown name or a value that cannot be used.
        """
        for name in os.environ:
            key = name.removeprefix(PREFIX).lower()
            if name.startswith(PREFIX) and key not in cls.model_fields and key != "real_data":
                known = map(_variable, cls.model_fields)
                raise unknown("setting", name, known, ConfigError, where="environment")
        try:
            return cls(**{key: value for key, value in given.items() if value is not None})
        except ValidationError as error:
            raise explained(error, cls, where="the environment", spelled=_variable) from error


def _variable(field: str) -> str:
    return f"{PREFIX}{field.upper()}"
