"""Shells of equal energy: the sums an averaged field is made of, and the field that coefficients make of them.

A state is a (3, N) array with rows n, Re kappa, Im kappa in the frame that turns with each shell, pairs sorted by
shell: shell a holds the pairs ``first[a]`` to ``first[a + 1]``. ``geometry`` (9, N) has the rows p_hat, theta_hat,
phi_hat. With eps = theta_hat - i phi_hat the sums of a shell are, in the order of ``SUMS``,

    sum w n (1),  sum w n p (3),  sum w n p p^T (xx, yy, zz, xy, xz, yz),
    Z = sum w eps kappa (re 3, im 3),  Y = sum w kappa p eps^T (re 9, im 9, row by row).

Every real function F of the state moves a pair by  kappa' = -(i/2) n f + i kappa h,  n' = 2 Im(kappa f*), with
f = (dF/dkappa*)/w and h = (dF/dn)/w, so |S| is kept whatever f and h are. For all functions met here

    h = h0 + l.p + p^T Q p,      f = eps*.(G + T p)

with coefficients per shell, ``COEFFICIENTS`` = h0 (1), l (3), Q (as above, the mixed ones counted twice), G (re 3,
im 3), T (re 9, im 9). Sums are reassociated for the vector units: a function of the shapes alone, so that a
point's result does not depend on its batch.
"""

from collections import namedtuple

import numpy as np

from pairsweep.kernels.jit import jit

SUMS = 34
AT_Z = 10
AT_Y = 16
COEFFICIENTS = 34
AT_L = 1
AT_Q = 4
AT_G = 10
AT_T = 16
# The pairs of one system sorted into shells. geometry (9, N), weight (N,), first (shells + 1,), centre (shells,) MeV,
# detuning (N,) = 2 (E_p - centre) MeV, background (3,) = sum w p_hat over all pairs MeV^3, order (N,) place of each
# sorted pair in the system, multiples (shells,) of phase_line
Shells = namedtuple("Shells", "geometry weight first centre detuning background order multiples")
VECTORISED = {"reassoc", "contract", "nsz"}


@jit(fastmath=VECTORISED)
def shell_sums(geometry, weight, first, state, sums):
    """Fill ``sums`` (shells, SUMS)."""
    px, py, pz = geometry[0], geometry[1], geometry[2]
    tx, ty, tz = geometry[3], geometry[4], geometry[5]
    fx, fy, fz = geometry[6], geometry[7], geometry[8]
    epn, kr, ki = state[0], state[1], state[2]
    for a in range(first.size - 1):
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = s8 = s9 = 0.0
        for q in range(first[a], first[a + 1]):
            wn = weight[q] * epn[q]
            x = wn * px[q]
            y = wn * py[q]
            z = wn * pz[q]
            s0 += wn
            s1 += x
            s2 += y
            s3 += z
            s4 += x * px[q]
            s5 += y * py[q]
            s6 += z * pz[q]
            s7 += x * py[q]
            s8 += x * pz[q]
            s9 += y * pz[q]
        row = sums[a]
        row[0] = s0
        row[1] = s1
        row[2] = s2
        row[3] = s3
        row[4] = s4
        row[5] = s5
        row[6] = s6
        row[7] = s7
        row[8] = s8
        row[9] = s9
        zxr = zyr = zzr = zxi = zyi = zzi = 0.0
        yxxr = yxyr = yxzr = yyxr = yyyr = yyzr = yzxr = yzyr = yzzr = 0.0
        yxxi = yxyi = yxzi = yyxi = yyyi = yyzi = yzxi = yzyi = yzzi = 0.0
        for q in range(first[a], first[a + 1]):
            re = weight[q] * kr[q]
            im = weight[q] * ki[q]
            xr = re * tx[q] + im * fx[q]
            yr = re * ty[q] + im * fy[q]
            zr = re * tz[q] + im * fz[q]
            xi = im * tx[q] - re * fx[q]
            yi = im * ty[q] - re * fy[q]
            zi = im * tz[q] - re * fz[q]
            zxr += xr
            zyr += yr
            zzr += zr
            zxi += xi
            zyi += yi
            zzi += zi
            yxxr += px[q] * xr
            yxyr += px[q] * yr
            yxzr += px[q] * zr
            yyxr += py[q] * xr
            yyyr += py[q] * yr
            yyzr += py[q] * zr
            yzxr += pz[q] * xr
            yzyr += pz[q] * yr
            yzzr += pz[q] * zr
            yxxi += px[q] * xi
            yxyi += px[q] * yi
            yxzi += px[q] * zi
            yyxi += py[q] * xi
            yyyi += py[q] * yi
            yyzi += py[q] * zi
            yzxi += pz[q] * xi
            yzyi += pz[q] * yi
            yzzi += pz[q] * zi
        row[10] = zxr
        row[11] = zyr
        row[12] = zzr
        row[13] = zxi
        row[14] = zyi
        row[15] = zzi
        row[16] = yxxr
        row[17] = yxyr
        row[18] = yxzr
        row[19] = yyxr
        row[20] = yyyr
        row[21] = yyzr
        row[22] = yzxr
        row[23] = yzyr
        row[24] = yzzr
        row[25] = yxxi
        row[26] = yxyi
        row[27] = yxzi
        row[28] = yyxi
        row[29] = yyyi
        row[30] = yyzi
        row[31] = yzxi
        row[32] = yzyi
        row[33] = yzzi
    return 0


