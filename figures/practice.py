"""Drawings of the case studies: online on the left, downwards; offline on the right, upwards; each box a link."""

from __future__ import annotations

from itertools import pairwise

from figures.diagram import Arrow, Box, diagram

# (title, detail, page) of each box; a page is an address from the guide's root.
Steps = list[tuple[str, str, str]]


def _loop(name: str, user: str, online: Steps, offline: Steps, back: int, alternative: str, caption: str) -> str:
    """Draw what happens to a request, and how the log becomes the next model, which goes to the online box ``back``."""
    last = len(online)
    boxes = {"user": Box(0, 0, 12, user, kind="person")}
    for side, x, steps in (("online", 0, online), ("offline", 6.5, offline)):
        for i, (title, detail, page) in enumerate(steps):
            row = 1 + i if side == "online" else last - i
            boxes[f"{side}{i}"] = Box(x, row, 5.5, title, detail, f"../../{page}/")
    boxes["log"] = Box(0, last + 1, 12, "Shown, and logged", "with features and probability", "../../problem/system/")
    down, up = ([f"{side}{i}" for i in range(n)] for side, n in (("online", last), ("offline", len(offline))))
    arrows = [Arrow("user", down[0]), Arrow(down[-1], "log"), Arrow("log", up[0])]
    arrows += [Arrow(a, b) for path in (down, up) for a, b in pairwise(path)]
    arrows.append(Arrow(up[-1], down[back], "around", at=6.0))
    return diagram(name, boxes, arrows, alternative, caption)


def ads_click_prediction() -> str:
    """Draw click prediction for ads."""
    return _loop(
        "ads",
        "A request with three slots",
        [
            ("Matching ads", "of 2M by rules, 300", "problem/capacity"),
            ("Features", "rates by ad and user", "features/catalogue"),
            ("P(click)", "linear, then trees or net", "modeling/choosing"),
            ("Calibrate", "right on the winners too", "evaluation/calibration"),
            ("Auction", "paced bid x P, reserve", "problem/negative-feedback"),
        ],
        [
            ("Joiner", "one hour, late clicks", "training-data/joining-events"),
            ("Sampled rows", "1 negative in 10", "training-data/class-imbalance"),
            ("Training, hourly", "online learning", "training-data/online-learning"),
            ("Two gates", "snapshot, recipe", "evaluation/continuous-evaluation"),
        ],
        2,
        "Online: a request, ads that match, features, P(click), calibration, auction with paced bids and a reserve. "
        "Offline: the joiner of impressions and clicks, sampled negatives, hourly training, two gates that let the "
        "new model through to P(click).",
        "The probability is a price, so calibration stands between model and auction.",
    )


def feed_ranking() -> str:
    """Draw the ranking of a feed."""
    return _loop(
        "feed",
        "A reader opens the feed",
        [
            ("Inbox and pull", "500 posts", "problem/capacity"),
            ("Filters, now", "rules, blocked, deleted", "practice/harmful-posts"),
            ("Light model", "to 100", "modeling/linear-models"),
            ("Heads", "read, like, comment, hide", "modeling/multi-task"),
            ("Formula", "prices outside the model", "problem/negative-feedback"),
            ("Diversity", "no author twice in five", "modeling/diversity"),
        ],
        [
            ("Events", "on the screen only", "training-data/labels"),
            ("Control, 1 %", "newest first", "training-data/feedback-loops"),
            ("Training, daily", "one network, four labels", "modeling/training-process"),
            ("Gate", "each head calibrated", "evaluation/continuous-evaluation"),
        ],
        3,
        "Online: a reader opens the feed, posts from the inbox and from large accounts, filters, a light model, heads "
        "for each action, a formula with prices, diversity. Offline: events on the screen, a control group on newest "
        "first, daily training, a gate for each head.",
        "Prices live in the formula, where people can change them without training.",
    )


