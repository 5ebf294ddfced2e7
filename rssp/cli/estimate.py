"""``rssp estimate``: one probability, or one n*."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rssp.cli.common import Json, Seed, Workers

if TYPE_CHECKING:
    from rssp.balls import Ball
    from rssp.estimates import Estimate
    from rssp.laws import Law

__all__ = ["estimate"]


def estimate(
    eps: Annotated[float, typer.Option(help="The error allowed, in the max norm.")],
    n: Annotated[int | None, typer.Option(help="Sample size; give this for a probability.")] = None,
    delta: Annotated[float | None, typer.Option(help="Failure probability; give this for the n it takes.")] = None,
    law: Annotated[
        str, typer.Option(help="uniform, uniform(-0.5,0.5), normal, gated-product, scipy:beta(2,3), ...")
    ] = "uniform",
    dim: Annotated[int, typer.Option(help="Dimension of the vectors.", min=1)] = 1,
    radius: Annotated[float, typer.Option(help="Radius of the ball of targets.")] = 1.0,
    norm: Annotated[float, typer.Option(help="Norm of the ball: 1, 2 or inf.")] = float("inf"),
    centre: Annotated[float, typer.Option(help="Centre of the ball, the same in every coordinate.")] = 0.0,
    trials: Annotated[int | None, typer.Option(help="Random samples to draw; 1000 unless given.", min=1)] = None,
    confidence: Annotated[float, typer.Option(help="Confidence of the interval.")] = 0.95,
    method: Annotated[
        str, typer.Option(help="measured; covering law: predicted; guarantee: proved; or all, one line each.")
    ] = "measured",
    seed: Seed = 0,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """P(every target of the ball is within eps of a subset sum) for --n, or the n that 1 - delta takes for --delta."""
    from rssp.balls import Ball
    from rssp.errors import ArgumentError
    from rssp.laws.parse import parse_law
    from rssp.montecarlo.questions import METHODS, covering_probability, required_samples

    if (n is None) == (delta is None):
        raise ArgumentError("--n, --delta", "both" if n is not None else "neither", "exactly one of the two")
    the_law, ball = parse_law(law, dim), Ball(dim, radius, norm, centre)
    common: dict[str, Any] = {"trials": trials, "seed": seed, "confidence": confidence, "workers": workers}
    for one in METHODS if method == "all" else (method,):
        if n is not None:
            result = covering_probability(the_law, n, eps, ball, progress=not json, method=one, **common)
            name = f"P(cover at n = {n}, eps = {eps:g})"
        else:
            assert delta is not None
            result = required_samples(the_law, eps, delta, ball, progress=not json, method=one, **common)
            name = f"n*(eps = {eps:g}, delta = {delta:g})"
        _show(name, result, json, {"n": n, "eps": eps, "delta": delta, "trials": trials, "method": one}, the_law, ball)


def _show(name: str, result: Estimate, json: bool, settings: dict[str, Any], law: Law, ball: Ball) -> None:
    """One line of JSON, or the number and, below it, what it is of."""
    if json:
        import json as json_module

        ends = {"low": result.low, "best": result.best, "high": result.high}
        values = {k: (v if math.isfinite(v) else str(v)) for k, v in ends.items()}
        about = {"law": repr(law), "ball": repr(ball), "n": settings["n"], "eps": settings["eps"]}
        about |= {"delta": settings["delta"], "trials": settings["trials"], "method": settings["method"]}
        print(json_module.dumps({"quantity": name, **values, "confidence": result.confidence, **about}))
    else:
        sure = f"at {100 * result.confidence:.10g} % confidence"
        sure = "proved" if settings["method"] == "guarantee" else sure
        print(f"{name} = {result.best:.6g}  [{result.low:.6g}, {result.high:.6g}]  {sure}")
        print(f"{law!r}, {ball!r}, {settings['method']}")
