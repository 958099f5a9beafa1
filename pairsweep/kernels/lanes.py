"""Eight doubles side by side: the SIMD value type of the kernels, and its real arithmetic.

A loop over eight lanes with a dozen arrays is left scalar by LLVM, which cannot prove that none of them overlap; a
type that *is* a machine vector leaves nothing to prove and comes out as AVX-512, as two AVX2 or four NEON registers.
Lane i of every operation depends on lane i of its operands alone, so what a lane holds never depends on its
neighbours; a product that is added may be fused (``contract``), which rounds once instead of twice.

Uncompiled, a vector is a numpy array of eight, so kernels in these terms run and are tested in plain Python. Masks,
choices and complex lanes are in ``bulk_lanes``.
"""

import operator
from itertools import product

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import lower_builtin, models, overload, register_model, type_callable

LANES = 8
CACHE_LINE = 64  # bytes

VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_FLAGS = ("contract",)


class LanesType(types.Type):
    """Eight float64 in one register."""

    def __init__(self):
        super().__init__(name="lanes8")


LANES_TYPE = LanesType()


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, VECTOR)


def compile_lanes(function, signatures, result, emit):
    """Teach numba that ``function`` of any of these types gives ``result``, by emit(builder, *vectors).

    ``signatures`` are tuples of type classes, all of one length; numbers among the arguments are spread over the lanes.
    """
    signatures = tuple(signatures)

    def typed(*actual):
        fits = any(all(map(isinstance, actual, signature)) for signature in signatures)
        return result if fits else None

    @type_callable(function)
    def typing(context):
        # numba reads the number of arguments off the function
        return (lambda a: typed(a), lambda a, b: typed(a, b), lambda a, b, c: typed(a, b, c))[
            len(signatures[0]) - 1
        ]

    def lowering(context, builder, signature, values):
        vectors = []
        for kind, value in zip(signature.args, values, strict=True):
            if isinstance(kind, types.Number):
                value = _splat(builder, context.cast(builder, value, kind, types.float64))
            vectors.append(value)
        return emit(builder, *vectors)

    for signature in signatures:
        lower_builtin(function, *signature)(lowering)


def _splat(builder, value):
    undefined = ir.Constant(VECTOR, ir.Undefined)
    vector = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(vector, undefined, zeros)


def add(builder, a, b):
    """Emit a + b."""
    return builder.fadd(a, b, flags=_FLAGS)


def subtract(builder, a, b):
    """Emit a - b."""
    return builder.fsub(a, b, flags=_FLAGS)


def multiply(builder, a, b):
    """Emit a b."""
    return builder.fmul(a, b, flags=_FLAGS)


REAL = (LanesType, types.Number)


def operands(kinds, needed):
    """All pairs of operands of these kinds with at least one of the ``needed`` kind."""
    return [pair for pair in product(kinds, repeat=2) if needed in pair]


for _operation, _emit in (
    (operator.add, add),
    (operator.sub, subtract),
    (operator.mul, multiply),
    (operator.truediv, lambda builder, a, b: builder.fdiv(a, b)),
):
    compile_lanes(_operation, operands(REAL, LanesType), LANES_TYPE, _emit)
compile_lanes(operator.neg, [(LanesType,)], LANES_TYPE, lambda builder, a: builder.fneg(a))


def splat(value):
    """One number in all lanes."""
    return np.full(LANES, value, dtype=np.float64)


compile_lanes(splat, [(types.Number,)], LANES_TYPE, lambda builder, value: value)


def aligned_zeros(size):
    """Flat array of zeros that starts on a cache line: loads that straddle two take twice as long."""
    room = np.zeros(size + LANES)
    start = (-room.ctypes.data % CACHE_LINE) // room.itemsize
    return room[start : start + size]


@overload(aligned_zeros)
def _aligned_zeros_typed(size):
    return aligned_zeros


def total(vector):
    """Sum over the lanes, in the order of a binary tree."""
    half = vector[:4] + vector[4:]
    quarter = half[:2] + half[2:]
    return quarter[0] + quarter[1]


def _emit_total(builder, vector):
    sums = [builder.extract_element(vector, ir.Constant(ir.IntType(32), i)) for i in range(LANES)]
    while len(sums) > 1:
        half = len(sums) // 2
        sums = [builder.fadd(sums[i], sums[i + half]) for i in range(half)]
    return sums[0]


compile_lanes(total, [(LanesType,)], types.float64, _emit_total)


def load(array, start):
    """Lanes of the eight elements of a C-ordered float64 array from flat index ``start`` on."""
    return array.reshape(-1)[start : start + LANES].copy()


def store(array, start, vector):
    """Write lanes to the eight elements of a C-ordered float64 array from flat index ``start`` on."""
    array.reshape(-1)[start : start + LANES] = vector


def is_table(array):
    """Whether a numba type is that of an array that lanes can be taken from."""
    return isinstance(array, types.Array) and array.dtype == types.float64 and array.layout == "C"


def address(context, builder, array_type, array, start):
    """Emit the address of the lanes from flat index ``start`` (an LLVM integer) on."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [start]), VECTOR.as_pointer())


@type_callable(load)
def _type_load(context):
    return lambda array, start: LANES_TYPE if is_table(array) else None


@type_callable(store)
def _type_store(context):
    return lambda array, start, vector: types.none if is_table(array) else None


@lower_builtin(load, types.Array, types.Integer)
def _lower_load(context, builder, signature, values):
    start = context.cast(builder, values[1], signature.args[1], types.intp)
    return builder.load(address(context, builder, signature.args[0], values[0], start), align=8)


@lower_builtin(store, types.Array, types.Integer, LanesType)
def _lower_store(context, builder, signature, values):
    start = context.cast(builder, values[1], signature.args[1], types.intp)
    builder.store(values[2], address(context, builder, signature.args[0], values[0], start), align=8)
    return context.get_dummy_value()
