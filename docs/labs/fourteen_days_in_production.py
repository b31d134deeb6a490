# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Fourteen days in production
#
# You train a click model every night. On day 6 a release of the phone app stops logging clicks, and for three days
# nobody notices. *What happens to a model that is never updated, to one that is updated behind a weak gate, and to one
# behind a good gate?*
#
# The log is [simulated](../datasets.md), so the clicks that were lost are known: each model is judged by what users
# really did, every day.

# %%
import numpy as np
import pandas as pd
from IPython.display import HTML
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from figures.svg import FIRST, INK, SECOND, THIRD, style, to_html
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.deployment_gate import deployment_gate
from snippets.evaluation.normalized_entropy import normalized_entropy

log = simulate_ad_log(420_000, drift=0.25)
broken = simulate_ad_log(420_000, drift=0.25, incident="lost_clicks", incident_day=6)
incident = log["day"].isin([6, 7, 8])
log["logged"] = log["click"].where(~incident, broken["click"])
lost = log["click"].sum() - log["logged"].sum()
print(f"{log['day'].nunique()} days, {log['click'].sum()} clicks, of which {lost} were not logged")

# %% [markdown]
# Both logs have the same seed, so they agree in everything but the lost clicks. The ads drift faster than in the
# guide's other logs, so that fresh models matter.
#
# ## The night shift
#
# Every night a candidate is trained on three days of logged clicks. The newest logged day is kept back to judge it. So
# the candidate for day 7 is trained on days 3 to 5 and judged on day 6. The page on
# [continuous evaluation](../evaluation/continuous-evaluation.md) says what each check is for. Models are judged on
# impressions at their logged positions, which are not known
# [when a request is scored](../training-data/bias.md#position-at-serving).

# %%
COLUMNS = ["position", "category", "device", "ad_id"]


def train(days):
    """Train on the logged clicks of some days."""
    rows = log[log["day"].isin(days)]
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(C=0.3, max_iter=300))
    return model.fit(rows[COLUMNS], rows["logged"])


def predict(model, rows):
    """Return click probabilities."""
    return model.predict_proba(rows[COLUMNS])[:, 1]


def weak_gate(judge, current, candidate):
    """Compare normalized entropy on the newest day, and nothing else."""
    old, new = (normalized_entropy(judge["logged"], predict(m, judge)) for m in (current, candidate))
    return new <= old + 0.005, f"normalized entropy {new - old:+.3f}"


def good_gate(judge, current, candidate):
    """Ask for entropy, calibration, calibration by device, and how far the predictions moved."""
    gate = deployment_gate(
        judge["logged"],
        predict(current, judge),
        predict(candidate, judge),
        judge["user_id"],
        judge[["device"]],
        max_ne_loss=0.005,
        calibration_limit=1.25,
    )
    failed = gate.checks[~gate.checks["passed"]]
    return gate.passed, "; ".join(f"{c} {e:.2f}" for c, e in zip(failed["check"], failed["estimate"], strict=True))


def live(gate, known_bad=()):
    """Return what a policy served each day, and what its gate said each night."""
    model, scores, nights = train(range(3)), [], []
    for day in range(3, 14):
        if gate and day > 3:
            judge = log[log["day"] == day - 1]
            bad = known_bad if day > 9 else ()
            days = [d for d in range(day - 1) if d not in bad][-3:]
            candidate = train(days)
            passed, why = gate(judge, model, candidate)
            nights.append((day, passed, why))
            model = candidate if passed else model
        today = log[log["day"] == day]
        scores.append(normalized_entropy(today["click"], predict(model, today)))
    return np.array(scores), nights


stale, _ = live(None)
weak, weak_nights = live(weak_gate)
good, good_nights = live(good_gate)

# %% [markdown]
# ## What the users got

