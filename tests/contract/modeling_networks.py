"""Click models with embeddings, retrieval, sequences, semantic identities, diversity."""

import numpy as np

from snippets.modeling.cross_network import CrossNetworkClassifier, cross_layers
from snippets.modeling.diversify import maximal_marginal_relevance
from snippets.modeling.multi_task import MultiTaskClassifier
from snippets.modeling.next_item import NextItem
from snippets.modeling.semantic_ids import SemanticIDs
from snippets.modeling.two_tower_logq import TwoTower, in_batch_softmax
from tests.contract.calls import Call
from tests.contract.roles import Classes, Count, Fixed, Matrix, Number, Numbers, Times, Units, Whole

CODES = [[0, 1], [1, 0], [3, -1], [0, 0], [1, 1], [3, 1]]
LABELS = [0, 1, 0, 1, 1, 0]
WEIGHT = [1, 2, 0, 1, 3, 1]
RATE = {"learning_rate": Number(0.5, interval="(0, inf)"), "init_scale": Number(0.25, interval="(0, inf)")}
PASSES = {"n_epochs": Count(2), "n_factors": Count(2)}


class PartialLabels(Matrix):
    """Labels of several tasks, of which some may not be known."""

    def bad(self):
        yield "two", np.where(np.arange(len(self.value))[:, None] == 1, 2, self.value), "row 1"
        yield from super().bad()


def crossed(X, y, sample_weight, batch_size, n_cross, n_hidden, **parameters):
    """Return what a network learns in full batches, so that the order of rows is that of a sum."""
    model = CrossNetworkClassifier(
        n_cross=n_cross, n_hidden=n_hidden, batch_size=batch_size, random_state=0, **parameters
    )
    return model.fit(X, y, sample_weight).predict_proba(X)


def shared(X, Y, sample_weight, batch_size, n_experts, n_hidden, entire_space, **parameters):
    """Return what tasks learn in full batches, so that the order of rows is that of a sum."""
    model = MultiTaskClassifier(
        n_experts=n_experts,
        n_hidden=n_hidden,
        entire_space=entire_space,
        batch_size=batch_size,
        random_state=0,
        **parameters,
    )
    return model.fit(X, Y, sample_weight).predict_proba(X)


def towers(user_codes, item_codes, batch_size, **parameters):
    """Return the vectors that two towers learn in full batches."""
    model = TwoTower(batch_size=batch_size, random_state=0, **parameters).fit(user_codes, item_codes)
    return np.hstack([model.users(user_codes), model.items(item_codes)])


def follows(user, item, time, n_items, histories, **parameters):
    """Return the scores after a fit."""
    return NextItem(**parameters).fit(user, item, time, n_items).scores(histories)


def identities(X, n_levels, n_codes):
    """Return the vectors that the codes stand for, for the numbers of the codes are arbitrary."""
    model = SemanticIDs(n_levels, n_codes, random_state=0).fit(X)
    return model.inverse_transform(model.transform(X))


def decoded(codes):
    """Return the vectors of codes."""
    return SemanticIDs(2, 2, random_state=0).fit([[0, 0], [0, 1], [9, 0], [9, 1]]).inverse_transform(codes)


CALLS = [
    Call(
        cross_layers,
        {
            "x": Matrix([[2, 3], [1, 0.5]]),
            "weights": Fixed([[[0, 1], [0, 0]], [[1, 0], [2, 1]]]),
            "biases": Matrix([[0, 1], [0.5, 0]], rows="layers"),
        },
        order="rows",
        result=lambda layers: layers[-1],
    ),
    Call(
        crossed,
        {
            "X": Matrix(CODES, whole=True),
            "y": Classes(LABELS, says="y |label"),
            "sample_weight": Numbers(WEIGHT, interval="[0, inf)"),
            "batch_size": Count(100),
            "n_cross": Count(1, least=0),
            "n_hidden": Count(2, least=0),
            **RATE,
            **PASSES,
        },
        covers=CrossNetworkClassifier,
        order="rows",
    ),
    Call(
        shared,
        {
            "X": Matrix(CODES, whole=True),
            "Y": PartialLabels(np.column_stack([LABELS, [0, 1, 0, 0, 1, 0]]), whole=True, missing=True),
            "sample_weight": Numbers(WEIGHT, interval="[0, inf)"),
            "batch_size": Count(100),
            "n_experts": Count(2),
            "n_hidden": Count(2),
            "entire_space": Fixed(False),
            **RATE,
            **PASSES,
        },
        covers=MultiTaskClassifier,
        order="rows",
    ),
    Call(
        in_batch_softmax,
        {
            "user": Matrix([[1, 0], [0.5, 1], [2, 1]]),
            "item": Matrix([[0, 1], [0.25, 1], [1, 1]]),
            "log_q": Numbers([-1, -2, -0.5]),
        },
        result=lambda found: found[0],
    ),
    Call(
        towers,
        {
            "user_codes": Matrix([[0, 1], [1, 0], [3, -1], [0, 0], [1, 1], [3, 1]], whole=True),
            "item_codes": Matrix([[4, 0], [6, 1], [8, 1], [4, 0], [6, -1], [8, 1]], whole=True),
            "batch_size": Count(100, least=2),
            **RATE,
            **PASSES,
        },
        covers=TwoTower,
        order="rows",
    ),
    Call(
        follows,
        {
            "user": Units([7, 7, 9, 9, 7]),
            "item": Whole([0, 2, 0, 1, 1], least=0),
            "time": Times([1, 2, 3, 9, 5]),
            "n_items": Count(3),
            "histories": Matrix([[0, 1], [-1, 2], [-1, -1]], whole=True, rows="histories"),
            "n_lags": Count(2),
            "decay": Number(0.5, interval="(0, 1]"),
            "shrink": Number(2, interval="(0, inf)"),
        },
        covers=NextItem,
        order="rows",
        by="histories",
    ),
    Call(
        identities,
        {"X": Matrix([[0, 0], [0, 1], [9, 0], [9, 1], [0.5, 0.5]]), "n_levels": Count(2), "n_codes": Count(2)},
        covers=SemanticIDs,
        order="matters",
    ),
    Call(decoded, {"codes": Matrix([[0, 1], [1, 0]], whole=True)}, covers=SemanticIDs, order="rows"),
    Call(
        maximal_marginal_relevance,
        {
            "relevance": Numbers([1, 0.75, 0.5, 0.25]),
            "vectors": Matrix([[1, 0], [1, 0.5], [0, 1], [1, 1]]),
            "k": Count(3, most=4),
            "trade_off": Number(0.5, interval="[0, 1]"),
        },
        order="matters",
    ),
]
