import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2 as chi2_law

from rssp.errors import ArgumentError, ArgumentTypeError
from rssp.inference import (
    SCALING_FORMS,
    ScalingForm,
    Unfit,
    attempt_comparison,
    attempt_scaling,
    compare_scaling,
    exponent_of,
    fit_scaling,
    power_form,
    scaling_answer,
)

X = np.arange(3.0, 21.0, 1.5)
Z = 1.959963984540054


def points(best, sigma=0.05, x=X, **columns):
    best = np.asarray(best, dtype=float)
    return pd.DataFrame({"eps": 2.0**-x, "low": best - Z * sigma, "best": best, "high": best + Z * sigma, **columns})


def noisy(best, sigma=0.05, seed=0):
    return points(best + sigma * np.random.default_rng(seed).standard_normal(len(best)), sigma)


def test_linear_forms_agree_with_the_textbook():
    table = noisy(3 + 1.2 * X)
    fit = fit_scaling(table, "log")
    design = np.column_stack([np.ones_like(X), X]) / 0.05
    theta, residual, *_ = np.linalg.lstsq(design, table.best.to_numpy() / 0.05, rcond=None)
    error = np.sqrt(np.diag(np.linalg.inv(design.T @ design)))
    assert fit.chi2 == pytest.approx(residual[0])
    assert fit.p_value == pytest.approx(chi2_law.sf(residual[0], len(X) - 2))
    assert fit.aicc == pytest.approx(residual[0] + 4 + 12 / (len(X) - 3))
    for estimate, value, e in zip(fit.parameters.values(), theta, error, strict=True):
        assert estimate.best == pytest.approx(value, rel=1e-6)
        assert estimate.low == pytest.approx(value - Z * e, rel=1e-4)
        assert estimate.high == pytest.approx(value + Z * e, rel=1e-4)
    band = fit.predict(eps=[2.0**-30])
    lever = np.array([1, 30.0])
    half = Z * np.sqrt(lever @ np.linalg.inv(design.T @ design) @ lever)
    assert band.best[0] == pytest.approx(theta @ lever)
    assert band.high[0] - band.best[0] == pytest.approx(half, rel=1e-4)


def test_profile_interval_equals_a_search_on_a_grid():
    """Three values of eps and large errors: the profile is far from symmetric."""
    x = np.array([2.0, 4.0, 8.0])
    table = points(2 * x**1.1, sigma=1.5, x=x)
    estimate = fit_scaling(table, "log-power")["c"]
    c = np.linspace(-1, 4, 50001)
    basis = x[:, None] ** c / 1.5
    y = table.best.to_numpy()[:, None] / 1.5
    b = (basis * y).sum(axis=0) / (basis**2).sum(axis=0)
    rise = ((y - b * basis) ** 2).sum(axis=0)
    inside = c[rise - rise.min() <= chi2_law.ppf(0.95, 1)]
    assert estimate.low == pytest.approx(inside.min(), abs=2e-4)
    assert estimate.high == pytest.approx(inside.max(), abs=2e-4)
    assert abs((estimate.high - estimate.best) / (estimate.best - estimate.low) - 1) > 0.1


@pytest.mark.parametrize(
    ("form", "truth"),
    [
        ("log", (3.0, 1.2)),
        ("log+loglog", (1.0, 1.1, 1.5)),
        ("log-power", (2.0, 1.3)),
        ("log-power+offset", (3.0, 1.0, 1.2)),
        ("power", (3.0, 0.25)),
    ],
)
def test_known_parameters_are_recovered(form, truth):
    table = noisy(np.asarray(SCALING_FORMS[form].formula(2.0**-X, *truth)))
    fit = fit_scaling(table, form, confidence=0.95)
    sure = fit_scaling(table, form)
    assert fit.p_value > 1e-3
    for name, value in zip(SCALING_FORMS[form].parameters, truth, strict=True):
        e = sure[name]
        # twice the 95 % interval: 4 standard errors
        assert e.best - 2 * (e.best - e.low) <= value <= e.best + 2 * (e.high - e.best)


def test_joint_exponents_are_recovered_and_a_wrong_claim_excluded():
    rng = np.random.default_rng(3)
    d, x = (a.ravel() for a in np.meshgrid(np.arange(1.0, 6), np.arange(2.0, 9)))
    best = 1.9 * d**1.1 * x**0.9 + 0.05 * rng.standard_normal(d.size)
    table = points(best, x=x, d=d)
    fit = fit_scaling(table, "joint")
    assert fit["alpha"].contains(1.1)
    assert fit["beta"].contains(0.9)
    assert fit["alpha"].high < 3
    ranking = compare_scaling(table, ["joint", "joint+offset", "joint-linear"])
    assert ranking.form[0] == "joint"
    assert not ranking.set_index("form").accepted["joint-linear"]


