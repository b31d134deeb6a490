"""The models of the section on modeling, and those that they are compared with."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import lightgbm
import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from snippets.modeling.cross_network import CrossNetworkClassifier
from snippets.modeling.factorization_machine import FactorizationMachineClassifier
from snippets.modeling.gbdt_lr import GBDTLogisticRegression
from snippets.modeling.multi_task import MultiTaskClassifier
from snippets.modeling.smoothed_ctr import SmoothedCTR
from snippets.training_data.ftrl_proximal import FTRLProximal


class TorchFactorizationMachine:
    """The same model in PyTorch: embeddings of the columns of the rows, Adagrad, batches of 256."""

    def __init__(self, n_features: int, n_factors: int = 8, learning_rate: float = 0.03, n_epochs: int = 2) -> None:
        torch.manual_seed(0)
        self.linear = torch.nn.Embedding(n_features, 1, sparse=True)
        self.factors = torch.nn.Embedding(n_features, n_factors, sparse=True)
        self.bias = torch.nn.Parameter(torch.zeros(1))
        torch.nn.init.zeros_(self.linear.weight)
        torch.nn.init.normal_(self.factors.weight, 0, 0.05)
        self.rate, self.epochs = learning_rate, n_epochs

    def _logit(self, rows):
        each = self.factors(rows)
        pairs = each.sum(dim=1) ** 2 - (each**2).sum(dim=1)
        return self.bias + self.linear(rows).sum(dim=(1, 2)) + 0.5 * pairs.sum(dim=1)

    def fit(self, X, y):
        """Learn."""
        rows, label = self._rows(X), torch.tensor(y, dtype=torch.float32)
        torch.nn.init.constant_(self.bias, float(torch.logit(label.mean())))
        parameters = [self.linear.weight, self.factors.weight, self.bias]
        optimizer = torch.optim.Adagrad(parameters, lr=self.rate, eps=1e-8)
        for _ in range(self.epochs):
            order = torch.randperm(len(label))
            for start in range(0, len(label), 256):
                batch = order[start : start + 256]
                loss = torch.nn.functional.binary_cross_entropy_with_logits(self._logit(rows[batch]), label[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return self

    def predict_proba(self, X):
        """Return the probabilities of both classes."""
        with torch.no_grad():
            p = torch.sigmoid(self._logit(self._rows(X))).numpy()
        return np.column_stack([1 - p, p])

    @staticmethod
    def _rows(X):
        return torch.tensor(X.indices.reshape(X.shape[0], -1), dtype=torch.int64)


def click_models(n_columns: int) -> dict[str, tuple[Callable[[], object], str]]:
    """Return each model, and the form of the columns that it takes."""
    boosting = {"n_estimators": 100, "num_leaves": 12, "learning_rate": 0.1, "n_jobs": 1, "verbose": -1}
    network = partial(CrossNetworkClassifier, learning_rate=0.03, random_state=0)
    machine = partial(FactorizationMachineClassifier, 8, learning_rate=0.03, n_epochs=2, random_state=0)
    return {
        "`SmoothedCTR`, the ad": (SmoothedCTR, "ad"),
        "scikit-learn `LogisticRegression`": (partial(LogisticRegression, C=0.3, max_iter=300), "sparse"),
        "`FTRLProximal`, one pass": (partial(FTRLProximal, 0.3), "sparse"),
        "scikit-learn boosted trees": (
            partial(HistGradientBoostingClassifier, max_leaf_nodes=12, early_stopping=False, random_state=0),
            "dense",
        ),
        "LightGBM": (partial(lightgbm.LGBMClassifier, **boosting), "dense"),
        "`GBDTLogisticRegression`": (partial(GBDTLogisticRegression, 100, 12, random_state=0), "dense"),
        "`FactorizationMachineClassifier`": (machine, "sparse"),
        "the same in PyTorch": (partial(TorchFactorizationMachine, n_columns), "sparse"),
        "`CrossNetworkClassifier`, wide & deep": (partial(network, 8, 0, 32), "ids"),
        "`CrossNetworkClassifier`, two cross layers": (partial(network, 8, 2, 0), "ids"),
        "`MultiTaskClassifier`, click and hide": (
            partial(MultiTaskClassifier, learning_rate=0.03, random_state=0),
            "ids",
        ),
    }


def train(make: Callable[[], object], X: object, labels: np.ndarray, trained: list) -> None:
    """Train a new model and keep it in the list."""
    trained.append(make().fit(X, labels))
