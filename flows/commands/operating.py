"""Commands of those who keep an experiment running."""

from __future__ import annotations

import typer

app = typer.Typer()
