"""One small table in three formats, letter by letter."""

import pytest

from src.analysis.tables.table import Column, Difference, Spread, Table, as_csv, as_latex, as_markdown

TABLE = Table(
    "t",
    "A title",
    "A note.",
    (Column("method", "Method"), Column("seeds", "Seeds"), Column("left", "Left (%)", ".1f")),
    (("SAP (η_r=0.1)", 4, Spread(12.34, 0.5)), ("a|b", 1, Spread(1.0)), ("c,d", 2, None)),
)


def test_csv_has_numbers_in_full_and_spreads_in_two_columns():
    assert as_csv(TABLE) == ('method,seeds,left_mean,left_std\nSAP (η_r=0.1),4,12.34,0.5\na|b,1,1.0,\n"c,d",2,,\n')


def test_markdown():
    assert as_markdown(TABLE) == (
        "# A title\n\nA note.\n\n| Method | Seeds | Left (%) |\n| --- | ---: | ---: |\n"
        "| SAP (η_r=0.1) | 4 | 12.3 ± 0.5 |\n| a\\|b | 1 | 1.0 |\n| c,d | 2 | – |\n"
    )


def test_latex():
    assert as_latex(TABLE) == (
        "% A title\n% A note.\n% In the preamble: \\usepackage{booktabs}\n"
        "\\begin{tabular}{@{}lrr@{}}\n\\toprule\nMethod & Seeds & Left (\\%) \\\\\n\\midrule\n"
        "SAP ($\\eta$\\_r=0.1) & 4 & 12.3 $\\pm$ 0.5 \\\\\na|b & 1 & 1.0 \\\\\nc,d & 2 & -- \\\\\n"
        "\\bottomrule\n\\end{tabular}\n"
    )


def test_the_best_of_each_group_is_bold_and_groups_are_apart():
    columns = (Column("dataset", "Data set"), Column("scope", "Scope"), Column("a", "A", ".1f", best="max"))
    rows = (("d", "neuron", 1.0), ("d", "neuron", Spread(3.04, 1.0)), ("d", "global", 2.0), ("d", "global", None))
    table = Table("t", "T", "N", columns, rows)
    assert table.best == {(1, 2)}
    assert "| d | neuron | **3.0 ± 1.0** |" in as_markdown(table)
    latex = as_latex(table)
    assert "neuron & \\textbf{3.0 $\\pm$ 1.0} \\\\\n\\addlinespace\nglobal & 2.0" in latex
    assert "% d\n" in latex


def test_latex_keeps_one_long_column():
    columns = tuple(Column(key, key, long=key != "c") for key in "abc")
    latex = as_latex(Table("t", "T", "N", columns, (("x", "y", "z"),)))
    assert "a & c \\\\" in latex
    assert "Not here but in the CSV: b." in latex


def test_a_spread_needs_a_value_of_every_seed():
    assert Spread.of([1.0, 3.0]) == Spread(2.0, 1.0)
    assert Spread.of([1.0]) == Spread(1.0, None)
    assert Spread.of([1.0, float("nan")]) is None
    assert Spread.of([]) is None


def test_a_difference_has_the_interval_of_three_seeds_or_more():
    half = 4.302652729911275 * 1.0 / 3**0.5  # Student's at 2 degrees of freedom; a sample deviation of 1
    of_three = Difference.of([1.0, 2.0, 3.0])
    assert of_three == Difference(2.0, pytest.approx(2.0 - half), pytest.approx(2.0 + half))
    assert Difference.of([1.0, 3.0]) == Difference(2.0)
    assert Difference.of([1.0, 2.0, float("nan")]) is None
    columns = Column("method", "Method"), Column("less", "Less", "+.1f")
    table = Table("t", "T", "N", columns, (("a", of_three), ("b", Difference(-0.5)), ("c", None)))
    assert "| a | +2.0 [-0.5, 4.5] |\n| b | -0.5 |\n| c | – |" in as_markdown(table)
    assert "a & +2.0 [$-$0.5, 4.5] \\\\" in as_latex(table)
    head, *rows = as_csv(table).splitlines()
    assert head == "method,less_mean,less_low,less_high"
    assert rows[1:] == ["b,-0.5,,", "c,,,"]


def test_minus_signs_greek_and_marks_are_written_as_text():
    table = Table("t", "T", "N", (Column("a", "A"), Column("b", "B")), (("α *x* <b> a-1", Spread(-2.5)),))
    assert "$\\alpha$ *x* $<$b$>$ a-1 & $-$2.50" in as_latex(table)
    assert "| α \\*x\\* \\<b> a-1 | -2.50 |" in as_markdown(table)
