"""The claims' verdicts as a table."""

from collections.abc import Iterable

from src.analysis.claims.catalogue import CLAIMS
from src.analysis.claims.finding import Finding
from src.analysis.tables.table import Column, Table

COLUMNS = (
    Column("claim", "Claim", long=True),
    Column("source", "In the paper"),
    Column("dataset", "Data set"),
    Column("model", "Model"),
    Column("study", "Study"),
    Column("scope", "Scope"),
    Column("subject", "Subject"),
    Column("verdict", "Verdict"),
    Column("seeds", "Seeds"),
    Column("evidence", "Evidence", long=True),
    Column("effects", "Effects [95 % interval]", long=True),
    Column("reason", "Why", long=True),
)


def verdict_table(findings: Iterable[Finding]) -> Table:
    """A row for each finding."""
    claims = {claim.name: claim for claim in CLAIMS}
    rows = tuple(
        (
            claims[f.claim].statement,
            claims[f.claim].source,
            f.setting.dataset,
            f.setting.model,
            f.study,
            f.scope,
            f.subject,
            f.verdict.value,
            len(f.seeds),
            f.evidence,
            "; ".join(map(str, f.effects)),
            f.reason,
        )
        for f in findings
    )
    note = "Tests, one per claim:\n" + "\n".join(f"- {claim.statement} {claim.test}" for claim in CLAIMS)
    return Table("claims", "The paper's claims on these records", note, COLUMNS, rows)