# %%
with style():
    figure = Figure(figsize=(6.2, 3.4), layout="constrained")
    axes = figure.subplots()
    days = np.arange(3, 14)
    axes.axvspan(6, 9, color=INK, alpha=0.08, linewidth=0)
    axes.text(7.5, 0.983, "phone clicks lost", ha="center")
    for name, entropy, colour, marker in [
        ("never updated", stale, THIRD, "^"),
        ("daily, weak gate", weak, SECOND, "s"),
        ("daily, good gate", good, FIRST, "o"),
    ]:
        axes.plot(days, entropy, color=colour, marker=marker, markersize=4, label=name)
    axes.set(xlabel="day", ylabel="normalized entropy, on what users did", ylim=(0.88, 0.99))
    axes.set_xticks(days)
    axes.legend(loc="upper left", labelcolor="linecolor")
HTML(
    to_html(
        figure,
        "fourteen-days",
        "Normalized entropy by day of three models. The model that is never updated rises slowly. The model behind the "
        f"weak gate jumps to {weak.max():.2f} after phone clicks are lost on days 6 to 8. The model behind the good "
        "gate stays below the one that is never updated.",
        "Lower is better. The weak gate lets a broken model through while its labels are broken too, and the damage "
        "outlasts the incident.",
    )
)

# %%
table = pd.DataFrame({"never updated": stale, "weak gate": weak, "good gate": good}, index=days)
print(table.round(3).rename_axis("day").to_string())
print("\nmean of all days")
print(table.mean().round(3).to_string())

# %% [markdown]
# ## What the gates said

# %%
for day, passed, why in weak_nights:
    print(f"before day {day:<2} weak gate: {'shipped' if passed else 'stopped'}, {why}")

# %%
for day, passed, why in good_nights:
    print(f"before day {day:<2} good gate: {'shipped' if passed else 'stopped: ' + why}")

# %% [markdown]
# The weak gate ships on the nights before days 8 and 9 with a *gain*: the candidate has learned that phone users do not
# click, and on a day without phone clicks that is right. Broken labels confirm a model that was trained on them
# ([replicated](../claims.md#evaluation-continuous-evaluation-broken-labels-confirm-the-fault)). It stops one candidate,
# on the first healthy day, and by then the broken model serves.
#
# The good gate stops the first night after the incident begins. Not because the candidate is bad: it was trained before
# the incident. It stops because a device has no clicks at all, which is a reason to wake somebody. From the night
# before day 9 on, the last check adds what no label can say. It is printed as *shift*: how many phone clicks the
# candidate promises for each that the current model does.
#
# ## What it costs to wait
#
# The good gate has a price. It serves an old model until the three days of training are clean again, long after the
# fault is mended. Once somebody has *written down* that days 6 to 8 are bad, training can leave them out:

# %%
clean, _ = live(good_gate, known_bad=(6, 7, 8))
print("good gate                        day 10  11     12     13")
print("waits for a clean window        ", "  ".join(f"{e:.3f}" for e in good[-4:]))
print("bad days left out of training   ", "  ".join(f"{e:.3f}" for e in clean[-4:]))

# %% [markdown]
# The list of bad days pays at once
# ([replicated](../claims.md#labs-fourteen-days-in-production-a-list-of-bad-days-pays)). Keep it where every training
# job and every counter reads it.
#
# ## What to say in the interview
#
# - In this log, over all days, the weak gate is worse than no updates at all: the model that is updated learns the
#   fault. Where ads drift much faster, any update is better than none
#   ([replicated](../claims.md#labs-fourteen-days-in-production-a-weak-gate-may-be-worse-than-none)).
# - The good gate has its price, too. While it waits for clean days its model ages, and where ads drift fast that may
#   cost more than the fault
#   ([replicated](../claims.md#labs-fourteen-days-in-production-the-good-gate-may-pay)).
# - Judge a candidate by labels *and* by something that needs none: how far its predictions moved, and where.
# - A gate that stops is not the end: somebody must be told, find the cause, and mark the bad data.
# - One kind of incident in simulated worlds shows a mechanism, not how often it happens. How would it look in yours?
