"""A vector of eight doubles for kernels: explicit SIMD where the loop vectoriser gives up.

A loop over eight lanes with a dozen arrays is left scalar by LLVM (too many pointers to prove apart); with this
type the same arithmetic is written once, on whole vectors, and comes out as AVX-512, as two AVX2 or four NEON
registers. Each operation acts on every lane alike, so what a lane holds never depends on its neighbours; a product
that is added may be fused.

Uncompiled, a vector is a numpy array of eight, so kernels in these terms run and are tested in plain Python.
"""

import operator

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, models, overload, register_model
from numba.np.arrayobj import make_array

LANES = 8
CACHE_LINE = 64  # bytes

_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_INT32 = ir.IntType(32)


class LanesType(types.Type):
    """Type of a vector of eight doubles."""

    def __init__(self):
        super().__init__(name="Lanes")


LANES_TYPE = LanesType()


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, data_models, frontend_type):
        super().__init__(data_models, frontend_type, _VECTOR)


def load(array, start):
    """Vector of the eight elements of a contiguous ``array`` from flat index ``start`` on."""
    return array.reshape(-1)[start : start + LANES].copy()


def store(array, start, vector):
    """Write ``vector`` to the eight elements of a contiguous ``array`` from flat index ``start`` on."""
    array.reshape(-1)[start : start + LANES] = vector


def splat(value):
    """Vector of eight times ``value``."""
    return np.full(LANES, value)


def aligned_zeros(size):
    """Flat array of zeros that starts on a cache line: vectors that straddle two cost half as much again, or double."""
    room = np.zeros(size + LANES)
    start = (-room.ctypes.data % CACHE_LINE) // room.itemsize
    return room[start : start + size]


def total(vector):
    """Sum over the lanes, in the order of a binary tree."""
    half = vector[:4] + vector[4:]
    quarter = half[:2] + half[2:]
    return quarter[0] + quarter[1]


def _arithmetic(instruction):
    @intrinsic
    def operation(_, left, right):
        def generate(context, builder, signature, arguments):
            return getattr(builder, instruction)(*arguments, flags=("contract",))

        return LANES_TYPE(LANES_TYPE, LANES_TYPE), generate

    return operation


def _define(function, operation):
    @overload(function)
    def _typed(left, right):
        if isinstance(left, LanesType) and isinstance(right, LanesType):
            return lambda left, right: operation(left, right)
        return None


for _function, _instruction in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul")):
    _define(_function, _arithmetic(_instruction))


def _address(context, builder, array_type, array, start):
    data = make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [start]), _VECTOR.as_pointer())


@intrinsic
def _load(_, array, start):
    def generate(context, builder, signature, arguments):
        return builder.load(_address(context, builder, signature.args[0], *arguments), align=8)

    return LANES_TYPE(array, types.intp), generate


@intrinsic
def _store(_, array, start, vector):
    def generate(context, builder, signature, arguments):
        address = _address(context, builder, signature.args[0], *arguments[:2])
        builder.store(arguments[2], address, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, LANES_TYPE), generate


@intrinsic
def _splat(_, value):
    def generate(context, builder, signature, arguments):
        undefined = ir.Constant(_VECTOR, ir.Undefined)
        one = builder.insert_element(undefined, arguments[0], ir.Constant(_INT32, 0))
        everywhere = ir.Constant(ir.VectorType(_INT32, LANES), [0] * LANES)
        return builder.shuffle_vector(one, undefined, everywhere)

    return LANES_TYPE(types.float64), generate


@intrinsic
def _total(_, vector):
    def generate(context, builder, signature, arguments):
        sums = [builder.extract_element(arguments[0], ir.Constant(_INT32, i)) for i in range(LANES)]
        while len(sums) > 1:
            half = len(sums) // 2
            sums = [builder.fadd(sums[i], sums[i + half]) for i in range(half)]
        return sums[0]

    return types.float64(LANES_TYPE), generate


@overload(load)
def _load_typed(array, start):
    return lambda array, start: _load(array, start)


@overload(store)
def _store_typed(array, start, vector):
    return lambda array, start, vector: _store(array, start, vector)


@overload(splat)
def _splat_typed(value):
    return lambda value: _splat(value)


@overload(total)
def _total_typed(vector):
    return lambda vector: _total(vector)


@overload(aligned_zeros)
def _aligned_zeros_typed(size):
    return aligned_zeros
