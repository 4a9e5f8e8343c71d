"""Errors a user can cause and mend, and the end that a signal asks for."""


class UserError(ValueError):
    """Bad input: the message names the value, what is allowed and the fix; shown without a traceback."""


class Busy(UserError):
    """Another process is at this work."""


class Interrupted(KeyboardInterrupt):
    """A signal asked the process to end: `status` is what a shell makes of that."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = 128 + number


def as_user_error(error: Exception, place: object = None) -> Exception:
    """What the disk refused, at `place` where it does not say where, as a UserError; other errors as they are."""
    if not isinstance(error, OSError) or error.strerror is None:
        return error
    reason = "a file or a dangling link is in its place" if isinstance(error, FileExistsError) else error.strerror
    place = error.filename or place
    return UserError(f"{place}: {reason}; when that is mended, the same command goes on from the last record")


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
