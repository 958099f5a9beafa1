"""Functions of the averaged state that are cubic in S, as coefficients of their field.

K2 and chi2 (docs/averaging.md) both are, indices running over 0 and +-a, Z_0 = J0, Z_-a = Z_a*, Omega_0 = 0,
Omega_-a = -Omega_a,

    sum_a sum_{b,d}  A_a[b,d] Z_b^T N_a Z_d + (B_a[b,d] Z_b^T Y_a Z_d + c.c.)

and with c(x) = 1/x, c(0) = 0, m(x) = 1 if x = 0 else 1/2,

    K2:    A = -8 c(Oa + Ob) where Ob + Od = 0,      B = -16 c(Ob) where Oa + Ob + Od = 0
    chi2:  A = 8i c(Ob + Od) [m(Ob + Oa) c(Od - Oa) - m(Od - Oa) c(Ob + Oa)]
           B = 16i c(Oa + Ob + Od) [m(Ob) c(Oa + Od) - m(Oa + Od) c(Ob)]

The field of K2 is written out in :mod:`field`; here are its three-wave resonances (Oa + Ob + Od = 0, none of them 0),
which come from B alone and which that field leaves out.
"""

from enum import IntEnum

import numpy as np

from pairsweep.analyses.evolution.kernels.averaging.shells import AT_G, AT_L, AT_Q, AT_T, AT_Y, AT_Z
from pairsweep.kernels.jit import jit

# Frequencies that differ by less, relative to the largest, are equal: the rounding of energies
SAME_FREQUENCY = 1e-13


class Form(IntEnum):
    """Functions of :func:`add_form`; CHI2_LINEAR: the terms of chi2 linear in kappa, O(n_E^2) instead of O(n_E^3)."""

    CHI2 = 0
    CHI2_LINEAR = 1
    THREE_WAVE = 2


@jit(forceinline=True)
def times_n(sums, v, sign, out):
    """Fill ``out`` (3,) with N v (``sign`` = 1.0) or N^T v (-1.0).

    N = sum w n eps eps^dagger = I W - P + i [eps_ijk d_k], with W, d and P the sums of w n, w n p and w n p p^T.
    """
    w = sums[0]
    ix = complex(0.0, sign * sums[1])
    iy = complex(0.0, sign * sums[2])
    iz = complex(0.0, sign * sums[3])
    out[0] = (w - sums[4]) * v[0] + (iz - sums[7]) * v[1] - (iy + sums[8]) * v[2]
    out[1] = -(iz + sums[7]) * v[0] + (w - sums[5]) * v[1] + (ix - sums[9]) * v[2]
    out[2] = (iy - sums[8]) * v[0] - (ix + sums[9]) * v[1] + (w - sums[6]) * v[2]


@jit(forceinline=True)
def times_y(sums, v, sign, out):
    """Fill ``out`` (3,) with Y v (``sign`` = 1.0) or Y^T v (-1.0), Y = sum w kappa p eps^T."""
    for i in range(3):
        total = 0.0j
        for j in range(3):
            k = AT_Y + (3 * i + j if sign > 0.0 else 3 * j + i)
            total += complex(sums[k], sums[k + 9]) * v[j]
        out[i] = total


@jit(forceinline=True)
def read_z(background, sums, z, J0):
    """Fill ``z`` (shells, 3) with Z_a and ``J0`` (3,), complex; ``background`` (3,) is sum w p of all pairs."""
    for k in range(3):
        total = background[k]
        for a in range(sums.shape[0]):
            total += sums[a, 1 + k]
            z[a, k] = complex(sums[a, AT_Z + k], sums[a, AT_Z + 3 + k])
        J0[k] = total


@jit(forceinline=True)
def add_quadratic(row, mr, mi, factor):
    """Add factor * eps^dagger M eps to h, for a Hermitian M = mr + i mi (3, 3).

    eps^dagger M eps = tr M - p^T (Re M) p + eps_ijk (Im M)_ij p_k.
    """
    row[0] += factor * (mr[0, 0] + mr[1, 1] + mr[2, 2])
    row[AT_L] += factor * (mi[1, 2] - mi[2, 1])
    row[AT_L + 1] += factor * (mi[2, 0] - mi[0, 2])
    row[AT_L + 2] += factor * (mi[0, 1] - mi[1, 0])
    row[AT_Q] -= factor * mr[0, 0]
    row[AT_Q + 1] -= factor * mr[1, 1]
    row[AT_Q + 2] -= factor * mr[2, 2]
    row[AT_Q + 3] -= factor * (mr[0, 1] + mr[1, 0])
    row[AT_Q + 4] -= factor * (mr[0, 2] + mr[2, 0])
    row[AT_Q + 5] -= factor * (mr[1, 2] + mr[2, 1])


@jit()
def _c(x, zero):
    """1/x, or 0 where |x| <= zero."""
    return 0.0 if abs(x) <= zero else 1.0 / x


@jit()
def _a(form, oa, ob, od, zero):
    if form == Form.THREE_WAVE:
        return 0.0j
    mb = 1.0 if abs(ob + oa) <= zero else 0.5
    md = 1.0 if abs(od - oa) <= zero else 0.5
    return complex(0.0, 8.0 * _c(ob + od, zero) * (mb * _c(od - oa, zero) - md * _c(ob + oa, zero)))


