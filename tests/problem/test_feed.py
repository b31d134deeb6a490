import numpy as np
import pandas as pd
import pytest

from snippets.problem.feed import simulate_feed


def per_user(feed, column):
    return feed.groupby("week")[column].mean().to_numpy()


def test_one_row_a_user_and_week_with_counts_that_fit():
    feed = simulate_feed({"click": 1}, n_users=300, n_weeks=5)
    assert feed[["user", "week"]].to_numpy().tolist() == [[u, w] for u in range(300) for w in range(5)]
    assert (feed["impressions"] == 5 * feed["sessions"]).all()
    assert feed[["sessions", "click", "long_click", "hide"]].min().min() >= 0
    assert (feed["long_click"] <= feed["click"]).all()
    assert (feed["click"] <= feed["impressions"]).all()


def test_the_seed_determines_every_row():
    first, again, other = (simulate_feed({"click": 1}, 100, 3, seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_a_seed_gives_the_feed_that_the_pages_were_written_with():
    values = {"click": 1, "long_click": 2, "hide": -10}
    feed = simulate_feed(values, 500, 4, 3, honesty=0.3, memory=0.6, effect=1.2)
    assert feed[["sessions", "impressions", "click", "long_click", "hide"]].sum().tolist() == [
        11560,
        57800,
        19094,
        12978,
        302,
    ]
    assert feed["satisfaction"].sum() == pytest.approx(433.257071, rel=1e-7)


@pytest.mark.parametrize("action", ["click", "long_click"])
def test_an_action_that_is_paid_happens_more_often_than_under_any_other_pay(action):
    others = {"click", "long_click", "hide"} - {action}
    rates = {}
    for paid in (action, *others):
        feed = simulate_feed({paid: 1}, n_users=3_000, n_weeks=1)
        rates[paid] = feed[action].sum() / feed["impressions"].sum()
    assert max(rates, key=rates.get) == action
    assert rates[action] > 1.05 * max(rates[paid] for paid in others)


def test_without_a_ranking_rates_are_those_of_the_model():
    feed = simulate_feed({"click": 0}, n_users=20_000, n_weeks=1, honesty=0.5)
    appeal, substance, clicky = np.random.default_rng(1).normal(size=(3, 2_000_000))
    substance = 0.5 * appeal + np.sqrt(0.75) * substance
    click = 1 / (1 + np.exp(2.0 - 0.9 * appeal - 0.3 * substance - 0.5 * clicky))
    read = click / (1 + np.exp(0.3 * appeal - 1.2 * substance))
    hide = 1 / (1 + np.exp(5.0 - 0.5 * appeal + 0.9 * substance))
    for action, p in [("click", click), ("long_click", read), ("hide", hide)]:
        rows = feed["impressions"].sum()
        error = np.sqrt(p.mean() / rows) + np.sqrt(feed[action].var() / 20_000) * 20_000 / rows
        assert abs(feed[action].sum() / rows - p.mean()) < 4 * error, action


def test_parameters_are_numbers_of_any_dtype():
    whole, real = np.uint8(7), np.float32(0.5)
    ours = simulate_feed({"click": whole}, whole, whole, whole, honesty=real, memory=real, effect=real)
    pd.testing.assert_frame_equal(ours, simulate_feed({"click": 7}, 7, 7, 7, honesty=0.5, memory=0.5, effect=0.5))


def test_sizes_and_habits_unless_asked_for_others():
    spelled_out = simulate_feed({"click": 1.0}, 2_000, 12, 0, honesty=0, memory=0.8, effect=1)
    pd.testing.assert_frame_equal(simulate_feed({"click": 1.0}), spelled_out)


@pytest.mark.parametrize("ends", [{"honesty": -1}, {"honesty": 1}, {"memory": 0}, {"n_users": 1}, {"n_weeks": 1}])
def test_the_ends_of_every_range_are_within(ends):
    feed = simulate_feed({"click": 1.0}, **{"n_users": 10, "n_weeks": 2, **ends})
    assert len(feed) == ends.get("n_users", 10) * ends.get("n_weeks", 2)


def test_users_who_do_not_react_keep_their_habit():
    feed = simulate_feed({"hide": 1}, n_users=4_000, n_weeks=6, effect=0)
    # exp(1.2 + 0.6^2 / 2) sessions a week on average
    mean, error = feed["sessions"].mean(), feed.groupby("user")["sessions"].mean().std() / np.sqrt(4_000)
    assert abs(mean - np.exp(1.2 + 0.18)) < 4 * error


def test_satisfaction_follows_from_what_was_lived_by_hand():
    feed = simulate_feed({"click": 1}, n_users=50, n_weeks=4, memory=0.7)
    for _, user in feed.groupby("user"):
        satisfaction = 0.0
        for row in user.itertuples():
            assert row.satisfaction == pytest.approx(satisfaction)
            short = row.click - row.long_click
            satisfaction *= 0.7
            if row.sessions:
                satisfaction += 0.3 * (row.long_click - short - 2 * row.hide) / row.sessions


def test_what_hides_pay_drives_users_away_and_more_so_if_they_react_more():
    last = [per_user(simulate_feed({"hide": 1}, 2_000, 10, effect=e), "sessions")[-1] for e in (0.0, 0.5, 1.0)]
    assert last[0] > 1.1 * last[1] > 1.1 * 1.1 * last[2]


def test_honest_headlines_make_clicks_longer():
    shares = []
    for honesty in (-1.0, 0.0, 1.0):
        feed = simulate_feed({"click": 1}, 1_000, 2, honesty=honesty)
        shares.append(feed["long_click"].sum() / feed["click"].sum())
    assert shares[0] < shares[1] < shares[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": ["click"]}, "values must give numbers to some of .*, got .'click'"),
        ({"values": {}}, "values must give numbers to some of"),
        ({"values": {"like": 1}}, "some of .*, got .'like': 1"),
        ({"values": {"click": np.nan}}, "the value of 'click' must be finite, got nan"),
        ({"values": {"click": "1"}}, "the value of 'click' must be a number, got '1'"),
        ({"n_users": True}, "n_users must be a whole number of at least 1, got True"),
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"seed": None}, "seed must be a whole number of at least 0, got None"),
        ({"memory": True}, "memory must be a number, got True"),
        ({"n_users": 0}, "n_users must be a whole number of at least 1, got 0"),
        ({"n_weeks": 1.5}, "n_weeks must be a whole number of at least 1, got 1.5"),
        ({"n_weeks": 0}, "n_weeks must be a whole number of at least 1, got 0"),
        ({"honesty": -1.1}, r"honesty must be in \[-1, 1\], got -1.1"),
        ({"memory": -0.1}, "memory must be in"),
        ({"honesty": 1.1}, r"honesty must be in \[-1, 1\], got 1.1"),
        ({"memory": 1}, "memory must be in"),
        ({"effect": np.inf}, "effect must be finite"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        simulate_feed(**{"values": {"click": 1}, **arguments})
