"""Claims of docs/features/leaky-splits.md."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict, cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from claims.claim import above, below, between, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.features.hashing import hash_features
from snippets.features.target_encoding import encode_from, encode_ordered, encode_out_of_fold

WORLDS = {"default": {}, "more drift": {"drift": 0.25}, "rarer clicks": {"base_ctr": 0.01}}


@experiment(seeds=10, worlds=WORLDS)
def folds(seed, *, drift=0.08, base_ctr=0.03, shuffled=False):
    """Return normalized entropies, cross-validated by rows and by users."""
    log = simulate_ad_log(15_000, seed=seed, n_users=150, n_ads=200, drift=drift, base_ctr=base_ctr)
    if shuffled:
        log["user_id"] = np.random.default_rng(seed).permutation(log["user_id"])
    X, y, users = (
        hash_features(log[["category", "device", "ad_id", "user_id"]], n_bits=16),
        log["click"],
        log["user_id"],
    )
    entropy = {}
    for name, parts in [
        ("rows", KFold(4, shuffle=True, random_state=seed).split(X)),
        ("users", GroupKFold(4).split(X, groups=users)),
    ]:
        model = LogisticRegression(C=0.3, max_iter=200)
        p = cross_val_predict(model, X, y, cv=list(parts), method="predict_proba")[:, 1]
        entropy[name] = normalized_entropy(y, p)
    return entropy


@experiment(seeds=20, worlds={"default": {}, "more rows": {"rows": 600}, "fewer columns": {"columns": 300}})
def chosen(seed, *, rows=200, columns=2_000, signal=0.0):
    """Return AUCs, cross-validated, of twenty columns chosen on all rows and inside each fold."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(rows, columns)), np.repeat([0, 1], rows // 2)
    X[:, :20] += signal * y[:, None]
    outside = SelectKBest(k=20).fit_transform(X, y)
    inside = make_pipeline(SelectKBest(k=20), LogisticRegression())
    return {
        "outside": cross_val_score(LogisticRegression(), outside, y, scoring="roc_auc").mean(),
        "inside": cross_val_score(inside, X, y, scoring="roc_auc").mean(),
    }


