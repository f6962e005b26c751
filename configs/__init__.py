"""Data shipped with the package: default settings, client profiles, the token vocabulary."""
