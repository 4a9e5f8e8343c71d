"""Files are there whole or not at all."""

import pytest

from src.files import csv_text, parsed, read_rows, replace, write_text


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def broken(part):
        part.write_text("half")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        replace(path, broken)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_rows_come_back_with_their_types(tmp_path):
    rows = [{"iteration": 0, "loss": 0.1 + 0.2, "layer": "fc", "pqi": None}]
    write_text(tmp_path / "r.csv", csv_text(rows, header=True))
    assert [parsed(row) for row in read_rows(tmp_path / "r.csv")] == rows
    assert read_rows(tmp_path / "none.csv") == []
