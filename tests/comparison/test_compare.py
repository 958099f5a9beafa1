"""Every difference of convention, made on purpose, is named; one without a name is not given one."""

import numpy as np
import pytest

import pairsweep as ps
from pairsweep.analyses.evolution.kernels.equations import right_hand_side
from pairsweep.analyses.growth.dense import matrices_of
from pairsweep.comparison.conventions import Conventions, opposite, orders
from pairsweep.comparison.terms import System, matrix_terms, rate_terms
from pairsweep.comparison.usual import TWO_PI_CUBED
from pairsweep.physics.units import HBAR

GRID = ps.bins(3, 2, 4)
N = GRID.size
RNG = np.random.default_rng(7)
RHO, RHOBAR = RNG.random((2, N))
KAPPA = 0.1 * (RNG.random(N) + 1j * RNG.random(N))
G = 1e-5
PARTNER = opposite(GRID)
# (phi, theta, energy): phi slowest
ORDER = np.arange(N).reshape(GRID.shape).transpose(2, 1, 0).ravel()
# from (Re kappa, Im kappa) to (kappa, conj(kappa))
TO_COMPLEX = np.block([[np.eye(N), 1j * np.eye(N)], [np.eye(N), -1j * np.eye(N)]])
CONJUGATED = np.diag(np.r_[np.ones(N), -np.ones(N)])


def matrix(rhobar=RHOBAR, g=G):
    return matrices_of(GRID, (RHO + rhobar - 1.0)[None], np.array([g]))[0]


def rates(kappa=KAPPA, rhobar=RHOBAR, g=G):
    drho, dkappa = np.empty(N), np.empty(N, np.complex128)
    right_hand_side(GRID.pairs, g, RHO, rhobar, kappa, drho, dkappa)
    return {"kappa": kappa, "dkappa": dkappa, "drho": drho}


def both_halves(places):
    return np.ix_(np.r_[places, N + places], np.r_[places, N + places])


def compared(other, **options):
    return ps.compare(GRID, RHO, RHOBAR, g=G, other=other, **options)


def kinds(comparison):
    return {difference.kind for difference in comparison.differences}


def system(grid=GRID):
    return System(grid.energy, grid.weight, grid.p_hat, grid.theta_hat - 1j * grid.phi_hat, RHO, RHOBAR, G)


def test_terms_add_up_to_the_equations():
    same, conjugate = sum(term.values for term in matrix_terms(system(), np.arange(N)))
    blocks = TO_COMPLEX @ matrix() @ np.linalg.inv(TO_COMPLEX)
    np.testing.assert_allclose(same, blocks[:N, :N], rtol=0, atol=1e-13)
    np.testing.assert_allclose(conjugate, blocks[:N, N:], rtol=0, atol=1e-13)
    theirs = rates()
    for name, terms in rate_terms(system(), KAPPA).items():
        np.testing.assert_allclose(sum(term.values for term in terms), theirs[name], rtol=1e-12)


def test_what_is_the_same_agrees():
    everything = {
        "energy": GRID.energy,
        "weight": GRID.weight,
        "theta": GRID.theta,
        "phi": GRID.phi,
        "rho": RHO,
        "rhobar": RHOBAR,
        "epn": RHO + RHOBAR - 1.0,
        "g": G,
        "matrix": matrix(),
        **rates(),
        "drhobar": rates()["drho"],
    }
    found = compared(everything)
    assert found.agrees
    assert found.explained
    assert {c.verdict for c in found.comparands} == {"agrees"}
    assert len(found.comparands) == 7 + 4 + 5 + 2 + 2
    assert max(found.left_over.values()) < 1e-11


