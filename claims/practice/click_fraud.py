"""Claims of docs/practice/click-fraud.md."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from claims.claim import above, below, between, claim, experiment

HONEST, SCRIPT, FARM = range(3)


def _clicks(rng, n, fraud, shift, shared):
    """Return rhythm, crowd and visit of clicks, and who clicked: three fifths of the fraud is scripts, the rest farms.

    One honest click in twenty comes from behind a shared address, so it looks crowded, too. Farms have ``shared`` of
    the strange rhythm by which scripts are found.
    """
    kind = rng.choice(3, n, p=[1 - fraud, 0.6 * fraud, 0.4 * fraud])
    columns = rng.normal(0, 1, (n, 3))
    columns[kind == SCRIPT] += [shift, shift / 2, 0]
    columns[kind == FARM] += [shared * shift, shift / 6, shift]
    columns[(kind == HONEST) & (rng.random(n) < 0.05), 1] += 2
    return columns, kind


def _chosen(rng, kind, wanted, farms=1 / 16):
    """Return which clicks are confirmed: ``wanted`` of the fraud, a farm ``farms`` times as often as a script."""
    return rng.random(len(kind)) < wanted / (0.6 + 0.4 * farms) * np.array([0, 1, farms])[kind]


def _score(rows, labels, new, linear=False):
    model = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=8, early_stopping=False, random_state=0)
    return (LogisticRegression() if linear else model).fit(rows, labels).predict_proba(new)[:, 1]


@experiment(
    worlds={
        "default": {},
        "a linear model": {"linear": True},
        "more is confirmed": {"confirmed": 0.5},
        "rarer fraud": {"fraud": 0.02},
        "farms click like scripts": {"shared": 1.0},
    },
)
def labels(seed, *, fraud=0.05, shift=3.0, shared=0.0, confirmed=0.3, farms=1 / 16, linear=False):
    """Return the share of all fraud, and of farms, in as many clicks as are fraud, by what the model was trained on.

    All get the same model, columns and settings, and are judged on the same new clicks. ``truth``, ``at random`` and
    ``chosen`` get the same rows, the last two as many labels; the audit gets a tenth of the rows, drawn at random, and
    what is true of them. ``constant``: the fraud that scores promise once they are divided by the mean score of other
    confirmed fraud, over the true number.
    """
    rng = np.random.default_rng([seed, 11])
    n = 40_000
    rows, kind = _clicks(rng, n, fraud, shift, shared)
    new, truth = _clicks(rng, n, fraud, shift, shared)
    lucky, other = ((k > 0) & (rng.random(n) < confirmed) for k in (kind, truth))
    audit = np.arange(n) < n // 10
    found = {}
    for name, used, labelled in [
        ("truth", slice(None), kind > 0),
        ("at random", slice(None), lucky),
        ("chosen", slice(None), _chosen(rng, kind, confirmed, farms)),
        ("audit", audit, kind > 0),
    ]:
        p = _score(rows[used], labelled[used], new, linear)
        dropped = np.zeros(n, dtype=bool)
        dropped[np.argsort(-p, kind="stable")[: (truth > 0).sum()]] = True
        found[f"{name}, fraud"] = dropped[truth > 0].mean()
        found[f"{name}, farms"] = dropped[truth == FARM].mean()
        if name == "at random":
            found["constant"] = p.sum() / p[other].mean() / (truth > 0).sum()
    return found


@claim(
    "Trained on fraud that was confirmed at random, with all else as honest, a model finds nine tenths or more of the "
    "fraud that the same model finds when it is trained on the truth.",
    labels,
    holds=above(0.9),
    twin={"confirmed": 0.01},
    percent=True,
    unit="of what the model of the truth finds",
)
def random_labels_keep_the_order(found):
    return found["at random, fraud"] / found["truth, fraud"]


@claim(
    "Where nearly all of the confirmed fraud is of one kind, a model finds less than half of the other kind that it "
    "finds with as many labels at random.",
    labels,
    holds=below(0.5),
    twin={"farms": 1.0},
    percent=True,
    unit="of what it finds with labels at random",
)
def chosen_labels_miss_a_kind(found):
    return found["chosen, farms"] / found["at random, farms"]


@claim(
    "Trained on an audit of a tenth of the rows, drawn at random, a model finds twice as much of the kind that is "
    "hardly ever confirmed, or more.",
    labels,
    holds=above(2),
    twin={"farms": 1.0},
    unit="times what it finds with chosen labels",
)
def a_small_audit_finds_both_kinds(found):
    return found["audit, farms"] / found["chosen, farms"]


@claim(
    "Divided by the mean score of other fraud confirmed at random, scores promise a quarter more fraud than there is, "
    "or worse, where honest clicks look like fraud.",
    labels,
    holds=above(1.25),
    twin={"shift": 8.0},
    unit="promised for each that is fraud",
)
def the_constant_counts_too_much(found):
    return found["constant"]


@experiment(
    seeds=20,
    worlds={
        "default": {},
        "a better click score": {"shift": 1.5},
        "fewer publishers cheat": {"dirty": 0.01},
        "less of their clicks": {"mix": 0.4},
    },
)
def deciders(seed, *, dirty=0.03, mix=0.5, shift=1.0, audience=0.0):
    """Return the share of fraud that is not charged when one honest click in 200 is not, by what the decision reads.

    A share of ``dirty`` publishers cheats, each with ``mix`` of its clicks. ``click`` reads the score of the click,
    ``publisher`` the mean score of all clicks of its publisher, ``both`` that of the click and the mean of the others.
    Each is a logistic regression of these, fitted to the truth of other publishers. All clicks of a publisher have
    something in common that is no fraud, of standard deviation ``audience``.
    """
    rng = np.random.default_rng([seed, 12])

    def month():
        size = rng.lognormal(3, 1, 3_000).astype(int) + 1
        publisher = np.repeat(np.arange(len(size)), size)
        cheats = mix * (rng.random(len(size)) < dirty)
        fraud = rng.random(len(publisher)) < cheats[publisher]
        score = rng.normal(0, 1, len(publisher)) + shift * fraud
        score += audience * rng.normal(0, 1, len(size))[publisher]
        total = np.bincount(publisher, score)[publisher]
        others = (total - score) / (size[publisher] + 9)
        mean = total / (size[publisher] + 10)
        return fraud, {"click": [score], "publisher": [mean, mean**2], "both": [score, others, others**2]}

    (past, known), (fraud, reads) = month(), month()
    found = {}
    for name, columns in known.items():
        model = LogisticRegression(C=np.inf).fit(np.column_stack(columns), past)
        p = model.predict_proba(np.column_stack(reads[name]))[:, 1]
        found[name] = (p[fraud] > np.quantile(p[~fraud], 0.995)).mean()
    return found


@claim(
    "Where few publishers cheat and honest ones are alike, the mean score of all clicks of a publisher finds half as "
    "much fraud again as the score of the click, or more, for as many honest clicks unpaid.",
    deciders,
    holds=above(1.5),
    twin={"dirty": 0.8},
    unit="times what the click alone finds",
)
def the_publisher_tells_more_than_the_click(found):
    return found["publisher"] / found["click"]


@claim(
    "Where half of the clicks of cheating publishers are honest, click and publisher together find a fifth more than "
    "the publisher alone, or better.",
    holds=above(1.2),
    twin={"mix": 1.0},
    seeds=20,
    worlds={"default": {}, "a better click score": {"shift": 1.5}, "more publishers cheat": {"dirty": 0.05}},
    unit="times what the publisher alone finds",
)
def both_find_more_where_traffic_is_mixed(seed, *, dirty=0.03, mix=0.5, shift=1.0):
    found = deciders(seed, dirty=dirty, mix=mix, shift=shift)
    return found["both"] / found["publisher"]


@claim(
    "Where the clicks of honest publishers have something in common, half as large as what fraud adds to a click, the "
    "publisher finds less than a third of what it finds where they are alike.",
    holds=below(1 / 3),
    twin={"audience": 0.1},
    seeds=20,
    worlds={"default": {}, "a better click score": {"shift": 1.5}, "fewer publishers cheat": {"dirty": 0.01}},
    percent=True,
    unit="of what it finds where they are alike",
)
def an_audience_looks_like_fraud(seed, *, dirty=0.03, shift=1.0, audience=0.5):
    alike, unlike = (deciders(seed, dirty=dirty, shift=shift, audience=a * shift) for a in (0.0, audience))
    return unlike["publisher"] / alike["publisher"]


def _recapture(seed, fraud=0.02, finds=0.4, hidden=0.0, special=0.0, alarms=0.0):
    """Return the fraud that the overlap of two detectors promises, over the true number.

    Each finds ``finds`` of the fraud and flags ``alarms`` of the honest clicks. ``hidden`` of the variance of what they
    see is how well a click is hidden from both; ``special`` is how much better each finds one half of the fraud, and
    worse the other.
    """
    rng = np.random.default_rng([seed, 13])
    n = 400_000
    bad, half, common = rng.random(n) < fraud, rng.random(n) < 0.5, rng.normal(0, 1, n)
    flags = []
    for better in (half, ~half):
        seen = np.sqrt(hidden) * common + np.sqrt(1 - hidden) * rng.normal(0, 1, n)
        found = seen > norm.isf(finds * np.where(better, 1 + special, 1 - special))
        flags.append(np.where(bad, found, rng.random(n) < alarms))
    one, two = flags
    return one.sum() * two.sum() / (one & two).sum() / bad.sum()


@claim(
    "Two detectors whose finds are confirmed, and that are independent on fraud, count all of it by their overlap, to "
    "within a twentieth.",
    holds=between(0.95, 1.05),
    twin={"hidden": 0.5},
    seeds=20,
    worlds={"default": {}, "they find less": {"finds": 0.2}, "rarer fraud": {"fraud": 0.005}},
    unit="counted for each that is fraud",
)
def independent_detectors_count_all(seed, *, fraud=0.02, finds=0.4, hidden=0.0):
    return _recapture(seed, fraud, finds, hidden)


@claim(
    "Where some fraud is hidden from two detectors, though they look at different things, their overlap counts less "
    "than four fifths of it.",
    holds=below(0.8),
    twin={"hidden": 0.0},
    seeds=20,
    worlds={"default": {}, "they find less": {"finds": 0.2}, "rarer fraud": {"fraud": 0.005}},
    unit="counted for each that is fraud",
)
def hidden_from_both_is_not_counted(seed, *, fraud=0.02, finds=0.4, hidden=0.5):
    return _recapture(seed, fraud, finds, hidden)


@claim(
    "Where each of two detectors is made for one half of the fraud, their overlap counts a quarter too much, or more.",
    holds=above(1.25),
    twin={"special": 0.0},
    seeds=20,
    worlds={"default": {}, "they find less": {"finds": 0.2}, "rarer fraud": {"fraud": 0.005}},
    unit="counted for each that is fraud",
)
def specialists_count_too_much(seed, *, fraud=0.02, finds=0.4, special=0.6):
    return _recapture(seed, fraud, finds, special=special)


@claim(
    "Where nobody confirms what two detectors find, and each flags one honest click in 200, too, their overlap counts "
    "half too much, or more, if one click in fifty is fraud or fewer.",
    holds=above(1.5),
    twin={"fraud": 0.3},
    seeds=20,
    worlds={"default": {}, "they find less": {"finds": 0.2}, "rarer fraud": {"fraud": 0.005}},
    unit="counted for each that is fraud",
)
def unconfirmed_finds_count_too_much(seed, *, fraud=0.02, finds=0.4, alarms=0.005):
    return _recapture(seed, fraud, finds, alarms=alarms)


@experiment(
    worlds={
        "default": {},
        "chosen labels": {"chosen": True},
        "rarer fraud": {"fraud": 0.02},
        "weaker columns": {"shift": 2.5},
    },
)
def audits(seed, *, fraud=0.05, shift=3.0, chosen=False):
    """Return the standard error of the share of fraud by an audit in strata of the score, over that of a uniform one.

    Half of the audit is spread as the clicks are, half by the size of a stratum times the standard deviation that the
    score promises there. ``all`` clicks, or those that are ``kept`` when as many as are fraud are dropped. Exact for
    these clicks. The score is of a model trained on confirmed fraud.
    """
    rng = np.random.default_rng([seed, 14])
    n = 40_000
    rows, kind = _clicks(rng, n, fraud, shift, 0.0)
    new, truth = _clicks(rng, 2 * n, fraud, shift, 0.0)
    confirmed = _chosen(rng, kind, 0.3) if chosen else (kind > 0) & (rng.random(n) < 0.3)
    p, bad = _score(rows, confirmed, new), truth > 0
    promised = np.clip(p * bad.sum() / p.sum(), 0, 1)
    found = {}
    for name, some in [("all", np.argsort(p)), ("kept", np.argsort(p)[: -bad.sum()])]:
        stratum = np.searchsorted(np.quantile(p[some], [0.5, 0.8, 0.9, 0.95, 0.98, 0.99]), p[some])
        size, true, told = (np.bincount(stratum, x) for x in (np.ones(len(some)), bad[some], promised[some]))
        weight, rate, told = size / size.sum(), true / size, told / size
        wanted = weight * np.sqrt(told * (1 - told))
        spread = (weight + wanted / wanted.sum()) / 2
        variance = (weight**2 * rate * (1 - rate) / spread).sum()
        total = bad[some].mean()
        found[name] = np.sqrt(variance / (total * (1 - total)))
    return found


@claim(
    "An audit in strata of a score measures the share of fraud among all clicks with less than seven tenths of the "
    "error of a uniform audit of the same size.",
    audits,
    holds=below(0.7),
    twin={"shift": 0.0},
    percent=True,
    unit="of the error of a uniform audit",
)
def strata_measure_all_clicks(found):
    return found["all"]


@claim(
    "Among the clicks that the score has kept, an audit in its strata gains less: its share of the error of a uniform "
    "one is larger by a twentieth or more.",
    audits,
    holds=above(0.05),
    twin={"shift": 0.0},
    percent=True,
    unit="more of the error of a uniform audit",
)
def strata_gain_less_on_what_is_kept(found):
    return found["kept"] - found["all"]
