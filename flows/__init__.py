"""Prefect flows over the pipeline and the models, and the `isotherm` command."""
