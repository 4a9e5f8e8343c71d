"""Draw a `FigureSpec` with matplotlib: no state, no pyplot, the same bytes every time.

matplotlib is imported here first, without what the environment says of backends: notebooks set `MPLBACKEND` to one
that other processes do not have, and matplotlib refuses to be imported then.
"""

import os

_backend = os.environ.pop("MPLBACKEND", None)
try:
    import matplotlib
finally:
    if _backend is not None:
        os.environ["MPLBACKEND"] = _backend

__all__ = ["matplotlib"]