@jit()
def _b(form, oa, ob, od, zero):
    if form == Form.THREE_WAVE:
        if abs(oa + ob + od) <= zero and abs(ob) > zero and abs(od) > zero:
            return complex(-16.0 * _c(ob, zero), 0.0)
        return 0.0j
    mb = 1.0 if abs(ob) <= zero else 0.5
    md = 1.0 if abs(oa + od) <= zero else 0.5
    return complex(0.0, 16.0 * _c(oa + ob + od, zero) * (mb * _c(oa + od, zero) - md * _c(ob, zero)))


@jit()
def resonance_width(centre):
    """Frequency mismatch that counts as zero, MeV: rounding of the energies, far below any averaged rate."""
    top = 0.0
    for a in range(centre.size):
        top = max(top, 2.0 * centre[a])
    return SAME_FREQUENCY * top


@jit()
def add_form(form, centre, background, factor, sums, coefficients):
    """Add factor times the field of a :class:`Form` to ``coefficients`` (shells, COEFFICIENTS)."""
    shells = centre.size
    zero = resonance_width(centre)
    z = np.empty((shells, 3), dtype=np.complex128)
    J0 = np.empty(3)
    read_z(background, sums, z, J0)
    every = 2 * shells + 1
    omega = np.zeros(every)
    ze = np.zeros((every, 3), dtype=np.complex128)
    for k in range(3):
        ze[shells, k] = J0[k]
    for a in range(shells):
        omega[shells + 1 + a] = 2.0 * centre[a]
        omega[shells - 1 - a] = -2.0 * centre[a]
        for k in range(3):
            ze[shells + 1 + a, k] = z[a, k]
            ze[shells - 1 - a, k] = z[a, k].conjugate()
    # gradient with respect to Z_b*, per index; index 0 collects that of J0
    grad = np.zeros((every, 3), dtype=np.complex128)
    nz = np.empty((every, 3), dtype=np.complex128)
    ntz = np.empty((every, 3), dtype=np.complex128)
    yz = np.empty((every, 3), dtype=np.complex128)
    ytz = np.empty((every, 3), dtype=np.complex128)
    mr = np.empty((3, 3))
    mi = np.empty((3, 3))
    for a in range(shells):
        oa = 2.0 * centre[a]
        row = coefficients[a]
        mr[:, :] = 0.0
        mi[:, :] = 0.0
        for b in range(every):
            times_n(sums[a], ze[b], 1.0, nz[b])
            times_n(sums[a], ze[b], -1.0, ntz[b])
            times_y(sums[a], ze[b], 1.0, yz[b])
            times_y(sums[a], ze[b], -1.0, ytz[b])
        for b in range(every):
            for d in range(every):
                # b = 0 or d = 0
                if form == Form.CHI2_LINEAR and b != shells and d != shells:
                    continue
                A = factor * _a(form, oa, omega[b], omega[d], zero)
                if A != 0.0:
                    for i in range(3):
                        # Z_b enters F with gradient A N Z_d; it is Z* of the index of opposite sign
                        grad[b, i] += A * nz[d, i]
                        grad[d, i] += A * ntz[b, i]
                        for j in range(3):
                            term = A * ze[d, i] * ze[b, j]
                            mr[i, j] += term.real
                            mi[i, j] += term.imag
                B = factor * _b(form, oa, omega[b], omega[d], zero)
                if B != 0.0:
                    for i in range(3):
                        grad[b, i] += B * yz[d, i]
                        grad[d, i] += B * ytz[b, i]
                        grad[every - 1 - b, i] += (B * yz[d, i]).conjugate()
                        grad[every - 1 - d, i] += (B * ytz[b, i]).conjugate()
                        for j in range(3):
                            t = (B * ze[d, i] * ze[b, j]).conjugate()
                            row[AT_T + 3 * i + j] += t.real
                            row[AT_T + 9 + 3 * i + j] += t.imag
        add_quadratic(row, mr, mi, 1.0)
    for a in range(shells):
        for k in range(3):
            gradient = grad[shells - 1 - a, k]
            coefficients[a, AT_G + k] += gradient.real
            coefficients[a, AT_G + 3 + k] += gradient.imag
            coefficients[a, AT_L + k] += grad[shells, k].real
    return 0


@jit()
def three_waves(centre, strength, g):
    """Return whether three shells resonate, Omega_a + Omega_b = Omega_c, and the worst of those that nearly do.

    The latter is the size, a pure number, of the term of chi2 with the small denominator: 16 g^2 W_a W_b over the
    mismatch and the smallest Omega, W = ``strength`` (shells,) = sum w |S| in MeV^3.
    """
    zero = resonance_width(centre)
    resonant = False
    worst = 0.0
    for a in range(centre.size):
        for b in range(a, centre.size):
            for c in range(b + 1, centre.size):
                mismatch = 2.0 * abs(centre[a] + centre[b] - centre[c])
                if mismatch <= zero:
                    resonant = True
                else:
                    pairs = strength[a] * strength[b] + strength[c] * (strength[a] + strength[b])
                    worst = max(worst, 16.0 * g * g * pairs / (mismatch * 2.0 * centre[0]))
    return resonant, worst
