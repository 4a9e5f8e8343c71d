"""A `FigureSpec` drawn with matplotlib: its panels, their layout, the file.

matplotlib is imported here, before any module of this package, and without what the environment says of backends:
notebooks set `MPLBACKEND` to one that other processes do not have, and matplotlib refuses to be imported then.
"""

import os

_backend = os.environ.pop("MPLBACKEND", None)
try:
    import matplotlib  # noqa: F401
finally:
    if _backend is not None:
        os.environ["MPLBACKEND"] = _backend
