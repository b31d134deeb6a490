"""What docs/modeling/training-process.md says."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, below, between, claim, experiment
from claims.protocol import all_fields, compare, settings
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.calibration import calibration_ratio
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.features.hashing import hash_features
from snippets.modeling.cross_network import CrossNetworkClassifier
from snippets.modeling.factorization_machine import FactorizationMachineClassifier


@experiment(seeds=10, worlds={"default": {}, "more drift": {"drift": 0.25}, "more clicks": {"base_ctr": 0.06}})
def stopped(seed, *, drift=0.08, base_ctr=0.03, patient=False, pairs=False):
    """Return the normalized entropy of a factorization machine and of linear models that stop early and late."""
    log = simulate_ad_log(60_000, n_users=2_000, n_ads=300, seed=seed, drift=drift, base_ctr=base_ctr)
    if pairs:  # a world in which nothing but the pair of category and device decides
        alike = log["category"].cat.codes % 2 == log["device"].cat.codes % 2
        log["click"] = (np.random.default_rng(seed).random(len(log)) < np.where(alike, 0.1, 0.01)).astype(int)
    X, candidates = OneHotEncoder(handle_unknown="ignore").fit_transform(all_fields(log)), {}
    for tol in (1e-2, 1e-3, 1e-6):
        tried = [LogisticRegression(C=C, max_iter=2_000, tol=1e-6 if patient else tol) for C in (0.03, 0.1, 0.3, 1.0)]
        candidates[f"linear, tol={tol:g}"] = X, tried
    candidates["factorization machine"] = X, settings(seed)["factorization machine"]
    return compare(log, candidates).table["test"].to_dict()


@claim(
    "A linear model stopped at a tolerance of 0.01 has a normalized entropy that is higher by more than 0.03.",
    stopped,
    holds=above(0.03),
    twin={"patient": True},
)
def stopped_early_is_nearly_useless(found):
    return found["linear, tol=0.01"] - found["linear, tol=1e-06"]


@claim(
    "The lead of a factorization machine over a linear model is larger if that was stopped at a tolerance of 0.001.",
    stopped,
    holds=above(0.002),
    twin={"patient": True},
)
def stopping_the_baseline_flatters_the_rival(found):
    return found["linear, tol=0.001"] - found["linear, tol=1e-06"]


@claim(
    "With equal budgets, it depends on the log whether a factorization machine beats a linear model run to its end.",
    stopped,
    holds=above(0),
    twin={"pairs": True},
    says="varies",
)
def factorization_machine_beats_linear(found):
    return found["linear, tol=1e-06"] - found["factorization machine"]


@experiment(seeds=20)
def chosen(seed, *, tries=30):
    """Return what the best of many sets of noise promises on the days that chose it, and what later days give."""
    log = simulate_ad_log(30_000, seed=seed)
    y, day, rng = log["click"].to_numpy(), log["day"].to_numpy(), np.random.default_rng(seed)
    base = np.eye(8)[log["category"].cat.codes]
    spans = {"one day": day == 9, "three days": (day >= 9) & (day < 12), "later": day >= 12}
    model, gains = LogisticRegression(C=0.3, solver="newton-cholesky"), {name: [] for name in spans}
    plain = model.fit(base[day < 9], y[day < 9]).predict_proba(base)[:, 1]
    for _ in range(tries):
        X = np.hstack([base, rng.integers(0, 2, (len(y), 20))])
        p = model.fit(X[day < 9], y[day < 9]).predict_proba(X)[:, 1]
        for name, rows in spans.items():
            gains[name].append(normalized_entropy(y[rows], plain[rows]) - normalized_entropy(y[rows], p[rows]))
    best = {name: int(np.argmax(gains[name])) for name in ("one day", "three days")}
    found = {f"{name}, promised": gains[name][i] for name, i in best.items()}
    return found | {f"{name}, kept": gains["later"][i] for name, i in best.items()}


@claim(
    "The best of thirty sets of noise, chosen on one day, promises more than later days give.",
    chosen,
    holds=above(0),
    twin={"tries": 1},
)
def one_day_promises_too_much(found):
    return found["one day, promised"] - found["one day, kept"]


@claim(
    "Chosen on three days in place of one, the best of thirty sets of noise promises less.",
    chosen,
    holds=above(0),
    twin={"tries": 1},
)
def three_days_promise_less(found):
    return found["one day, promised"] - found["three days, promised"]


@experiment(seeds=10)
def runs(seed, *, rate=0.05):
    """Return how two settings of a network compare, over five seeds of the network each, on one log."""
    log = simulate_ad_log(40_000, n_users=2_000, n_ads=300, seed=seed)
    X, y, past = all_fields(log), log["click"].to_numpy(), (log["day"] < 10).to_numpy()
    entropies = []
    for n_hidden, step in [(8, 0.05), (32, rate)]:
        networks = [CrossNetworkClassifier(8, 0, n_hidden, learning_rate=step, random_state=s) for s in range(5)]
        fitted = [network.fit(X[past], y[past]) for network in networks]
        entropies.append([normalized_entropy(y[~past], n.predict_proba(X[~past])[:, 1]) for n in fitted])
    small, large = np.array(entropies)
    better = small.mean() > large.mean()
    return {
        "difference of the means": small.mean() - large.mean(),
        "deviation between seeds": np.sqrt((small.var(ddof=1) + large.var(ddof=1)) / 2),
        "wrong winners": np.mean([(a > b) != better for a in small for b in large]),
    }


@claim(
    "One run each of 8 and of 32 hidden units picks another winner than five runs each, two times in ten or more.",
    runs,
    holds=above(0.2),
    twin={"rate": 0.0001},
    percent=True,
)
def one_run_is_a_draw(found):
    return found["wrong winners"]


@experiment(seeds=20)
def fault(seed, *, lost=True, drift=0.15, stale=False):
    """Return how models stand on the days after a fault of the log, which starts on day 5 and is repaired on day 6."""
    log = simulate_ad_log(84_000, n_users=2_000, n_ads=300, drift=drift, seed=seed)
    X, day = (
        hash_features(log[["category", "device", "age_group", "ad_id", "user_id"]], n_bits=14),
        log["day"].to_numpy(),
    )
    y, phone = log["click"].to_numpy(), (log["device"] == "mobile").to_numpy()
    if stale:  # the first days say nothing of the later ones
        y = np.where(day < 5, np.random.default_rng(seed).permutation(y), y)
    logged = np.where((day == 5) & phone & lost, 0, y)
    made = {"n_factors": 4, "learning_rate": 0.05, "random_state": seed}
    warm = FactorizationMachineClassifier(**made).partial_fit(X[day < 5], y[day < 5], classes=[0, 1])
    p = {name: np.zeros(len(y)) for name in ("warm", "seven days", "all days")}
    for today in range(5, 13):
        warm.partial_fit(X[day == today], logged[day == today])
        rows = day == today + 1
        p["warm"][rows] = warm.predict_proba(X[rows])[:, 1]
        if today in (5, 6, 10, 11, 12):
            for name, first in [("seven days", today - 6), ("all days", 0)]:
                known = (day <= today) & (day >= first)
                labels = np.where(day == today, logged, y)  # yesterday's fault is repaired, today's is not
                anew = FactorizationMachineClassifier(n_epochs=1, **made).fit(X[known], labels[known])
                p[name][rows] = anew.predict_proba(X[rows])[:, 1]
    found = {}
    for name, score in p.items():
        for when, served in [("first day", day == 6), ("second day", day == 7), ("later", day >= 11)]:
            found[f"{name}, {when}, phones"] = calibration_ratio(y[served & phone], score[served & phone])
            found[f"{name}, {when}"] = normalized_entropy(y[served], score[served])
    return found


@claim(
    "On the morning after the fault, a warm start promises less of the clicks on phones than a model trained anew.",
    fault,
    holds=below(0),
    twin={"lost": False},
    percent=True,
)
def a_fault_hits_the_warm_start_harder(found):
    return found["warm, first day, phones"] - found["all days, first day, phones"]


@claim(
    "A day later the log is mended; the warm start still promises fewer clicks on phones than a model trained anew.",
    fault,
    holds=below(-0.05),
    twin={"lost": False},
    percent=True,
)
def the_damage_outlasts_the_fault(found):
    return found["warm, second day, phones"] - found["all days, second day, phones"]


@claim(
    "From six days after the fault on, warm start and model trained anew promise the same on phones, within 5 points.",
    fault,
    holds=between(-0.05, 0.05),
    twin={"lost": False, "drift": 3.0},
    percent=True,
)
def a_warm_start_forgets(found):
    return found["warm, later, phones"] - found["all days, later, phones"]


@claim(
    "Six days after the fault, the warm start has a lower entropy than a model trained on the last seven days.",
    fault,
    holds=below(0),
    twin={"stale": True},
)
def more_days_beat_fewer(found):
    return found["warm, later"] - found["seven days, later"]


@claim(
    "Six days after the fault, warm start and a model trained anew on all days are level in entropy, to within 0.005.",
    fault,
    holds=between(-0.005, 0.005),
    twin={"lost": False, "drift": 3.0},
)
def all_days_anew_are_level(found):
    return found["warm, later"] - found["all days, later"]


@claim(
    "Numbers added in another order give another sum, in its last digits.",
    holds=above(0),
    twin={"whole": True},
    seeds=20,
    unit="steps from one number of 64 bits to the next",
)
def sums_depend_on_their_order(seed, *, whole=False):
    values = np.random.default_rng(seed).integers(0, 1_000, 100_000) * (1.0 if whole else 0.1)
    by_hand = np.cumsum(values)[-1]  # one after the other
    return abs(values.sum() - by_hand) / np.spacing(by_hand)  # NumPy adds in blocks
