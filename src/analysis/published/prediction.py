"""Algorithm 1 against the paper's own figures, without training anything.

What SAP prunes in an iteration follows from the PQ Index and the weights left before it, and the paper draws both: each
published percent remaining is predicted from the two readings one iteration earlier. Only for p=0.5 and q=1, the pair
that the published PQ Index is drawn at (PROTOCOL 7.B, B6). The baselines' percentages follow from their ratio alone.
"""

from typing import NamedTuple

import numpy as np

from src.analysis.published.curves import Key, PublishedCurve, published_curves
from src.pruning.methods.sap import Sap
from src.records.method import ABLATIONS, LOTTERY_TICKET, ONE_SHOT, SAP, Method
from src.records.run import FloatArray

REMAINING, PQI = "retrained_percent_remaining", "retrained_pqi"
BASELINES = (LOTTERY_TICKET, ONE_SHOT)
BELOW = 0.5
"""Percent remaining below which a published marker lies on the axis: the prediction is not tested there."""


class Prediction(NamedTuple):
    """A published curve of percent remaining and what Algorithm 1 makes of it, at iterations t = 1.., [n].

    predicted: from the readings at t - 1. error: reading errors of all
    readings involved, added in squares. implied:
    the PQ Index that would have given the published percentage; drawn: the published PQ Index, both at t - 1 (NaN for
    the baselines and where beta decided); implied_error: of both together.
    """

    dataset: str
    model: str
    method: Method
    t: FloatArray
    published: FloatArray
    predicted: FloatArray
    error: FloatArray
    implied: FloatArray
    drawn: FloatArray
    implied_error: FloatArray
    late: FloatArray
    """As `predicted`, from the PQ Index drawn at t instead: what a wrong rule would look like."""

    @property
    def tested(self) -> FloatArray:
        """Which points say something: those above the axis, [n] of bool."""
        return np.asarray(self.published > BELOW)

    def within(self, predicted: FloatArray) -> float:
        """Share of the tested points that differ from the published ones by at most the error."""
        return float(np.mean((np.abs(predicted - self.published) <= self.error)[self.tested]))


def share_kept(pqi: FloatArray, sap: Sap) -> FloatArray:
    """1 - min(gamma (1 - (1 + eta_r)^(-q/(q-p)) (1 - I)^(pq/(q-p))), beta): Algorithm 1 without its rounding."""
    bound = (1 + sap.eta_r) ** (-sap.q / (sap.q - sap.p)) * (1 - pqi) ** (sap.p * sap.q / (sap.q - sap.p))
    return np.asarray(1 - np.clip(sap.gamma * (1 - bound), 0, sap.beta))


def predictions() -> list[Prediction]:
    """All published curves that Algorithm 1 predicts, SAP's first."""
    of_sap = list(dict.fromkeys((SAP, *ABLATIONS["eta"].methods, *ABLATIONS["gamma"].methods)))
    curves = published_curves()
    networks = dict.fromkeys((key.dataset, key.model) for key in curves if key.quantity == REMAINING)
    wanted = [(*network, method) for network in networks for method in (*of_sap, *BASELINES)]
    return [_predicted(*each) for each in wanted if _key(*each, REMAINING) in curves]


def _key(dataset: str, model: str, method: Method, quantity: str) -> Key:
    return Key(dataset, model, "global", quantity, method.short)


def _predicted(dataset: str, model: str, method: Method) -> Prediction:
    left = published_curves()[_key(dataset, model, method, REMAINING)]
    before, after = left.y[:-1], left.y[1:]
    if method in BASELINES:
        kept = np.full_like(before, 1 - method.settings["ratio"])
        none = np.full_like(before, np.nan)
        slope, pqi, pqi_error, implied, implied_error, late = np.zeros_like(before), none, none, none, none, none
    else:
        sap, drawn = Sap(**method.settings), published_curves()[_key(dataset, model, method, PQI)]
        pqi, pqi_error = (values[: len(before)] for values in (drawn.y, drawn.reading_error))
        kept = share_kept(pqi, sap)
        slope = (share_kept(pqi + 1e-6, sap) - kept) / 1e-6
        implied, implied_error = _implied(left, pqi_error, sap)
        late = before * share_kept(drawn.y[1 : len(before) + 1], sap)
    error = np.sqrt((kept * left.reading_error[:-1]) ** 2 + (before * slope * np.nan_to_num(pqi_error)) ** 2
                    + left.reading_error[1:] ** 2)  # fmt: skip
    points = left.t[1:], after, before * kept, error, implied, pqi, implied_error, late
    return Prediction(dataset, model, method, *points)


def _implied(left: PublishedCurve, pqi_error: FloatArray, sap: Sap) -> tuple[FloatArray, FloatArray]:
    """The PQ Index at t - 1 that the percentages at t - 1 and t ask for, and the error of comparing it; p=0.5, q=1."""
    share = left.y[1:] / np.maximum(left.y[:-1], 1e-9)
    bound = 1 - (1 - share) / sap.gamma
    factor = (1 + sap.eta_r) ** (sap.q / (sap.q - sap.p))
    relative = np.hypot(left.reading_error[1:] / np.maximum(left.y[1:], 1e-9),
                        left.reading_error[:-1] / np.maximum(left.y[:-1], 1e-9))  # fmt: skip
    error = np.hypot(factor * share / sap.gamma * relative, pqi_error)
    decided_by_beta = 1 - share > sap.beta - 1e-2
    return np.where(decided_by_beta, np.nan, 1 - factor * bound), np.where(decided_by_beta, np.nan, error)