@jit(fastmath=VECTORISED)
def vector_sums(geometry, weight, first, vector, z, along):
    """Fill ``z`` (shells, 3) complex with Z_a and ``along`` (3,) with sum w p n of the state S = ``vector``.

    ``vector`` (3, N) is local: rows n, 2 Re kappa, 2 Im kappa; it may be a displacement of a state.
    """
    px, py, pz = geometry[0], geometry[1], geometry[2]
    tx, ty, tz = geometry[3], geometry[4], geometry[5]
    fx, fy, fz = geometry[6], geometry[7], geometry[8]
    epn, kr, ki = vector[0], vector[1], vector[2]
    along[:] = 0.0
    for a in range(first.size - 1):
        ax = ay = az = 0.0
        xr = yr = zr = xi = yi = zi = 0.0
        for q in range(first[a], first[a + 1]):
            wn = weight[q] * epn[q]
            re = 0.5 * weight[q] * kr[q]
            im = 0.5 * weight[q] * ki[q]
            ax += wn * px[q]
            ay += wn * py[q]
            az += wn * pz[q]
            xr += re * tx[q] + im * fx[q]
            yr += re * ty[q] + im * fy[q]
            zr += re * tz[q] + im * fz[q]
            xi += im * tx[q] - re * fx[q]
            yi += im * ty[q] - re * fy[q]
            zi += im * tz[q] - re * fz[q]
        along[0] += ax
        along[1] += ay
        along[2] += az
        z[a, 0] = complex(xr, xi)
        z[a, 1] = complex(yr, yi)
        z[a, 2] = complex(zr, zi)
    return 0


@jit(fastmath=VECTORISED)
def rates(geometry, first, detuning, coefficients, state, out):
    """Fill ``out`` (3, N) with the rates of change of the state, from ``coefficients`` (shells, COEFFICIENTS).

    ``detuning`` (N,): 2 (E_p - E_shell), subtracted from h: the slow relative phase inside a shell.
    """
    px, py, pz = geometry[0], geometry[1], geometry[2]
    tx, ty, tz = geometry[3], geometry[4], geometry[5]
    fx, fy, fz = geometry[6], geometry[7], geometry[8]
    epn, kr, ki = state[0], state[1], state[2]
    dn, dr, di = out[0], out[1], out[2]
    for a in range(first.size - 1):
        row = coefficients[a]
        h0, lx, ly, lz = row[0], row[1], row[2], row[3]
        qxx, qyy, qzz, qxy, qxz, qyz = row[4], row[5], row[6], row[7], row[8], row[9]
        gxr, gyr, gzr, gxi, gyi, gzi = row[10], row[11], row[12], row[13], row[14], row[15]
        xxr, xyr, xzr, yxr, yyr, yzr = row[16], row[17], row[18], row[19], row[20], row[21]
        zxr, zyr, zzr = row[22], row[23], row[24]
        xxi, xyi, xzi, yxi, yyi, yzi = row[25], row[26], row[27], row[28], row[29], row[30]
        zxi, zyi, zzi = row[31], row[32], row[33]
        for q in range(first[a], first[a + 1]):
            x = px[q]
            y = py[q]
            z = pz[q]
            h = (
                (h0 - detuning[q])
                + x * (lx + qxx * x + qxy * y)
                + y * (ly + qyy * y + qyz * z)
                + z * (lz + qzz * z + qxz * x)
            )
            vxr = gxr + xxr * x + xyr * y + xzr * z
            vyr = gyr + yxr * x + yyr * y + yzr * z
            vzr = gzr + zxr * x + zyr * y + zzr * z
            vxi = gxi + xxi * x + xyi * y + xzi * z
            vyi = gyi + yxi * x + yyi * y + yzi * z
            vzi = gzi + zxi * x + zyi * y + zzi * z
            re = tx[q] * vxr + ty[q] * vyr + tz[q] * vzr - fx[q] * vxi - fy[q] * vyi - fz[q] * vzi
            im = tx[q] * vxi + ty[q] * vyi + tz[q] * vzi + fx[q] * vxr + fy[q] * vyr + fz[q] * vzr
            dn[q] = 2.0 * (ki[q] * re - kr[q] * im)
            dr[q] = 0.5 * epn[q] * im - h * ki[q]
            di[q] = h * kr[q] - 0.5 * epn[q] * re
    return 0


