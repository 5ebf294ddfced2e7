"""``rssp estimate``: one probability, or one n*."""

from __future__ import annotations

import math
from typing import Annotated, Any

import typer

from rssp.cli.common import Json, Seed, Workers

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
    method: Annotated[str, typer.Option(help="measured, or covering law: predicted without enumerating.")] = "measured",
    seed: Seed = 0,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """P(every target of the ball is within eps of a subset sum) for --n, or the n that 1 - delta takes for --delta."""
    from rssp.balls import Ball
    from rssp.errors import ArgumentError
    from rssp.laws.parse import parse_law
    from rssp.montecarlo.questions import covering_probability, required_samples

    if (n is None) == (delta is None):
        raise ArgumentError("--n, --delta", "both" if n is not None else "neither", "exactly one of the two")
    the_law, ball = parse_law(law, dim), Ball(dim, radius, norm, centre)
    common: dict[str, Any] = {
        "trials": trials, "seed": seed, "confidence": confidence, "workers": workers, "method": method,
    }  # fmt: skip
    if n is not None:
        result = covering_probability(the_law, n, eps, ball, progress=not json, **common)
        name = f"P(cover at n = {n}, eps = {eps:g})"
    else:
        assert delta is not None
        result = required_samples(the_law, eps, delta, ball, progress=not json, **common)
        name = f"n*(eps = {eps:g}, delta = {delta:g})"
    if json:
        import json as json_module

        ends = {"low": result.low, "best": result.best, "high": result.high}
        values = {k: (v if math.isfinite(v) else str(v)) for k, v in ends.items()}
        settings = {"law": repr(the_law), "ball": repr(ball), "n": n, "eps": eps, "delta": delta}
        settings |= {"trials": trials, "method": method}
        print(json_module.dumps({"quantity": name, **values, "confidence": confidence, **settings}))
    else:
        level = f"{100 * confidence:.10g} % confidence"
        print(f"{name} = {result.best:.6g}  [{result.low:.6g}, {result.high:.6g}]  at {level}")
        print(f"{the_law!r}, {ball!r}, {method}")
