"""The shell around Algorithm 1: sessions, the driver, and engines put to work."""

from src.execution.execute import Outcome, execute, execute_together

__all__ = ["Outcome", "execute", "execute_together"]
