"""The paper's statements as functions from stored records to a verdict (PROTOCOL 8.3)."""

from src.claims.catalogue import CLAIMS, Claim, examine
from src.claims.finding import Effect, Finding, Verdict

__all__ = ["CLAIMS", "Claim", "Effect", "Finding", "Verdict", "examine"]
