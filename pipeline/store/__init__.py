"""Stores: an Icechunk repository an experiment, which is a cube (a group a region) or the series of a station.

Every day of a cube, and every file of a series, is there with its status and provenance.
"""
