"""Memory pressure: what is measured, what it means, what is done about it."""