MATRICES = {
    "conjugate": lambda M: CONJUGATED @ M @ CONJUGATED,
    "order": lambda M: M[both_halves(ORDER)],
    "factor": lambda M: 2.0 * M,
    "sign": lambda M: -M,
    "omega": lambda M: 1j * M,
    "layout": lambda M: TO_COMPLEX @ M @ np.linalg.inv(TO_COMPLEX),
    "weighted": lambda M: M * np.outer(np.tile(GRID.weight, 2), 1.0 / np.tile(GRID.weight, 2)),
    "time unit": lambda M: M / HBAR,
    "rhobar": lambda M: matrix(rhobar=RHOBAR[PARTNER]),
    "coupling": lambda M: matrix(g=2.0 * G),
}


@pytest.mark.parametrize("kind", MATRICES)
def test_a_difference_of_a_matrix_is_named(kind):
    found = compared({"matrix": MATRICES[kind](matrix())})
    assert kinds(found) == {kind}
    assert found.explained
    assert not found.agrees
    assert kind in str(found)
    assert found.alternatives == {}


def test_the_layout_may_be_pair_by_pair():
    side_by_side = np.arange(2 * N).reshape(2, N).T.ravel()
    for theirs in (matrix(), TO_COMPLEX @ matrix() @ np.linalg.inv(TO_COMPLEX)):
        (difference,) = compared({"matrix": theirs[np.ix_(side_by_side, side_by_side)]}).differences
        assert difference.kind == "layout"
        assert "side by side" in difference.text


def test_several_differences_at_once_are_all_named():
    theirs = matrix(rhobar=RHOBAR[PARTNER], g=TWO_PI_CUBED * G)
    theirs = (CONJUGATED @ theirs @ CONJUGATED)[both_halves(ORDER)]
    found = compared({"matrix": theirs})
    assert kinds(found) == {"conjugate", "order", "rhobar", "coupling"}
    (coupling,) = (d for d in found.differences if d.kind == "coupling")
    assert coupling.factor == pytest.approx(TWO_PI_CUBED)
    assert "(2 pi)^3" in coupling.text


def test_a_term_that_is_left_out_or_has_another_sign_is_named():
    terms = matrix_terms(system(), np.arange(N))

    def factors(**changed):
        blocks = sum(changed.get(term.name.split()[0], 1.0) * term.values for term in terms)
        whole = np.block([[blocks[0], blocks[1]], [blocks[1].conj(), blocks[0].conj()]])
        return {c.name: c for c in compared({"matrix": whole}).comparands}

    assert factors(refraction=0.0)["refraction"].factor == 0.0
    assert factors(refraction=-1.0)["refraction"].factor == pytest.approx(-1.0)
    assert [c.verdict for c in factors(refraction=-1.0).values()] == ["agrees", "differs", "agrees", "agrees"]
    only_kappa = compared({"matrix": terms[0].values[0] + terms[1].values[0] + terms[2].values[0]})
    (left_out,) = only_kappa.differences
    assert (left_out.kind, left_out.factor) == ("left out", 0.0)
    assert "conjugate coupling" in left_out.text


def rates_changed(kind):
    ours = rates()
    if kind == "order":
        return {name: values[ORDER] for name, values in ours.items()}
    if kind == "conjugate":
        return ours | {"kappa": KAPPA.conj(), "dkappa": ours["dkappa"].conj()}
    if kind == "omega":
        return ours | {"dkappa": 1j * ours["dkappa"]}
    if kind == "kappa scale":
        return ours | {"kappa": 2.0 * KAPPA, "dkappa": 2.0 * ours["dkappa"]}
    if kind == "turned":
        return ours | {"kappa": 1j * KAPPA, "dkappa": 1j * ours["dkappa"]}
    if kind == "coupling":
        return rates(g=0.5 * G)
    if kind == "time unit":
        return ours | {"dkappa": ours["dkappa"] / HBAR, "drho": ours["drho"] / HBAR}
    if kind == "factor":
        return ours | {"drho": 0.5 * ours["drho"]}
    assert kind == "rhobar"
    turned = rates(rhobar=RHOBAR[PARTNER])
    return turned | {"drhobar": turned["drho"][PARTNER]}


