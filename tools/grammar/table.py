"""The table: how every language with a grammar is read. An entry is a `Language`."""

from collections.abc import Mapping
from typing import Final

from .compiled import COMPILED
from .language import Language
from .scripting import SCRIPTING

LANGUAGES: Final[tuple[Language, ...]] = (*SCRIPTING, *COMPILED)
LANGUAGE_BY_NAME: Final[Mapping[str, Language]] = {language.name: language for language in LANGUAGES}
