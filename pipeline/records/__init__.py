"""Labelled records of irregular measurements and varying length: what they are, their steps, splits and ladder."""