@pytest.mark.parametrize(
    "kind",
    ["order", "conjugate", "omega", "kappa scale", "turned", "coupling", "time unit", "factor", "rhobar"],
)
def test_a_difference_of_a_right_hand_side_is_named(kind):
    found = compared(rates_changed(kind))
    assert kinds(found) == {kind}
    assert found.explained


def a_run(g=G):
    run = ps.evolve(GRID, RHO, RHOBAR, g, t_end=60.0, samples=25, kappa=1e-3 * KAPPA, keep="pairs")
    return {name: run[name].values for name in ("time", "kappa", "rho", "rhobar")}


def run_changed(kind):
    run = a_run()
    if kind == "order":
        return {name: values if name == "time" else values[:, ORDER] for name, values in run.items()}
    if kind == "conjugate":
        return run | {"kappa": run["kappa"].conj()}
    if kind == "kappa scale":
        return run | {"kappa": 2.0 * run["kappa"]}
    if kind == "time unit":
        return run | {"time": run["time"] * HBAR}
    if kind == "rhobar":
        return run | {"rhobar": run["rhobar"][:, PARTNER]}
    if kind == "rotating":
        return run | {"kappa": run["kappa"] * np.exp(2j * GRID.energy * run["time"][:, None])}
    assert kind == "coupling"
    return a_run(2.0 * G)


@pytest.mark.parametrize(
    "kind", ["order", "conjugate", "kappa scale", "time unit", "rhobar", "rotating", "coupling"]
)
def test_a_difference_of_a_run_is_named(kind):
    found = compared(run_changed(kind))
    assert kinds(found) == {kind}
    assert found.explained


def test_a_run_that_is_ours_agrees():
    found = compared(a_run())
    assert found.agrees
    assert found.left_over["trajectory"] < 1e-6


def test_what_went_in_is_compared_too():
    found = compared(
        {
            "energy": GRID.energy * 1e6,
            "weight": GRID.weight / TWO_PI_CUBED,
            "g": G * TWO_PI_CUBED,
            "rho": RHO[ORDER],
            "rhobar": RHOBAR[PARTNER],
            "epn": RHO + RHOBAR - 1.0,
            "direction": -GRID.p_hat,
        }
    )
    named = {(d.part, d.kind) for d in found.differences}
    assert named == {
        ("energy", "unit"),
        ("weight", "coupling"),
        ("g", "coupling"),
        ("rho", "order"),
        ("rhobar", "rhobar"),
        ("direction", "sign"),
    }
    (product,) = (c for c in found.comparands if c.name == "g weight")
    assert product.verdict == "agrees"


def unknown_differences():
    theirs = matrix()
    noisy = theirs * (1.0 + 1e-3 * RNG.standard_normal(theirs.shape))
    shifted = theirs + 1e-3 * np.eye(2 * N)
    yield {"matrix": RNG.standard_normal((2 * N, 2 * N)) * 1j + theirs}
    other_n = matrix(rhobar=np.clip(RHOBAR + 0.01 * RNG.random(N), 0, 1))
    yield from ({"matrix": M} for M in (noisy, shifted, other_n))
    ours = rates()
    yield ours | {"dkappa": ours["dkappa"] + 1e-6 * KAPPA**2}
    yield ours | {"drho": ours["drho"] * (1.0 + 1e-3 * RNG.random(N))}
    run = a_run()
    yield run | {"kappa": run["kappa"] * (1.0 + 0.01 * run["time"])[:, None]}
    yield {"rho": RHO**2}


def test_a_difference_that_is_not_usual_is_not_given_a_name():
    for other in unknown_differences():
        found = compared(other)
        assert not found.explained
        assert not found.agrees
        assert found.differences == ()
        assert "No usual difference" in str(found)


