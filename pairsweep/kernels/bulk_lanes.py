"""Eight points side by side: a SIMD value type for the bulk kernels.

Kernels over maps do the same arithmetic for every point, so eight points share one instruction stream. Arrays with an
inner loop of eight are vectorised only if the compiler can prove that none of them overlap, which it cannot for
dozens of scratch arrays; a type that *is* a machine vector leaves nothing to prove. Lane i of every operation
depends on lane i of its operands alone, hence a point's result cannot depend on its neighbours or on its position.

In compiled code ``load`` returns ``<8 x double>`` values with the usual operators, comparisons give ``<8 x i1>``
masks. Uncompiled, the same functions return numpy arrays of eight, so every kernel also runs as plain Python.
Products may be fused with the following sum (``contract``), which rounds once instead of twice.
"""

import operator
from itertools import product

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, models, register_model, type_callable

LANES = 8

_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_FLAGS = ("contract",)


class LanesType(types.Type):
    """Eight float64 in one register."""

    def __init__(self):
        super().__init__(name="lanes8")


class MaskType(types.Type):
    """Eight truth values."""

    def __init__(self):
        super().__init__(name="mask8")


LANES_TYPE = LanesType()
MASK_TYPE = MaskType()


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, _VECTOR)


@register_model(MaskType)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, ir.VectorType(ir.IntType(1), LANES))


def _compile(function, arguments, result, emit):
    """Teach numba that ``function`` of these argument types gives ``result``, by emit(builder, *vectors).

    Numbers among the arguments are spread over the lanes.
    """

    def typed(*actual):
        return result if all(map(isinstance, actual, arguments)) else None

    @type_callable(function)
    def typing(context):
        # numba reads the number of arguments off the function
        return (lambda a: typed(a), lambda a, b: typed(a, b), lambda a, b, c: typed(a, b, c))[len(arguments) - 1]

    @lower_builtin(function, *arguments)
    def lowering(context, builder, signature, values):
        vectors = []
        for kind, value in zip(signature.args, values, strict=True):
            if isinstance(kind, types.Number):
                value = _splat(builder, context.cast(builder, value, kind, types.float64))
            vectors.append(value)
        return emit(builder, *vectors)


def _splat(builder, value):
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    vector = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(vector, undefined, zeros)


def _compile_arithmetic(function, result, emit):
    for arguments in ((LanesType, LanesType), (LanesType, types.Number), (types.Number, LanesType)):
        _compile(function, arguments, result, emit)


_compile_arithmetic(operator.add, LANES_TYPE, lambda builder, a, b: builder.fadd(a, b, flags=_FLAGS))
_compile_arithmetic(operator.sub, LANES_TYPE, lambda builder, a, b: builder.fsub(a, b, flags=_FLAGS))
_compile_arithmetic(operator.mul, LANES_TYPE, lambda builder, a, b: builder.fmul(a, b, flags=_FLAGS))
_compile_arithmetic(operator.truediv, LANES_TYPE, lambda builder, a, b: builder.fdiv(a, b))
_compile_arithmetic(operator.lt, MASK_TYPE, lambda builder, a, b: builder.fcmp_ordered("<", a, b))
_compile_arithmetic(operator.le, MASK_TYPE, lambda builder, a, b: builder.fcmp_ordered("<=", a, b))
_compile_arithmetic(operator.gt, MASK_TYPE, lambda builder, a, b: builder.fcmp_ordered(">", a, b))
_compile_arithmetic(operator.ge, MASK_TYPE, lambda builder, a, b: builder.fcmp_ordered(">=", a, b))
_compile_arithmetic(operator.eq, MASK_TYPE, lambda builder, a, b: builder.fcmp_ordered("==", a, b))
_compile(operator.neg, (LanesType,), LANES_TYPE, lambda builder, a: builder.fneg(a))
_compile(operator.and_, (MaskType, MaskType), MASK_TYPE, lambda builder, a, b: builder.and_(a, b))
_compile(operator.or_, (MaskType, MaskType), MASK_TYPE, lambda builder, a, b: builder.or_(a, b))
_compile(operator.invert, (MaskType,), MASK_TYPE, lambda builder, a: builder.not_(a))


def spread(value):
    """One number in all lanes."""
    return np.full(LANES, value, dtype=np.float64)


_compile(spread, (types.Number,), LANES_TYPE, lambda builder, value: value)


def select(mask, yes, no):
    """``yes`` in the lanes where ``mask`` holds, else ``no``; either may be one number."""
    return np.where(mask, yes, no)


for _kinds in product((LanesType, types.Number), repeat=2):
    _compile(select, (MaskType, *_kinds), LANES_TYPE, lambda builder, mask, yes, no: builder.select(mask, yes, no))


def any_lane(mask):
    """Whether the mask holds in any lane."""
    return bool(np.any(mask))


def _emit_any_lane(builder, mask):
    bits = builder.bitcast(mask, ir.IntType(LANES))
    return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))


_compile(any_lane, (MaskType,), types.boolean, _emit_any_lane)


def square_root(a):
    """Square root of every lane."""
    return np.sqrt(a)


def size(a):
    """Absolute value of every lane."""
    return np.abs(a)


def _emit_call(name):
    def emit(builder, a):
        kind = ir.FunctionType(_VECTOR, [_VECTOR])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [a])

    return emit


_compile(square_root, (LanesType,), LANES_TYPE, _emit_call(f"llvm.sqrt.v{LANES}f64"))
_compile(size, (LanesType,), LANES_TYPE, _emit_call(f"llvm.fabs.v{LANES}f64"))


def load(array, row):
    """Row ``row`` of a C-ordered float64 array (rows, 8) as lanes."""
    return array[row].copy()


def store(array, row, value):
    """Write lanes to row ``row`` of a C-ordered float64 array (rows, 8)."""
    array[row] = value


def _is_rows_of_lanes(array):
    return isinstance(array, types.Array) and array.dtype == types.float64 and array.ndim == 2 and array.layout == "C"


@type_callable(load)
def _type_load(context):
    return lambda array, row: LANES_TYPE if _is_rows_of_lanes(array) else None


@type_callable(store)
def _type_store(context):
    return lambda array, row, value: types.none if _is_rows_of_lanes(array) else None


def _row_pointer(context, builder, array_type, array, row_type, row):
    row = context.cast(builder, row, row_type, types.intp)
    data = context.make_array(array_type)(context, builder, array).data
    start = builder.gep(data, [builder.mul(row, ir.Constant(row.type, LANES))])
    return builder.bitcast(start, _VECTOR.as_pointer())


@lower_builtin(load, types.Array, types.Integer)
def _lower_load(context, builder, signature, values):
    pointer = _row_pointer(context, builder, signature.args[0], values[0], signature.args[1], values[1])
    return builder.load(pointer, align=8)


@lower_builtin(store, types.Array, types.Integer, LanesType)
def _lower_store(context, builder, signature, values):
    pointer = _row_pointer(context, builder, signature.args[0], values[0], signature.args[1], values[1])
    builder.store(values[2], pointer, align=8)
    return context.get_dummy_value()
