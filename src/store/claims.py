"""Claims: of several processes or machines that share a folder, one does a piece of work."""

from contextlib import ExitStack
from pathlib import Path

from filelock import FileLock, Timeout


def claim(path: Path, until: ExitStack) -> bool:
    """Take the claim at `path`, held until `until` closes; False where another process has it.

    It is a lock of the kernel's, which falls with its process, however that ends.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        until.enter_context(FileLock(path).acquire(blocking=False))
    except Timeout:
        return False
    return True


def run_lock(folder: Path) -> Path:
    """What the process that writes a run's `folder`, `<output_dir>/runs/<name>`, holds a claim on."""
    return folder.parents[1] / "locks" / f"{folder.name}.lock"


def is_held(path: Path) -> bool:
    """Whether a living process has the claim at `path`."""
    if not path.exists():
        return False
    with ExitStack() as until:
        return not claim(path, until)
