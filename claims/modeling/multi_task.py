"""Claims of docs/modeling/multi-task.md."""

from __future__ import annotations

import numpy as np
from scipy.special import logit
from sklearn.base import BaseEstimator, ClassifierMixin

from claims.claim import above, below, between, claim, experiment
from claims.protocol import BUDGET, TEST, VALIDATION, small_fields
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.modeling.model_comparison import compare_models
from snippets.modeling.multi_task import MultiTaskClassifier

RATES = (0.02, 0.05, 0.1)


def fields(log):
    """Return category, device, age group, ad and user as codes."""
    return np.column_stack([small_fields(log), log["ad_id"], log["user_id"]])


def parts(log):
    """Return the rows to fit on, to choose a setting on, and to judge on."""
    day = log["day"].to_numpy()
    return day < VALIDATION, (day >= VALIDATION) & (day < TEST), day >= TEST


class FromZero(MultiTaskClassifier):
    """The same network with biases that start at 0, where each label is as likely as not."""

    def _base_log_odds(self, Y, weight):
        return np.zeros(Y.shape[1])


class Beside(ClassifierMixin, BaseEstimator):
    """Learn a label alone, or beside another, which is the last column of X and not looked at when predicting."""

    def __init__(self, shared=True, network=MultiTaskClassifier, learning_rate=0.05, random_state=None):
        self.shared, self.network = shared, network
        self.learning_rate, self.random_state = learning_rate, random_state

    def fit(self, X, y):
        """Learn from codes and labels."""
        self.model_ = self.network(learning_rate=self.learning_rate, random_state=self.random_state)
        self.model_.fit(X[:, :-1], np.column_stack([y, X[:, -1]]) if self.shared else y[:, None])
        return self

    def predict_proba(self, X):
        """Return the probabilities of both classes."""
        p = self.model_.predict_proba(X[:, :-1])[:, 0]
        return np.column_stack([1 - p, p])


def entropies(log, y, others, seed):
    """Return the entropy of a label on later days, alone and beside each of others, each at its best of three rates."""
    X = fields(log)
    candidates = {
        name: (np.column_stack([X, y]), [Beside(False, network, rate, seed) for rate in RATES])
        for name, network in [("alone", MultiTaskClassifier), ("alone, from 0", FromZero)]
    }
    for name, other in others.items():
        candidates[name] = np.column_stack([X, other]), [Beside(learning_rate=r, random_state=seed) for r in RATES]
    table = compare_models(candidates, y, *parts(log), budget=BUDGET, loss=normalized_entropy).table
    return table["test"].to_dict()


WORLDS = {"default": {}, "more drift": {"drift": 0.25}, "fewer users": {"n_users": 300}}


@experiment(worlds=WORLDS)
def rare_labels(seed, *, drift=0.08, n_users=1_000, unrelated=False, alike=False, rate=0.005):
    log = simulate_ad_log(60_000, n_users=n_users, n_ads=300, base_ctr=0.1, seed=seed, drift=drift)
    rng, click = np.random.default_rng([seed, 5]), log["click"].to_numpy()
    shuffled = rng.permutation(click)
    others = {"beside clicks": rng.permutation(click) if unrelated else click, "beside shuffled clicks": shuffled}
    like = rate * log["p_click"].to_numpy() / log["p_click"].mean()  # rare, and for the reasons of a click
    found = {}
    for name, p in [("hides", like if alike else log["p_hide"].to_numpy()), ("likes", like)]:
        y = (rng.random(len(log)) < p).astype(np.int64)
        found |= {f"{name} {how}": value for how, value in entropies(log, y, others, seed).items()}
    return found


@claim(
    "A rare label that comes about as clicks do is predicted better with clicks beside it than alone.",
    rare_labels,
    holds=below(0),
    twin={"unrelated": True},
    unit="of normalized entropy",
)
def likes_gain(found):
    return found["likes beside clicks"] - found["likes alone"]


