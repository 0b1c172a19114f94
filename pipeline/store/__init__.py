"""Cubes: an Icechunk repository an experiment, a group a region, every day with status and provenance."""
