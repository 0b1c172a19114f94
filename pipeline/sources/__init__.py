"""Where granules come from: SOURCES names each source."""