@claim(
    "A rare label that comes about as clicks do is predicted better beside clicks than beside shuffled clicks.",
    rare_labels,
    holds=below(0),
    twin={"unrelated": True},
    unit="of normalized entropy",
)
def likes_learn_from_clicks(found):
    return found["likes beside clicks"] - found["likes beside shuffled clicks"]


@claim(
    "Hides are predicted better with clicks beside them than alone.",
    rare_labels,
    holds=below(0),
    twin={"alike": True},
    says="varies",
    unit="of normalized entropy",
)
def hides_gain(found):
    return found["hides beside clicks"] - found["hides alone"]


@claim(
    "Hides are predicted better beside clicks than beside shuffled clicks.",
    rare_labels,
    holds=below(0),
    twin={"alike": True, "n_users": 300},
    says="varies",
    unit="of normalized entropy",
)
def hides_learn_from_clicks(found):
    return found["hides beside clicks"] - found["hides beside shuffled clicks"]


@claim(
    "A rare label alone is predicted worse if the network's bias starts at 0, and not at the label's log odds.",
    rare_labels,
    holds=above(0),
    twin={"rate": 0.4},
    unit="of normalized entropy",
)
def bias_at_zero_loses(found):
    return found["likes alone, from 0"] - found["likes alone"]


@claim(
    "With hides beside them, clicks are predicted as well as alone, to within a hundredth.",
    holds=between(-0.01, 0.01),
    twin={"telling": True},
    unit="of normalized entropy",
    seeds=20,
    worlds=WORLDS,
)
def clicks_pay_little(seed, *, drift=0.08, n_users=1_000, telling=False):
    log = simulate_ad_log(60_000, n_users=n_users, n_ads=300, base_ctr=0.1, seed=seed, drift=drift)
    other = log["hide"].to_numpy()
    if telling:  # the other label is drawn five times as often for the reasons of a click
        other = (np.random.default_rng([seed, 9]).random(len(log)) < 5 * log["p_click"]).to_numpy().astype(np.int64)
    found = entropies(log, log["click"].to_numpy(), {"shared": other}, seed)
    return found["shared"] - found["alone"]


class AfterClick(ClassifierMixin, BaseEstimator):
    """Learn conversions in one of three ways; the last column of X says who clicked.

    Rows that nobody clicked are predicted too, and marked by a minus, so that a loss can leave them out.
    """

    def __init__(self, way="clicks alone", learning_rate=0.05, random_state=None):
        self.way, self.learning_rate, self.random_state = way, learning_rate, random_state

    def fit(self, X, y):
        """Learn from codes and conversions."""
        entire = self.way == "entire space"
        self.model_ = MultiTaskClassifier(
            entire_space=entire, learning_rate=self.learning_rate, random_state=self.random_state
        )
        X, click = X[:, :-1], X[:, -1]
        if self.way == "clicks alone":
            self.model_.fit(X[click == 1], y[click == 1, None])
        else:
            self.model_.fit(X, np.column_stack([click, y if entire else np.where(click == 1, y, np.nan)]))
        return self

    def predict_proba(self, X):
        """Return the probability of a conversion after a click in the second column."""
        p = self.model_.predict_proba(X[:, :-1])[:, -1]
        return np.column_stack([1 - p, np.where(X[:, -1] == 1, p, -p)])


def entropy_after_click(y, p):
    """Return the normalized entropy over the rows that were clicked."""
    return normalized_entropy(y[p > 0], p[p > 0])


