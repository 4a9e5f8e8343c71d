"""The error a user can cause and mend."""


class UserError(ValueError):
    """Bad input: the message names the value, what is allowed and the fix; shown without a traceback."""


class Busy(UserError):
    """Another process is at this work."""


def message(error: BaseException) -> str:
    """The error's text with those of its causes, each once, a line each."""
    parts: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        text = str(cause).strip()
        if text and not any(text in part for part in parts):
            parts.append(text)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\n".join(parts) or type(error).__name__
