#!/usr/bin/env python3
"""Writes one made-up snapshot in three layouts that simulations use, for docs/snapshots.md.

    make_snapshots.py FOLDER    groups.h5, particles_020km.dat and its like, m1.nc

The model is no simulation: moving thermal gases whose temperature falls outwards, with a layer where electron
antineutrinos are as dense as neutrinos and fly inwards, out of equilibrium, so that the EPN crosses zero there. All
three hold the same occupations, so that what is read from one can be compared with what is read from another.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import h5py
import numpy as np
import xarray as xr
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HBAR_C = 1.973269804e-11  # MeV cm
H = 4.135667696e-21  # MeV s
MEV = 1.602176634e-6  # erg
LIGHT = 2.99792458e10  # cm/s
RADIUS = np.array([12.0, 16.0, 20.0, 24.0, 28.0, 34.0, 42.0, 55.0, 75.0, 100.0])  # km
ENERGY_EDGES = np.concatenate([[0.0], np.geomspace(3.0, 80.0, 9)])  # MeV
COSINE_EDGES = np.linspace(-1.0, 1.0, 7)
PHI_EDGES = np.linspace(0.0, 2.0 * np.pi, 5)
PARTICLES_AT = (20.0, 28.0, 55.0)  # km


def occupation(radius: Floats, antineutrinos: bool, energy: Floats, cosine: Floats) -> Floats:
    """Occupation of electron neutrinos or antineutrinos by their own direction: a gas that moves outwards."""
    temperature = 2.0 + 6.0 * np.exp(-radius / 30.0)
    potential = 60.0 * np.exp(-radius / 25.0)
    layer = np.exp(-(((radius - 26.0) / 8.0) ** 2))
    if antineutrinos:
        potential = -potential * (1.0 - layer) + 32.0 * layer
    speed = 0.9 * (1.0 - np.exp(-radius / 15.0)) * (0.5 - 1.5 * layer if antineutrinos else 1.0)
    exponent = (energy * (1.0 - speed * cosine) - potential) / temperature
    return np.asarray(1.0 / (1.0 + np.exp(exponent)))


def cells() -> tuple[Floats, Floats, Floats]:
    """Middle energies, cosines, and states in 1 cm^3 of each cell of energy and direction."""
    energy, cosine = (0.5 * (edges[1:] + edges[:-1]) for edges in (ENERGY_EDGES, COSINE_EDGES))
    solid_angle = np.diff(COSINE_EDGES)[:, None] * np.diff(PHI_EDGES)
    shell = np.diff(ENERGY_EDGES**3) / 3.0
    return energy, cosine, shell[:, None, None] * solid_angle / (2.0 * np.pi * HBAR_C) ** 3


def numbers() -> Floats:
    """Neutrinos in 1 cm^3 by radius, kind, energy, cos(theta) and phi; the third kind is empty."""
    energy, cosine, states = cells()
    both = [
        occupation(RADIUS[:, None, None], bar, energy[:, None], cosine)[..., None] * states
        for bar in (False, True)
    ]
    return np.stack([*both, 0.0 * both[0]], axis=1)


def write_groups(path: Path) -> None:
    """Energy densities of frequency groups, with an axis of species: HDF5 without a word on dimensions."""
    energy, cosine, _ = cells()
    with h5py.File(path, "w") as file:
        file["distribution(erg|ccm,lab)"] = numbers() * MEV * energy[:, None, None]
        file["distribution_frequency_grid(Hz,lab)"] = ENERGY_EDGES / H
        file["distribution_frequency_mid(Hz,lab)"] = energy / H
        file["distribution_costheta_grid(lab)"] = COSINE_EDGES
        file["distribution_costheta_mid(lab)"] = cosine
        file["distribution_phi_grid(radians,lab)"] = PHI_EDGES
        file["r(cm)"] = 1e5 * RADIUS
        file["rho(g|ccm,com)"] = 1e14 * np.exp(-RADIUS / 8.0)


def write_particles(path: Path, radius: float) -> None:
    """One particle a line: momentum c (erg), numbers of neutrinos and of antineutrinos in 1 cm^3."""
    energy, cosine, _ = cells()
    at = int(np.flatnonzero(radius == RADIUS)[0])
    phi = 0.5 * (PHI_EDGES[1:] + PHI_EDGES[:-1])
    e, c, p = (each.ravel() for each in np.meshgrid(energy, cosine, phi, indexing="ij"))
    sine = np.sqrt(1.0 - c**2)
    momentum = MEV * e * np.stack([sine * np.cos(p), sine * np.sin(p), c])
    neutrinos, antineutrinos, _ = numbers()[at].reshape(3, -1)
    lines = np.stack([*momentum, neutrinos, antineutrinos], axis=1)
    # all digits: an angle that is rounded over an edge would fall into the next cell
    np.savetxt(path, lines, fmt="%.17e", header="px py pz (erg) N Nbar (1/ccm)")


def write_moments(path: Path) -> None:
    """Numbers and flux vectors of each group and species, as of a transport with two moments."""
    energy, _, _ = cells()
    nodes, weights = np.polynomial.legendre.leggauss(40)
    states = 4.0 * np.pi * np.diff(ENERGY_EDGES**3) / 3.0 / (2.0 * np.pi * HBAR_C) ** 3
    density, flux = (np.zeros((RADIUS.size, 3, energy.size, *more)) for more in ((), (3,)))
    for kind, bar in enumerate((False, True)):
        f = 0.5 * weights * occupation(RADIUS[:, None, None], bar, energy[:, None], nodes)
        density[:, kind] = f.sum(axis=2) * states
        flux[:, kind, :, 2] = LIGHT * (f * nodes).sum(axis=2) * states
    dims = ("radius", "species", "group")
    ds = xr.Dataset(
        {"N": (dims, density, {"units": "cm^-3"}), "F": ((*dims, "xyz"), flux, {"units": "cm^-2 s^-1"})},
        coords={
            "radius": ("radius", RADIUS, {"units": "km"}),
            "species": ["nue", "nuebar", "nux"],
            "group_edges": ("edge", ENERGY_EDGES, {"units": "MeV"}),
        },
    )
    ds.to_netcdf(path, engine="scipy")


def write_all(folder: Path) -> None:
    """Write all files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_groups(folder / "groups.h5")
    for radius in PARTICLES_AT:
        write_particles(folder / f"particles_{radius:03.0f}km.dat", radius)
    write_moments(folder / "m1.nc")


def main() -> None:
    """Write them where the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    write_all(parser.parse_args().folder)


if __name__ == "__main__":
    main()