def video_recommendations() -> str:
    """Draw video recommendations in two stages."""
    return _loop(
        "video",
        "A user opens the home page",
        [
            ("Five sources", "1,000 of 200M", "modeling/two-towers"),
            ("Filters", "watched, rights, language", "problem/system"),
            ("Heads", "click, share watched", "modeling/multi-task"),
            ("Score", "against usual for length", "training-data/labels"),
            ("Re-ranking", "topics, new channels", "modeling/diversity"),
        ],
        [
            ("Watches", "late, autoplay marked", "training-data/delayed-feedback"),
            ("Two training sets", "towers, ranker", "modeling/retrieval"),
            ("Training, daily", "index and tower together", "modeling/training-process"),
            ("Tests", "by length, on all videos", "evaluation/ranking-metrics"),
        ],
        0,
        "Online: a user opens the home page, five sources give a thousand videos, filters, a ranker with heads, a "
        "score against what is usual for the length, re-ranking. Offline: watches, two training sets, daily "
        "training of towers and ranker, tests. New towers go to the sources.",
        "Sources find, the ranker orders. Tower and index go up together, or not at all.",
    )


def people_you_may_know() -> str:
    """Draw suggestions of people."""
    return _loop(
        "people",
        "A member opens the app",
        [
            ("Stored list", "500, computed at night", "problem/capacity"),
            ("Filters, now", "blocked, refused, left", "problem/negative-feedback"),
            ("Three models", "invite, accept, talk", "modeling/multi-task"),
            ("Limits", "suggestions per person", "modeling/diversity"),
        ],
        [
            ("Invited, accepted", "up to 14 days late", "training-data/delayed-feedback"),
            ("Graph as of then", "edges with their time", "features/point-in-time-joins"),
            ("Training", "trees on pairs", "modeling/trees-plus-linear"),
            ("Test by circles", "arms cross otherwise", "evaluation/ab-tests"),
        ],
        2,
        "Online: a member opens the app, a list stored at night, filters at the moment, three models for invite, "
        "accept and talk, limits for each person. Offline: late acceptances, the graph as of then, training, a test "
        "by circles.",
        "The list may be old, the filters may not.",
    )


def marketplace_search() -> str:
    """Draw search in a marketplace."""
    return _loop(
        "search",
        "A query",
        [
            ("Read the query", "spelling, category, parts", "features/text"),
            ("Words and vectors", "of 100M listings", "modeling/retrieval"),
            ("Filters", "sold, region, shipping", "problem/capacity"),
            ("Relevance floor", "judged by raters", "training-data/labels"),
            ("P(purchase)", "trees on pairs", "modeling/choosing"),
            ("Page", "more than one meaning", "modeling/diversity"),
        ],
        [
            ("Searches", "as they were shown", "training-data/bias"),
            ("A row an impression", "leftovers too, with age", "training-data/what-data"),
            ("Training", "encoder, then trees", "modeling/training-process"),
            ("Interleave, test", "stock split too", "evaluation/interleaving"),
        ],
        4,
        "Online: a query, read for spelling, category and parts, retrieval by words and vectors, filters, a floor of "
        "relevance, the chance of a purchase, a page with more than one meaning. Offline: searches as shown, a row an "
        "impression, training, interleaving and a test.",
        "Relevance is a floor, the chance of a purchase orders what stands on it.",
    )


def push_notifications() -> str:
    """Draw the decision to send a push."""
    return _loop(
        "push",
        "Something happened",
        [
            ("Who might care", "close, fresh, awake", "training-data/what-data"),
            ("Features", "habit, patience", "features/catalogue"),
            ("Two heads", "visit if sent, if not", "modeling/multi-task"),
            ("Decision", "uplift - price, a coin", "modeling/exploration"),
            ("Sender", "cap, quiet hours, ids", "problem/system"),
        ],
        [
            ("Decisions", "also those not to send", "training-data/labels"),
            ("Visits, a day", "no attribution", "problem/metrics"),
            ("Training", "sent and unsent apart", "modeling/training-process"),
            ("Holdout, 5 %", "months without pushes", "problem/proxies"),
        ],
        2,
        "Online: something happened, who might care, features of habit and patience, two heads for a visit with and "
        "without the push, the decision by uplift less a price, the sender with its limits. Offline: all decisions "
        "logged, visits of the next day, training, a holdout without pushes.",
        "What is logged is the decision. Silence is one of them.",
    )