@jit(fastmath=VECTORISED)
def linear_gradient(geometry, first, axis, G, out):
    """Fill ``out`` (3, N) with the gradient (h, Re f, Im f) for h = axis.p and f = eps*.G, one G per shell."""
    px, py, pz = geometry[0], geometry[1], geometry[2]
    tx, ty, tz = geometry[3], geometry[4], geometry[5]
    fx, fy, fz = geometry[6], geometry[7], geometry[8]
    h, re, im = out[0], out[1], out[2]
    lx, ly, lz = axis[0], axis[1], axis[2]
    for a in range(first.size - 1):
        xr, yr, zr = G[a, 0].real, G[a, 1].real, G[a, 2].real
        xi, yi, zi = G[a, 0].imag, G[a, 1].imag, G[a, 2].imag
        for q in range(first[a], first[a + 1]):
            h[q] = px[q] * lx + py[q] * ly + pz[q] * lz
            re[q] = tx[q] * xr + ty[q] * yr + tz[q] * zr - fx[q] * xi - fy[q] * yi - fz[q] * zi
            im[q] = tx[q] * xi + ty[q] * yi + tz[q] * zi + fx[q] * xr + fy[q] * yr + fz[q] * zr
    return 0


@jit()
def rotate(gradient, time, state):
    """Rotate every S of ``state`` (3, N), in place, by ``time`` times ``gradient`` (3, N): the Cayley rotation.

    It keeps |S| to rounding; against the exact rotation it errs by the cube of the angle over 12.
    """
    for q in range(state.shape[1]):
        ax = 0.5 * time * gradient[0, q]
        ay = 0.5 * time * gradient[1, q]
        az = 0.5 * time * gradient[2, q]
        x = state[0, q]
        y = 2.0 * state[1, q]
        z = 2.0 * state[2, q]
        scale = 2.0 / (1.0 + ax * ax + ay * ay + az * az)
        # S + 2/(1+a^2) (a x S + a x (a x S))
        cx = ay * z - az * y
        cy = az * x - ax * z
        cz = ax * y - ay * x
        state[0, q] = x + scale * (cx + ay * cz - az * cy)
        state[1, q] = 0.5 * (y + scale * (cy + az * cx - ax * cz))
        state[2, q] = 0.5 * (z + scale * (cz + ax * cy - ay * cx))
    return 0


@jit()
def sort_into_shells(energy, weight, spin, g, order, first, centre):
    """Cluster the pairs into shells; returns their number.

    Neighbouring energies whose difference is not large against the coupling between them, 4 g sum w |S| over both,
    are one shell. Fills ``order`` (N,), the pairs by ascending energy, ``first`` (shells + 1 used) and ``centre``
    (shells used), the energy of each shell: the common one, or the mean weighted with w.

    ``spin`` (N,): |S| of every pair.
    """
    pairs = energy.size
    order[:] = np.argsort(energy, kind="mergesort")
    shells = 0
    start = 0
    strength = 0.0
    first[0] = 0
    for k in range(pairs):
        p = order[k]
        own = weight[p] * spin[p]
        if k > start:
            gap = energy[p] - energy[order[k - 1]]
            # the whole group of equal energy that starts at k acts together
            group = 0.0
            j = k
            while j < pairs and energy[order[j]] == energy[p]:
                group += weight[order[j]] * spin[order[j]]
                j += 1
            if gap > SAME_ENERGY * energy[p] and CLUSTER_RATIO * 2.0 * gap > 4.0 * g * (strength + group):
                shells += 1
                first[shells] = k
                start = k
                strength = 0.0
        strength += own
    shells += 1
    first[shells] = pairs
    for a in range(shells):
        total = 0.0
        mean = 0.0
        low = energy[order[first[a]]]
        for k in range(first[a], first[a + 1]):
            total += weight[order[k]]
            mean += weight[order[k]] * (energy[order[k]] - low)
        centre[a] = low + (mean / total if total > 0.0 else 0.0)
    return shells


# Ratio of coupling to energy difference above which two energies share a shell: balances the error of treating
# them as one (the third-order terms see the detuning) against that of a small denominator.
CLUSTER_RATIO = 0.1
SAME_ENERGY = 1e-13


@jit()
def smallness(background, strength, centre, detuning, first, g):
    """Bound of the change of variables, which averaging needs small: a pure number.

    The largest over shells a of 4 g |J0|/Omega_a + sum_b 4 g W_b [1/(Omega_a + Omega_b) + 1/|Omega_a - Omega_b|],
    W_b = ``strength`` (shells,) = sum w |S| and |J0| <= |sum w p| + sum w |S|, or of the detuning against Omega_a.
    Infinite for a shell that does not turn (E = 0).
    """
    most = np.sqrt(background[0] ** 2 + background[1] ** 2 + background[2] ** 2) + strength.sum()
    worst = 0.0
    for a in range(centre.size):
        omega = 2.0 * centre[a]
        if not omega > 0.0:
            return np.inf
        ratio = most / omega
        for b in range(centre.size):
            ratio += strength[b] / (omega + 2.0 * centre[b])
            if b != a:
                ratio += strength[b] / abs(omega - 2.0 * centre[b])
        ratio *= 4.0 * abs(g)
        for q in range(first[a], first[a + 1]):
            ratio = max(ratio, abs(detuning[q]) / omega)
        # also takes over a ratio that is not a number
        if not ratio <= worst:
            worst = ratio
    return worst
