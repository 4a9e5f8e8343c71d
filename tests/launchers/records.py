"""Records of two sweeps side by side."""

import filecmp
from pathlib import Path

RECORDS = ("iterations.csv", "layers.csv", "epochs.csv", "measures.safetensors", "masks.safetensors")


def finished(output_dir: Path) -> list[Path]:
    """Folders of the finished runs."""
    found = sorted((output_dir / "runs").glob("*/run.json"))
    return [path.parent for path in found if '"status": "finished"' in path.read_text()]


def assert_same_records(expected: Path, found: Path, count: int) -> None:
    """Both output folders hold the same `count` finished runs with the same bytes of records."""
    one, other = finished(expected), finished(found)
    assert [path.name for path in one] == [path.name for path in other]
    assert len(one) == count
    for left, right in zip(one, other, strict=True):
        same, different, missing = filecmp.cmpfiles(left, right, RECORDS, shallow=False)
        assert (sorted(same), different, missing) == (sorted(RECORDS), [], []), left.name
