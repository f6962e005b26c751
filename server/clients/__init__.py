"""The assistants that Penstock registers with: their limits and their config files."""
