"""From public records to verified forecasts: sources, checks, stores, windows, baselines, scores, reports."""