def test_the_right_form_is_selected_and_wrong_ones_rejected():
    table = noisy(1 + 1.1 * X + 1.5 * np.log2(X))
    ranking = compare_scaling(table).set_index("form")
    assert ranking.selected["log+loglog"]
    assert ranking.selected.sum() == 1
    assert not ranking.accepted[["log", "power"]].any()
    assert ranking.weight.sum() == pytest.approx(1)
    assert ranking.held_out_rms["log+loglog"] < ranking.held_out_rms["log"] < ranking.held_out_rms["power"]
    assert ranking.held_out_p_value["log"] < 1e-6
    assert ranking.held_out_p_value["log+loglog"] > 0.001


def test_no_form_is_selected_where_all_fail():
    table = noisy(10 + np.sin(3 * X), 0.01)
    ranking = compare_scaling(table, ["log", "log-power"])
    assert not ranking.accepted.any()
    assert not ranking.selected.any()
    assert scaling_answer(ranking).startswith("no form is accepted: log")


def test_forms_that_cannot_be_told_apart_are_named():
    few = noisy(1 + 1.1 * X + 1.5 * np.log2(X), sigma=2.0)
    ranking = compare_scaling(few)
    assert not ranking.selected.any()
    assert scaling_answer(ranking).startswith("cannot be told apart: ")
    assert "log+loglog" in scaling_answer(ranking)
    sharp = compare_scaling(noisy(3 + 1.2 * X), ["log", "power"])
    assert scaling_answer(sharp).startswith("log: a = ")
    nested = compare_scaling(noisy(3 + 1.2 * X), ["log", "log+loglog"]).set_index("form")
    assert nested.rival_p["log+loglog"] == 1.0  # a larger form is never ruled out
    assert not nested.selected.any()


def test_a_rival_is_ruled_out_by_its_own_data_only():
    """A rival that is accepted, but whose data would hardly ever favour the other as clearly."""
    table = noisy(3 + 1.2 * X, sigma=0.35)
    ranking = compare_scaling(table, ["log", "log-power"]).set_index("form")
    assert ranking.accepted.all()
    assert ranking.rival_p["log-power"] < 0.05
    assert ranking.selected["log"]


def test_held_out_chi2_is_the_prediction_s_own():
    """For a linear form: the misfit of the points kept back, weighed by their error and the prediction's."""
    table = noisy(3 + 1.2 * X)
    row = compare_scaling(table, ["log"], held_out=3).iloc[0]
    train, test = table.iloc[:-3], table.iloc[-3:]
    fit = fit_scaling(train, "log")
    design = np.column_stack([np.ones(3), X[-3:]])
    variance = 0.05**2 * np.eye(3) + design @ fit.covariance @ design.T
    gap = test.best.to_numpy() - fit.predict(eps=test.eps).best.to_numpy()
    assert row.held_out_chi2 == pytest.approx(gap @ np.linalg.solve(variance, gap), rel=1e-3)
    assert row.held_out_rms == pytest.approx(np.sqrt((gap**2).mean()), rel=1e-4)


def test_a_covariance_takes_the_place_of_the_intervals():
    table = noisy(3 + 1.2 * X)
    diagonal = fit_scaling(table, "log", covariance=0.05**2 * np.eye(len(X)))
    assert diagonal.chi2 == pytest.approx(fit_scaling(table, "log").chi2)
    shared = 0.05**2 * (0.9 + 0.1 * np.eye(len(X)))
    fit = fit_scaling(table, "log", covariance=shared)
    design = np.column_stack([np.ones_like(X), X])
    inverse = np.linalg.inv(shared)
    expected = np.linalg.solve(design.T @ inverse @ design, design.T @ inverse @ table.best.to_numpy())
    np.testing.assert_allclose([e.best for e in fit.parameters.values()], expected, rtol=1e-6)
    np.testing.assert_allclose(fit.covariance, np.linalg.inv(design.T @ inverse @ design), rtol=1e-4)
    assert fit_scaling(table, "log", systematic=0.1).chi2 == pytest.approx(diagonal.chi2 / 5)


def test_unequal_sides_weigh_by_the_side_of_the_law():
    table = points(3 + 1.2 * X)
    table["high"] = table["best"] + 10 * Z * 0.05
    flat = ScalingForm("given", lambda eps, s: s + 3 + 1.2 * np.log2(1 / eps), ("s",))
    e = fit_scaling(table, flat)["s"]
    assert (e.high - e.best) / (e.best - e.low) == pytest.approx(10, rel=0.01)


