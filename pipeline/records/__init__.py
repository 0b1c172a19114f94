"""Labelled records, of irregular measurements or of text: what they are, their sequences, splits and ladders."""
