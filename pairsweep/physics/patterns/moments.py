"""Occupations with given moments: a mean over directions and a flux, closed by the entropy that they leave free.

Radiation transport keeps the number of neutrinos of an energy group and their flux. The occupation with these moments
and the largest entropy is, with mu the cosine of the angle to the flux,

    fermions      1/(1 + exp(-(a + b mu)))      Cernohorsky, Bludman, ApJ 433 (1994) 250
    classical     exp(a + b mu)                 Minerbo, JQSRT 20 (1978) 541

A fermionic occupation of mean n has a flux factor below 1 - n, where every direction is full or empty.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pairsweep.contract.errors import SpecError
from pairsweep.contract.fields import Field
from pairsweep.contract.view import SpecView
from pairsweep.physics.grid import Floats
from pairsweep.physics.patterns.base import HasMomenta, Level, Occupations, Pattern, occupation_field

CLOSURES = ("fermionic", "minerbo")
STEEPEST = 1e8  # largest b that is tried
HALVINGS = 200
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
SMOOTH = 20.0  # b up to which these nodes integrate to rounding


def moments(
    momenta: HasMomenta,
    mean_occupation: Level,
    flux_factor: Level,
    flux_theta: Level = 0.0,
    flux_phi: Level = 0.0,
    mean_occupation_bar: Level | None = None,
    flux_factor_bar: Level | None = None,
    closure: str | np.typing.NDArray[np.str_] = "fermionic",
) -> Occupations:
    """Return occupations with a mean over directions and a flux, the same at every energy; rhobar defaults to rho.

    ``flux_factor`` is the flux over the mean; flux_theta and flux_phi (radians) are its direction. Moments of rhobar
    are of the antineutrinos' own momenta, which fly the other way: in the pair's label their flux is reversed. NaN
    where no occupation between 0 and 1 has such moments.
    """
    sin_theta = np.sin(momenta.theta)
    cosine = sin_theta * np.sin(flux_theta) * np.cos(momenta.phi - flux_phi)
    cosine = cosine + np.cos(momenta.theta) * np.cos(flux_theta)
    found = []
    for mean, factor, along in (
        (mean_occupation, flux_factor, cosine),
        (
            mean_occupation if mean_occupation_bar is None else mean_occupation_bar,
            flux_factor if flux_factor_bar is None else flux_factor_bar,
            -cosine,
        ),
    ):
        n, f = np.broadcast_arrays(np.asarray(mean, dtype=np.float64), np.asarray(factor, dtype=np.float64))
        a, b = np.empty(n.shape), np.empty(n.shape)
        chosen = np.broadcast_to(np.asarray(closure), n.shape)
        for name, close in CLOSE.items():
            of_it = chosen == name
            a[of_it], b[of_it] = close(n[of_it], f[of_it])
        exponent = a + b * along
        found.append(
            np.where(chosen == "minerbo", of_closure("minerbo", exponent), of_closure("fermionic", exponent))
        )
    return found[0], found[1]


def of_closure(closure: str, exponent: Floats) -> Floats:
    """Occupation of a closure where a + b mu is ``exponent``."""
    from scipy.special import expit

    return np.asarray(np.exp(np.minimum(exponent, 1.0)) if closure == "minerbo" else expit(exponent))


def close_fermionic(mean: Floats, factor: Floats) -> tuple[Floats, Floats]:
    """Find a and b of 1/(1 + exp(-(a + b mu))) from its mean and its flux over its mean, elementwise; NaN if none."""
    possible = (mean > 0) & (mean < 1) & (factor >= 0) & (factor < 1.0 - mean)
    n = np.where(possible, mean, 0.5)
    b = _rising_root(lambda b: _fermionic_flux(n, b) / n, np.where(possible, factor, 0.0))
    empty, full = (mean == 0) & (factor == 0), (mean == 1) & (factor == 0)
    a = np.where(possible, _fermionic_a(n, b), np.where(full, np.inf, np.where(empty, -np.inf, np.nan)))
    return a, np.where(empty | full, 0.0, np.where(possible, b, np.nan))


def _fermionic_a(n: Floats, b: Floats) -> Floats:
    """The a that gives the mean n: ln expm1(2 b n) - b - ln(1 - exp(-2 b (1 - n))), and its limit ln(n/(1 - n))."""
    steep = np.maximum(b, 1e-12)
    up = 2.0 * steep * n
    log_up = np.where(up > 30.0, up, np.log(np.expm1(np.minimum(up, 30.0))))
    return np.asarray(log_up - steep - np.log(-np.expm1(-2.0 * steep * (1.0 - n))))


def _fermionic_flux(n: Floats, b: Floats) -> Floats:
    """Mean of mu/(1 + exp(-(a + b mu))) over mu from -1 to 1."""
    from scipy.special import expit, spence

    a = _fermionic_a(n, b)
    exponent = a[..., None] + b[..., None] * _NODES
    smooth = 0.5 * np.sum(_WEIGHTS * _NODES * expit(exponent), axis=-1)
    steep = np.maximum(b, SMOOTH)

    def softplus(x: Floats) -> Floats:
        return np.asarray(np.logaddexp(0.0, x))

    def integral(x: Floats) -> Floats:
        # of softplus up to x: -Li2(-exp(x)), by its inversion above 0
        tail = -spence(1.0 + np.exp(-np.abs(x)))
        return np.asarray(np.where(x > 0, np.pi**2 / 6.0 + 0.5 * x * x - tail, tail))

    up, down = a + steep, a - steep
    by_parts = (
        0.5 * (softplus(up) + softplus(down)) / steep - 0.5 * (integral(up) - integral(down)) / steep**2
    )
    return np.asarray(np.where(b < SMOOTH, smooth, by_parts))


def close_minerbo(mean: Floats, factor: Floats) -> tuple[Floats, Floats]:
    """Find a and b of exp(a + b mu) from its mean and its flux over its mean, elementwise; NaN if none.

    coth(b) - 1/b is the flux factor and exp(a) sinh(b)/b the mean.
    """
    possible = (mean >= 0) & (factor >= 0) & (factor < 1.0)

    def langevin(b: Floats) -> Floats:
        small = b < 1e-2
        safe = np.where(small, 1.0, b)
        series = b / 3.0 - b**3 / 45.0 + 2.0 * b**5 / 945.0
        return np.where(small, series, 1.0 / np.tanh(safe) - 1.0 / safe)

    b = _rising_root(langevin, np.where(possible, factor, 0.0))
    small = b < 1e-4
    safe = np.where(small, 1.0, b)
    # ln(sinh(b)/b) = b + ln((1 - exp(-2 b))/(2 b))
    spread = np.where(small, b**2 / 6.0, b + np.log(-np.expm1(-2.0 * safe) / (2.0 * safe)))
    with np.errstate(divide="ignore"):
        a = np.log(np.where(possible, mean, 1.0)) - spread
    return np.where(possible, a, np.nan), np.where(possible, b, np.nan)


def _rising_root(function: Callable[[Floats], Floats], wanted: Floats) -> Floats:
    """Where a function that rises from 0 at 0 reaches the wanted values, by bisection in b/(1 + b)."""
    low, high = np.zeros(wanted.shape), np.full(wanted.shape, STEEPEST / (1.0 + STEEPEST))
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        below = function(middle / (1.0 - middle)) < wanted
        low, high = np.where(below, middle, low), np.where(below, high, middle)
        if np.all(high - low <= np.spacing(high)):
            break
    found = 0.5 * (low + high)
    return np.where(wanted == 0, 0.0, found / (1.0 - found))


CLOSE = {"fermionic": close_fermionic, "minerbo": close_minerbo}


def _check(spec: SpecView) -> None:
    """Refuse moments that no occupation of any point can have."""
    for bar in ("", "_bar"):
        mean, factor = f"mean_occupation{bar}", f"flux_factor{bar}"
        if factor in spec and "fermionic" in spec["closure"].values:
            filling = spec[mean] if mean in spec else spec["mean_occupation"]
            lowest, least = float(min(spec[factor].values)), float(min(filling.values))
            if lowest >= 1.0 - least and lowest > 0.0:
                cure = f"lies below 1 - {filling.name}, here {1.0 - least:g}, where every direction is full or empty"
                raise SpecError(f"occupation.{factor}", lowest, cure)


PATTERN = Pattern(
    name="moments",
    meaning="the occupation of largest entropy with a given mean and flux",
    function=moments,
    fields=(
        occupation_field("mean_occupation", "mean neutrino occupation over all directions"),
        Field("flux_factor", "number", "neutrino flux over the mean occupation", minimum=0.0, maximum=1.0),
        Field("flux_theta", "number", "polar angle of the fluxes", "rad", required=False, default=0.0),
        Field("flux_phi", "number", "azimuth of the fluxes", "rad", required=False, default=0.0),
        occupation_field(
            "mean_occupation_bar",
            "mean antineutrino occupation, mean_occupation where left out",
            required=False,
        ),
        Field(
            "flux_factor_bar",
            "number",
            "antineutrino flux over their mean, in their own direction; flux_factor where left out",
            required=False,
            minimum=0.0,
            maximum=1.0,
        ),
        Field(
            "closure",
            "text",
            "entropy that closes the moments: of fermions, or the classical one of Minerbo",
            required=False,
            default="fermionic",
            choices=CLOSURES,
        ),
    ),
    linear=True,
    check=_check,
)
