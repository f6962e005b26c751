"""The only door to the file system: confinement, walking, freshness, text."""
