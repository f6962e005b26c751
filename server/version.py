"""The version, as a constant: asking the installed metadata would cost start-up time. A test compares it with pyproject.toml."""

from typing import Final

VERSION: Final = "0.1.0"