@experiment(worlds={"default": {}, "rarer clicks": {"base_ctr": 0.05}, "fewer users": {"n_users": 500}})
def conversions(seed, *, base_ctr=0.1, n_users=1_500, unselected=False):
    log = simulate_ad_log(80_000, n_users=n_users, n_ads=400, base_ctr=base_ctr, seed=seed)
    click, bought, truth = log["click"].to_numpy(), log["conversion"].to_numpy(), log["p_conversion"].to_numpy()
    if unselected:  # whether there is a click says nothing of the one who clicks
        rng = np.random.default_rng([seed, 8])
        click = (rng.random(len(log)) < base_ctr).astype(np.int64)
        bought = click * (rng.random(len(log)) < truth)
    X, (_, _, later) = np.column_stack([fields(log), click]), parts(log)
    ways = ("clicks alone", "shared bottom", "entire space")
    candidates = {way: (X, [AfterClick(way, rate, seed) for rate in RATES]) for way in ways}
    compared = compare_models(candidates, bought, *parts(log), budget=BUDGET, loss=entropy_after_click)
    found = {}
    for way in ways:
        p = np.abs(compared.predictions[way])
        found[f"{way}: entropy after a click"] = compared.table["test"][way]
        found[f"{way}: mean over all, of the true one"] = p.mean() / truth[later].mean()
        found[f"{way}: correlation with the truth"] = np.corrcoef(logit(p), logit(truth[later]))[0, 1]
    return found


@claim(
    "Over the entire space, conversions after a click are predicted better than by a model of clicked rows alone.",
    conversions,
    holds=below(0),
    twin={"unselected": True},
    says="varies",
    unit="of normalized entropy",
)
def entire_space_beats_clicks_alone(found):
    return found["entire space: entropy after a click"] - found["clicks alone: entropy after a click"]


@claim(
    "Over the entire space, conversions after a click are predicted better than with a shared bottom.",
    conversions,
    holds=below(0),
    twin={"unselected": True},
    says="varies",
    unit="of normalized entropy",
)
def entire_space_beats_shared_bottom(found):
    return found["entire space: entropy after a click"] - found["shared bottom: entropy after a click"]


@claim(
    "All three promise more conversions than the truth, over all impressions.",
    conversions,
    holds=above(1.05),
    twin={"unselected": True},
    unit="times the true mean",
)
def all_promise_too_much(found):
    return min(value for name, value in found.items() if name.endswith("of the true one"))


@experiment(seeds=20, worlds={"default": {}, "rarer clicks": {"base_ctr": 0.05}, "fewer users": {"n_users": 500}})
def weights(seed, *, base_ctr=0.1, n_users=1_500, unselected=False, shuffled=False):
    log = simulate_ad_log(80_000, n_users=n_users, n_ads=400, base_ctr=base_ctr, seed=seed)
    truth, p_click, click = (log[c].to_numpy() for c in ("p_conversion", "p_click", "click"))
    rng, (train, validate, later) = np.random.default_rng([seed, 8]), parts(log)
    if unselected:
        p_click = np.full(len(log), base_ctr)
        click = (rng.random(len(log)) < p_click).astype(np.int64)
    X, past = np.column_stack([fields(log), log["position"]]), train | validate
    model = MultiTaskClassifier(random_state=seed).fit(X[past], click[past, None])
    rows = later & (click == 1)
    if shuffled:  # the probabilities are those of other rows
        p_click = rng.permutation(p_click)
    mean = truth[later].mean()
    by_model, by_truth = 1 / model.predict_proba(X[rows])[:, 0], 1 / p_click[rows]
    return {
        "clicks as they are": truth[rows].mean() / mean,
        "weighed by the predicted p(click)": np.average(truth[rows], weights=by_model) / mean,
        "weighed by the true p(click)": np.average(truth[rows], weights=by_truth) / mean,
    }


@claim(
    "Weights by the predicted probability of a click take away a part of the bias.",
    weights,
    holds=below(0),
    twin={"unselected": True},
    percent=True,
    unit="of the true mean",
)
def predicted_weights_help(found):
    return found["weighed by the predicted p(click)"] - found["clicks as they are"]


@claim(
    "After weights by the predicted probability of a click, a bias of more than a twentieth is left.",
    weights,
    holds=above(0.05),
    twin={"unselected": True},
    percent=True,
    unit="of the true mean",
)
def predicted_weights_leave_bias(found):
    return found["weighed by the predicted p(click)"] - 1


@claim(
    "With weights by the true probability of a click, no bias is left.",
    weights,
    holds=between(-0.05, 0.05),
    twin={"shuffled": True},
    percent=True,
    unit="of the true mean",
)
def true_weights_are_right(found):
    return found["weighed by the true p(click)"] - 1