def test_terms_that_agree_are_said_to_where_another_does_not():
    ours = rates()
    verdicts = {
        (c.part, c.name): c.verdict for c in compared(ours | {"dkappa": ours["dkappa"] ** 2}).comparands
    }
    assert verdicts["drho", "drive"] == "agrees"
    assert verdicts["dkappa", "vacuum"] == "unexplained"


def test_what_stands_where_ours_has_nothing_is_seen():
    only_kappa = matrix_terms(system(), np.arange(N))[0].values[0]
    theirs = compared(
        {
            "matrix": np.block(
                [[only_kappa, 1e-3 * np.ones((N, N))], [1e-3 * np.ones((N, N)), only_kappa.conj()]]
            )
        }
    )
    assert not theirs.explained
    grid = ps.beams([5.0, 5.0], [1.0, 0.0], [np.pi / 2, 0.0], [0.0, 0.0])  # the second feeds nothing
    M = matrices_of(grid, np.array([[0.3, -0.8]]), np.array([1e-4]))[0]
    M[0, 1] = M[2, 3] = 1e-3
    found = ps.compare(grid, [0.9, 0.1], [0.4, 0.1], g=1e-4, other={"matrix": M})
    assert not found.explained
    assert "something else" in str(found)


def test_a_number_that_means_nothing_is_said_to():
    found = compared({"matrix": 1.37 * matrix()})
    assert kinds(found) == {"unusual factor"}
    assert not found.explained
    assert "1.37" in found.conclusion


def test_what_a_system_cannot_tell_is_said_to():
    grid = ps.beams([5.0, 5.0], [1.0, 1.0], [np.pi / 2, 0.0], [0.0, 0.0])
    M = matrices_of(grid, np.array([[0.3, -0.8]]), np.array([1e-14]))[0]
    found = ps.compare(grid, [0.9, 0.1], [0.4, 0.1], g=1e-14, other={"matrix": M})
    verdicts = {c.name: c.verdict for c in found.comparands}
    assert verdicts["refraction"] == "unseen"
    assert verdicts["coupling"] == "agrees"
    assert found.agrees


def test_a_comparison_is_a_page_and_a_table():
    found = compared({"matrix": 2.0 * matrix(), "g": G})
    text = str(found)
    assert repr(found) == text
    assert "2 times ours" in text
    assert "factor: everything has a factor of 2 [matrix]" in text
    assert found._repr_html_().count("<tr>") == 1 + len(found.comparands)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({}, "other = {}: give a mapping"),
        ({"weights": GRID.weight}, r"other\['weights'\]: did you mean weight"),
        ({"matrix": np.eye(3)}, r"other\['matrix'\] has shape \(3, 3\): give \(48, 48\) or \(24, 24\)"),
        ({"rho": np.full(N, np.nan)}, r"other\['rho'\]: give finite numbers"),
        ({"dkappa": KAPPA}, r"other\['kappa'\] is missing"),
        ({"kappa": KAPPA}, "give dkappa or drho at it"),
        ({"theta": GRID.theta}, "give both"),
        ({"time": [1.0, 0.0], "kappa": np.ones((2, N))}, "times that rise"),
        ({"rho": 1j * RHO}, "real numbers"),
    ],
)
def test_what_cannot_be_compared_is_refused_by_name(other, said):
    with pytest.raises(ValueError, match=said):
        compared(other)


def test_orders_are_told_from_each_other():
    found = orders(GRID)
    assert len({order.places.tobytes() for order in found}) == len(found)
    assert any(np.array_equal(order.places, ORDER) for order in found)
    values = np.arange(float(N))
    for order in found:
        np.testing.assert_array_equal(Conventions(order=order).placed(values[order.places]), values)


def test_who_flies_the_other_way():
    np.testing.assert_allclose(GRID.p_hat[PARTNER], -GRID.p_hat, atol=1e-15)
    assert opposite(ps.beams([1.0, 1.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0])) is None