def new_item_shelf() -> str:
    """Draw the shelf for new items."""
    return _loop(
        "shelf",
        "A visit with a slot for new items",
        [
            ("Checked first", "spam, copies, rules", "problem/system"),
            ("Prior", "content, seller", "features/text"),
            ("Worth a look?", "by clicks and views", "modeling/exploration"),
            ("Draw", "with its probability", "modeling/exploration"),
        ],
        [
            ("Clicks", "when they had time", "training-data/delayed-feedback"),
            ("Counts, each look", "users, not views", "features/catalogue"),
            ("Graduates", "to index and ranker", "training-data/feedback-loops"),
            ("Prior, refitted", "promised and earned", "modeling/baselines"),
        ],
        1,
        "Online: a visit, items that passed the checks, a prior from content and seller, whether one more look is "
        "worth its cost, a draw that is logged with its probability. Offline: clicks, counts of users after each look, "
        "graduates that go to the index and the ranker, the prior refitted to what they earned.",
        "The shelf buys information. It is paid for in the left column and earns in the main ranker.",
    )


def harmful_posts() -> str:
    """Draw detection and demotion of harmful posts."""
    return _loop(
        "harm",
        "A post, and again at each tenfold of views",
        [
            ("Known ones", "fingerprints, rules", "features/categories"),
            ("Heads", "one for each rule", "modeling/multi-task"),
            ("Calibrate", "by language", "evaluation/calibration"),
            ("Score x views", "remove, review, demote", "modeling/training-metrics"),
            ("Review, appeal", "750,000 a day", "training-data/labels"),
        ],
        [
            ("Three label sources", "with probabilities", "evaluation/off-policy"),
            ("Random by views", "for measuring only", "evaluation/confidence-intervals"),
            ("Training", "on the policy's labels", "training-data/class-imbalance"),
            ("Shadow, demote first", "removal last", "evaluation/continuous-evaluation"),
        ],
        1,
        "Online: a post, known ones by fingerprint, heads for each rule, calibration by language, an action by "
        "score times views, review and appeal. Offline: labels from three sources, a random sample by views, "
        "training, shadow and demotion before removal.",
        "The model chooses what people look at. Only the sample drawn at random measures.",
    )


def click_fraud() -> str:
    """Draw the decision which clicks are charged."""
    return _loop(
        "fraud",
        "A click on an ad",
        [
            ("At once", "duplicates, known bots", "problem/system"),
            ("Hours beside others", "rhythm, graph, visits", "features/point-in-time-joins"),
            ("Score of the click", "against its peers", "modeling/choosing"),
            ("Publisher, group", "many weak signs", "modeling/baselines"),
            ("Bill, at night", "totals, no reasons", "evaluation/calibration"),
        ],
        [
            ("Confirmed fraud", "what we looked for", "training-data/labels"),
            ("Random audit", "with probabilities", "evaluation/confidence-intervals"),
            ("Training", "positive and unlabeled", "training-data/bias"),
            ("Log only, then bill", "conversions, appeals", "evaluation/continuous-evaluation"),
        ],
        2,
        "Online: a click on an ad, what is dropped at once, hours in which it is read beside others, a score of the "
        "click against its peers, a score of its publisher or group, the bill at night. Offline: confirmed fraud, a "
        "random audit, training on positive and unlabeled rows, new detectors that only log before they decide.",
        "Only the audit knows what is missed. The bill tells totals, so that no click teaches anything.",
    )


def delivery_time() -> str:
    """Draw the time that a delivery app promises."""
    return _loop(
        "eta",
        "A list is opened, or an order moves",
        [
            ("State now", "queue, couriers, way", "features/point-in-time-joins"),
            ("Minutes left", "mean, and quantiles", "modeling/trees-plus-linear"),
            ("Correct by slice", "region, hour", "evaluation/calibration"),
            ("Promise", "late costs more", "problem/negative-feedback"),
            ("Dispatch", "gets the mean", "training-data/feedback-loops"),
        ],
        [
            ("Minutes by stage", "cancelled orders too", "training-data/labels"),
            ("As of the moment", "as it was served", "training-data/online-offline-consistency"),
            ("Training, daily", "judged on later days", "modeling/training-process"),
            ("Gate, switchback", "coverage by slice", "evaluation/continuous-evaluation"),
        ],
        1,
        "Online: a list is opened or an order moves, the state of kitchen and couriers now, the minutes left as mean "
        "and quantiles, a correction by slice, the promise to the customer, the mean to dispatch. Offline: minutes by "
        "stage, cancelled orders too, features as of the moment, daily training, a gate by coverage and a switchback.",
        "One distribution: whoever orders gets a promise, dispatch an expectation.",
    )
