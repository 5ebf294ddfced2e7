"""Automorphisms against all permutations and known orders; messages against loops over neighbours."""

import itertools

import networkx
import numpy as np
import pytest
import torch

from rssp.errors import ArgumentError
from rssp.tickets.equivariant import automorphisms, message_passing, neighbour_max

KNOWN = {
    "complete": (networkx.complete_graph(5), 120),
    "ring": (networkx.cycle_graph(7), 14),
    "path": (networkx.path_graph(6), 2),
    "Petersen": (networkx.petersen_graph(), 120),
    "cube": (networkx.hypercube_graph(3), 48),
    "two triangles": (networkx.disjoint_union(networkx.cycle_graph(3), networkx.cycle_graph(3)), 72),
    "star": (networkx.star_graph(5), 120),
    "no links": (networkx.empty_graph(4), 24),
    "one node": (networkx.empty_graph(1), 1),
    "Frucht": (networkx.frucht_graph(), 1),
    "Desargues": (networkx.desargues_graph(), 240),
}


def random_graph(rng, nodes, density):
    upper = np.triu(rng.random((nodes, nodes)) < density, 1)
    return (upper | upper.T).astype(int)


@pytest.mark.parametrize(("graph", "order"), list(KNOWN.values()), ids=list(KNOWN))
def test_known_automorphism_groups(graph, order):
    links = networkx.to_numpy_array(graph)
    group = automorphisms(links)
    assert group.order == order
    for image in group.generators:
        assert np.array_equal(links[np.ix_(image, image)], links)


def test_automorphisms_are_all_permutations_that_keep_links():
    rng = np.random.default_rng(0)
    for _ in range(60):
        links = random_graph(rng, int(rng.integers(1, 7)), rng.random())
        every = itertools.permutations(range(len(links)))
        kept = sum(np.array_equal(links[np.ix_(image, image)], links) for image in map(list, every))
        assert automorphisms(links).order == kept


@pytest.mark.parametrize("own", [True, False])
def test_messages_are_sums_and_means_over_neighbours(own):
    rng = np.random.default_rng(1)
    for _ in range(20):
        links = random_graph(rng, int(rng.integers(2, 8)), 0.5)
        if not links.any():
            continue
        features = rng.standard_normal(len(links))
        alone, others = rng.standard_normal(2)
        for aggregation, collect in (("sum", np.sum), ("mean", lambda v: v.mean() if v.size else 0.0)):
            sharing = message_passing(links, aggregation, own=own)
            coefficients = np.array([alone, others] if own else [others])[None, None]
            expected = [
                own * alone * features[p] + others * collect(features[links[p] == 1]) for p in range(len(links))
            ]
            assert np.allclose(sharing.matrix(coefficients) @ features, expected, rtol=0, atol=1e-12)
            assert (sharing.orbits == 0).all()


def test_the_largest_of_neighbours():
    rng = np.random.default_rng(2)
    for _ in range(20):
        links = random_graph(rng, int(rng.integers(1, 8)), 0.4)
        features = rng.standard_normal((3, len(links)))
        got = neighbour_max(links).forward(torch.from_numpy(features[None]))[0].numpy()
        for p in range(len(links)):
            expected = features[:, links[p] == 1].max(axis=1) if links[p].any() else features[:, p]
            assert np.array_equal(got[:, p], expected)


@pytest.mark.parametrize("build", [automorphisms, message_passing, neighbour_max])
def test_what_is_no_graph_is_refused(build):
    with pytest.raises(ArgumentError, match="a loop at node 1"):
        build([[0, 1], [1, 1]])
    with pytest.raises(ArgumentError, match="a link from 0 to 1 and none back"):
        build([[0, 1], [0, 0]])
    with pytest.raises(ArgumentError, match="entries other than 0 and 1"):
        build([[0, 2], [2, 0]])
    with pytest.raises(ArgumentError, match=r"an array of shape \(2, 3\)"):
        build(np.zeros((2, 3)))


def test_a_sum_over_no_links_is_refused():
    with pytest.raises(ArgumentError, match="at least one link, or own=True"):
        message_passing(np.zeros((3, 3)), own=False)