def test_cut_off_points_are_left_out_and_counted():
    table = noisy(3 + 1.2 * X)
    table.loc[10:, ["best", "high"]] = np.inf
    table.loc[9, "high"] = np.inf
    fit = fit_scaling(table, "log")
    assert (fit.excluded, len(fit.points)) == (len(X) - 10, 10)
    covariance = np.diag(np.where(np.isfinite(table.best), 0.05**2, np.nan))
    assert fit_scaling(table, "log", covariance=covariance).chi2 == pytest.approx(fit.chi2)
    assert compare_scaling(table, ["log"], covariance=covariance).held_out_rms[0] < 0.3


def test_an_own_law():
    square = ScalingForm("square", lambda eps, a, b: a + b * np.log2(1 / eps) ** 2, ("a", "b"), r"a + b x^2")
    fit = fit_scaling(points(1 + 0.3 * X**2), square)
    assert fit["b"].best == pytest.approx(0.3)
    assert "square" in str(fit)
    with pytest.raises(ArgumentError, match="one of a, b"):
        fit["c"]
    with pytest.raises(ArgumentError, match="the variables eps"):
        fit.predict(d=3)


def test_exponents_of_one_variable():
    d = np.arange(1.0, 6)
    table = points(7 * d**1.3, x=np.full(5, 4.0), d=d)
    assert exponent_of(table, "d")["exponent"].best == pytest.approx(1.3)
    assert exponent_of(points(2 * X**0.8), "log2(1/eps)")["exponent"].best == pytest.approx(0.8)
    assert exponent_of(points(2 * 2 ** (X / 4)), "eps")["exponent"].best == pytest.approx(-0.25)
    with pytest.raises(ArgumentError, match="several values of eps"):
        exponent_of(table.assign(eps=[0.1, 0.1, 0.2, 0.2, 0.2]), "d")
    with pytest.raises(ArgumentError, match="also size"):
        exponent_of(table, "size")


def test_a_parameter_the_points_do_not_bound_has_an_open_interval():
    form = ScalingForm("bounded", lambda eps, s: 5 + np.tanh(s) + 0 * eps, ("s",))
    fit = fit_scaling(points(np.full(len(X), 6.0)), form)
    assert np.isfinite(fit["s"].low)
    assert fit["s"].high == np.inf


@pytest.mark.parametrize("form", ["log", "log+loglog", "log-power", "power"])
def test_points_at_one_eps_determine_no_growth(form):
    same = points([8.0, 8.1, 8.2, 8.1], x=np.full(4, 5.0))
    with pytest.raises(ArgumentError, match="do not determine"):
        fit_scaling(same, form)


@pytest.mark.parametrize("form", ["joint", "joint+offset", "joint-linear"])
def test_points_of_one_dimension_determine_no_growth_in_it(form):
    with pytest.raises(ArgumentError, match="do not determine"):
        fit_scaling(points(3 + 1.2 * X, d=2), form)
    with pytest.raises(ArgumentError, match="do not determine factor, exponent"):
        exponent_of(points(3 + 1.2 * X, d=2).assign(eps=0.1), "d")


def test_points_of_the_same_trials_need_a_covariance():
    table = noisy(3 + 1.2 * X).assign(experiment="0123456789ab")
    with pytest.raises(ArgumentError, match=r"12 points of the same trials .* Use points_covariance"):
        fit_scaling(table)
    with pytest.raises(ArgumentError, match="same trials"):
        compare_scaling(table)
    assert fit_scaling(table, covariance=0.05**2 * np.eye(len(X))).dof == len(X) - 2
    assert fit_scaling(table.assign(experiment=[f"{i}" for i in range(len(X))])).dof == len(X) - 2


def test_a_covariance_of_few_rare_failures_is_refused():
    table = noisy(3 + 1.2 * X).assign(trials=1000, delta=0.01)
    covariance = 0.05**2 * np.eye(len(X))
    found = attempt_scaling(table, covariance=covariance)
    assert not found
    assert "12 points with 10 trials on the rarer side" in str(found)
    wide, narrow = (attempt_scaling(table.assign(trials=t), covariance=covariance) for t in (2000, 10**7))
    assert wide["b"].high - wide["b"].low > narrow["b"].high - narrow["b"].low
    assert narrow.p_value == pytest.approx(
        fit_scaling(table.drop(columns="trials"), covariance=covariance).p_value, rel=1e-3
    )


def test_the_confidence_of_the_table_is_that_of_its_column():
    sure = noisy(3 + 1.2 * X).assign(confidence=0.95)
    half = sure.assign(low=lambda t: t.best - (t.best - t.low) / Z, high=lambda t: t.best + (t.high - t.best) / Z)
    loose = half.assign(confidence=0.6826894921370859)
    assert fit_scaling(loose).chi2 == pytest.approx(fit_scaling(sure).chi2)
    assert fit_scaling(loose)["b"].low == pytest.approx(fit_scaling(sure)["b"].low)
    assert compare_scaling(loose, ["log"]).p_value[0] == pytest.approx(compare_scaling(sure, ["log"]).p_value[0])
    mixed = pd.concat([sure.iloc[:6], loose.iloc[6:]])
    assert fit_scaling(mixed).chi2 == pytest.approx(fit_scaling(sure).chi2)
    with pytest.raises(ArgumentError, match="confidence 7"):
        fit_scaling(sure.assign(confidence=7.0))


