"""The error a user can cause and mend."""


class UserError(ValueError):
    """Bad input: the message names the value, what is allowed and the fix; shown without a traceback."""
