"""Families of command output: which lines of each must be kept."""