def test_degenerate_input_is_named_with_a_remedy():
    table = points(3 + 1.2 * X)
    with pytest.raises(ArgumentError, match="at least 3"):
        fit_scaling(table.iloc[:2], "log+loglog")
    with pytest.raises(ArgumentError, match="cut off"):
        fit_scaling(table.assign(best=np.inf, high=np.inf), "log")
    with pytest.raises(ArgumentError, match="interpolated=True"):
        fit_scaling(table.assign(low=table.best, high=table.best), "log")
    with pytest.raises(ArgumentError, match="also d"):
        fit_scaling(table, "joint")
    with pytest.raises(ArgumentError, match="'log'"):
        fit_scaling(table, "linear")
    with pytest.raises(ArgumentTypeError, match="form"):
        fit_scaling(table, 3)
    with pytest.raises(ArgumentError, match="eps < 1/2"):
        fit_scaling(points(3 + X, x=X - 3), "log+loglog")
    with pytest.raises(ArgumentError, match="systematic"):
        fit_scaling(table, systematic=-1)
    with pytest.raises(ArgumentError, match="held_out"):
        compare_scaling(table, held_out=len(X))
    with pytest.raises(ArgumentError, match="forms"):
        compare_scaling(table, [])
    with pytest.raises(ArgumentError, match="not finite"):
        fit_scaling(table.assign(eps=np.nan))


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"formula": 3}, ArgumentTypeError),
        ({"parameters": "ab"}, ArgumentError),
        ({"parameters": ()}, ArgumentError),
        ({"parameters": ("a", "a")}, ArgumentError),
        ({"start": (1.0,)}, ArgumentError),
        ({"start": (tuple(range(20)), tuple(range(20)))}, ArgumentError),
    ],
)
def test_bad_forms_are_refused(fields, error):
    with pytest.raises(error):
        ScalingForm(**({"name": "x", "formula": lambda eps, a, b: a + b, "parameters": ("a", "b")} | fields))


def test_exactly_as_many_points_as_parameters_still_gives_intervals():
    fit = fit_scaling(points(3 + 1.2 * X[:2], x=X[:2]), "log")
    assert fit.dof == 0
    assert np.isnan(fit.p_value)
    assert fit.aicc == np.inf
    assert fit["b"].low < 1.2 < fit["b"].high
    row = compare_scaling(points(3 + 1.2 * X[:2], x=X[:2]), ["log"]).iloc[0]
    assert np.isnan(row.held_out_chi2)
    assert not row.accepted
    mixed = compare_scaling(points(3 + 1.2 * X[:2], x=X[:2]), ["log+loglog", "log"])
    assert list(mixed.form) == ["log", "log+loglog"]
    assert mixed.fit[1] == "not fitted: 2 points"
    assert power_form("d").variables == ("d",)


def test_what_cannot_be_fitted_is_an_outcome_with_a_reason():
    table = points(3 + 1.2 * X)
    for rows, form, word, covariance in (
        (table.iloc[:2], "log+loglog", "2 points", None),
        (table.assign(low=table.best, high=table.best), "log", "without an error", None),
        (points(3 + X, x=X - 3), "log+loglog", "log+loglog", None),
        (table, "log", "not positive definite", np.ones((len(X), len(X)))),
    ):
        found = attempt_scaling(rows, form, covariance=covariance)
        assert isinstance(found, Unfit)
        assert not found
        assert word in found.received
        with pytest.raises(ArgumentError) as error:
            fit_scaling(rows, form, covariance=covariance)
        assert str(error.value) == str(found)
    assert attempt_scaling(table, "log")["b"].best == pytest.approx(1.2)
    assert isinstance(attempt_comparison(table, covariance=np.ones((len(X), len(X)))), Unfit)
    with pytest.raises(ArgumentError, match="'linear'"):  # a mistake in the call stays an error
        attempt_scaling(table, "linear")


def test_a_fit_is_no_better_than_the_evidence_of_its_points():
    table = points(3 + 1.2 * X)
    assert fit_scaling(table)["b"].evidence == "measured"
    mixed = table.assign(evidence=["predicted"] + ["measured"] * (len(X) - 1))
    assert fit_scaling(mixed)["b"].evidence == "predicted"
    assert fit_scaling(table.assign(evidence="computed"))["b"].evidence == "computed"
    extrapolated = fit_scaling(table).predict(eps=[1e-9])
    assert extrapolated[["quantity", "confidence", "evidence"]].iloc[0].tolist() == ["n* fitted", 0.95, "predicted"]
