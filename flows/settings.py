"""What the machine says: the environment becomes a frozen spec here and nowhere else."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

from pydantic import Field, PositiveFloat, PositiveInt, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.explain import explained
from pipeline.errors import ConfigError
from pipeline.location import Location, is_remote, located
from pipeline.naming import unknown
from pipeline.s3_access import Access

PREFIX = "ISOTHERM_"
EXPERIMENTS = Path(__file__).parents[1] / "deployments" / "experiments"


class Settings(BaseSettings):
    """What the machine says, in variables `ISOTHERM_WORKSPACE` and so on."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    workspace: Location = Path("workspace")
    """The folder that everything is kept in, or `s3://bucket/prefix`."""
    cache: Path | None = None
    """The folder on this machine for what serves it alone; the workspace where that is a folder too."""
    s3_path_style: bool | None = None
    s3_patience: PositiveFloat = Access().patience
    """As `Access` has them."""
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
            found = cls(**{key: value for key, value in given.items() if value is not None})
        except ValidationError as error:
            raise explained(error, cls, where="the environment", spelled=_variable) from error
        if not is_remote(found.workspace):
            return found
        return found.model_copy(update={"workspace": located(found.workspace, found.access)})

    @property
    def access(self) -> Access:
        """How S3 is reached: by the variables that all its clients read. The keys are left to its libraries."""

        def named(*names: str) -> str | None:
            return next((os.environ[name] for name in names if os.environ.get(name)), None)

        return Access(
            endpoint=named("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
            region=named("AWS_REGION", "AWS_DEFAULT_REGION"),
            path_style=self.s3_path_style,
            patience=self.s3_patience,
        )

    @property
    def here(self) -> Path | None:
        """Where on this machine what serves it alone is put; None is in the workspace."""
        workspace = self.workspace
        if self.cache is not None or not is_remote(workspace):
            return self.cache
        caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(caches, "isotherm", workspace.bucket, workspace.key)


def _variable(field: str) -> str:
    return f"{PREFIX}{field.upper()}"
