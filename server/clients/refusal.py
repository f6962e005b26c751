"""The one error of the installers: a file that is left exactly as it is."""

from ...cache.errors import TerminalError


class EditRefused(TerminalError, ValueError):
    """A configuration file cannot be edited safely; nothing was written."""

    code = "edit_refused"