@claim(
    "On some hundred rows of five columns, scaling all at once moves a linear model's AUC by less than 0.002.",
    holds=below(0.002),
    twin={"rows": 40, "tails": 1.2, "neighbours": 5},
    seeds=20,
    worlds={"default": {}, "long tails": {"tails": 2.5}, "fewer rows": {"rows": 250}},
    unit="of AUC",
)
def scaling_leaks_nothing_to_see(seed, *, rows=500, tails=30.0, neighbours=0):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat([0, 1], rows // 2))
    X = 10 * (rng.standard_t(tails, size=(rows, 5)) + 0.3 * y[:, None]) + 3
    model = KNeighborsClassifier(neighbours) if neighbours else LogisticRegression()
    outside = cross_val_score(model, StandardScaler().fit_transform(X), y, scoring="roc_auc")
    inside = cross_val_score(make_pipeline(StandardScaler(), model), X, y, scoring="roc_auc")
    return abs((outside - inside).mean())


@experiment(seeds=10, worlds=WORLDS)
def own_label(seed, *, n_users=3_000, drift=0.08, base_ctr=0.03):
    """Return normalized entropies in training and on later days, by how the user is encoded."""
    log = simulate_ad_log(30_000, seed=seed, n_users=n_users, n_ads=300, drift=drift, base_ctr=base_ctr)
    past, click, user = (log["day"] < 10).to_numpy(), log["click"].to_numpy(), log["user_id"].to_numpy()
    y, y_later = click[past], click[~past]
    ad = np.asarray((log["ad_clicks"] + 1) / (log["ad_impressions"] + 33))
    later = encode_from(user[past], y, user[~past])
    everywhere = encode_from(user, click, user)
    fold, prior = np.random.default_rng(seed).integers(0, 5, len(y)), click[log["day"] < 1].mean()
    found = {"truth": normalized_entropy(y, log["p_click"][past])}
    for name, X, X_later in [
        ("own label", encode_from(user[past], y, user[past]), later),
        ("encoded before the split", everywhere[past], everywhere[~past]),
        ("other folds", encode_out_of_fold(user[past], y, fold), later),
        ("rows before", encode_ordered(user[past], y, log["timestamp"][past], prior=prior), later),
    ]:
        X, X_later = np.column_stack([X, ad[past]]), np.column_stack([X_later, ad[~past]])
        model = HistGradientBoostingClassifier(max_iter=50, max_leaf_nodes=8, early_stopping=False, random_state=0)
        a, b = (np.clip(model.fit(X, y).predict_proba(rows)[:, 1], 1e-6, 1 - 1e-6) for rows in (X, X_later))
        found[name], found[f"{name}, later"] = normalized_entropy(y, a), normalized_entropy(y_later, b)
    return found


@experiment(seeds=10, worlds={"default": {}, "larger leaves": {"leaf": 30}, "fewer copies": {"share": 0.1}})
def copies(seed, *, share=1 / 3, leaf=3):
    """Return normalized entropies of a forest, split at random and by time, with copies and without."""
    log = simulate_ad_log(10_000, seed=seed, n_users=1_500, n_ads=300)
    log["ad_rate"] = (log["ad_clicks"] + 1) / (log["ad_impressions"] + 33)
    columns = ["ad_rate", "hour", "ad_id", "user_id"]
    sent = pd.concat([log, log.sample(frac=share, random_state=seed)])
    found = {}
    for name, train, test in [
        ("as delivered, at random", *train_test_split(sent, test_size=0.3, random_state=seed)),
        ("once each, at random", *train_test_split(log, test_size=0.3, random_state=seed)),
        ("as delivered, by time", sent[sent["day"] < 10], log[log["day"] >= 10]),
        ("once each, by time", log[log["day"] < 10], log[log["day"] >= 10]),
    ]:
        forest = RandomForestClassifier(30, min_samples_leaf=leaf, max_features=2, random_state=0)
        p = forest.fit(train[columns], train["click"]).predict_proba(test[columns])[:, 1]
        found[name] = normalized_entropy(test["click"], np.clip(p, 1e-3, 1 - 1e-3))
    return found


@experiment(seeds=10, worlds={"default": {}, "more drift": {"drift": 0.25}})
def tuned(seed, *, drift=0.08, base_ctr=0.03, alike=False, same_days=False):
    """Return what the best of forty models on day 10 gains over their mean, there and on the days after."""
    log = simulate_ad_log(60_000, seed=seed, n_users=6_000, n_ads=600, drift=drift, base_ctr=base_ctr)
    rng, day, y = np.random.default_rng(seed), log["day"].to_numpy(), log["click"].to_numpy()
    rates = [np.log((log[f"{w}_clicks"] + 1) / (log[f"{w}_impressions"] + 33)) for w in ("ad", "user")]
    groups = [log[c] == v for c in ("category", "device") for v in log[c].cat.categories]
    X = np.column_stack([*rates, *groups, rng.normal(size=(len(log), 40))]).astype(float)
    train, tune = (day < 4) & (rng.random(len(log)) < 0.5), day[day >= 10] == 10
    after = np.ones(len(tune), bool) if same_days else ~tune
    tune = after if same_days else tune
    scores = []
    for _ in range(40):
        if alike:  # the same columns and setting, and nearly the same rows
            kept, C, rows = np.arange(X.shape[1]), 0.01, rng.random(train.sum()) < 0.98
        else:
            kept = np.r_[0:2, 2 + np.flatnonzero(rng.random(X.shape[1] - 2) < 0.5)]
            C, rows = 10 ** rng.uniform(-4, 0), slice(None)
        model = LogisticRegression(C=C, tol=1e-5, max_iter=500).fit(X[train][rows][:, kept], y[train][rows])
        p = model.predict_proba(X[day >= 10][:, kept])[:, 1]
        scores.append([normalized_entropy(y[day >= 10][part], p[part]) for part in (tune, after)])
    scores = np.array(scores)
    there, then = scores.mean(axis=0) - scores[scores[:, 0].argmin()]
    return {"there": there, "after": then}


@claim(
    "Cut by rows, the same model scores better than cut by users, whom it then does not know.",
    folds,
    holds=above(0),
    twin={"shuffled": True},
    unit="of normalized entropy",
)
def new_users_do_worse(found):
    return found["users"] - found["rows"]


@claim(
    "Columns chosen on all rows show skill in coin flips.",
    chosen,
    holds=above(0.05),
    twin={"columns": 20},
    unit="of AUC above one half",
)
def choosing_on_all_rows_invents_skill(found):
    return found["outside"] - 0.5


@claim(
    "Chosen inside each fold they show none: on average over logs the AUC is within 0.05 of one half.",
    chosen,
    holds=between(-0.05, 0.05),
    twin={"signal": 0.5},
    unit="of AUC above one half",
)
def choosing_inside_shows_none(found):
    return found["inside"] - 0.5


@claim(
    "With ten rows a user and its own label in the encoding, the model beats the truth in training.",
    own_label,
    holds=below(0),
    twin={"n_users": 20},
    unit="of normalized entropy, against the truth",
)
def own_label_beats_the_truth_in_training(found):
    return found["own label"] - found["truth"]


@claim(
    "On later days, encoded by training rows, it is worse than one guess for all.",
    own_label,
    holds=above(1),
    twin={"n_users": 20},
    unit="of normalized entropy",
)
def own_label_ruins_later_days(found):
    return found["own label, later"]


@claim(
    "Encode all rows before the split, and the same leak flatters the test instead.",
    own_label,
    holds=above(0.1),
    twin={"n_users": 20},
    unit="of normalized entropy better than other folds",
)
def encoding_before_the_split_flatters(found):
    return found["other folds, later"] - found["encoded before the split, later"]


@claim(
    "Copies on both sides of a random split flatter a forest.",
    copies,
    holds=above(0.01),
    twin={"share": 0.0},
    unit="of normalized entropy",
)
def copies_flatter(found):
    return found["once each, at random"] - found["as delivered, at random"]


@claim(
    "Many copies in training make a forest worse on the same later days; a few do not show.",
    copies,
    holds=above(0),
    twin={"share": 0.0},
    says="varies",
    unit="of normalized entropy",
)
def copies_cost(found):
    return found["as delivered, by time"] - found["once each, by time"]


@claim(
    "The winner of forty models gains less on the days after, unless the world drifts and these days differ more.",
    tuned,
    holds=above(0),
    twin={"same_days": True},
    says="varies",
    unit="of normalized entropy lost",
)
def the_winner_disappoints(found):
    return found["there"] - found["after"]


@claim(
    "Of forty models that hardly differ, the winner gains less on the days after.",
    holds=above(0),
    twin={"same_days": True},
    percent=True,
    unit="of the gain lost",
)
def among_equals_the_gain_is_luck(seed, *, same_days=False):
    found = tuned(seed, alike=True, same_days=same_days)
    return 1 - found["after"] / found["there"]
