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

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

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


def _splat(builder, value):
    vector = ir.Constant(_VECTOR, ir.Undefined)
    vector = builder.insert_element(vector, value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(vector, ir.Constant(_VECTOR, ir.Undefined), zeros)


def _as_vector(context, builder, from_type, value):
    if isinstance(from_type, LanesType):
        return value
    return _splat(builder, context.cast(builder, value, from_type, types.float64))


def _are_lanes(*arguments):
    """At least one operand is lanes and the others are numbers that can be spread over them."""
    return any(isinstance(a, LanesType) for a in arguments) and all(
        isinstance(a, LanesType | types.Float | types.Integer) for a in arguments
    )


def _intrinsic(result, emit):
    """Intrinsic of ``result`` type that spreads scalars over the lanes and calls emit(builder, *vectors)."""

    def codegen(context, builder, signature, arguments):
        pairs = zip(signature.args, arguments, strict=True)
        return emit(builder, *[_as_vector(context, builder, kind, value) for kind, value in pairs])

    return codegen, result


def _binary(operation, result, emit):
    codegen, result = _intrinsic(result, emit)

    @intrinsic
    def call(typing_context, a, b):
        return result(a, b), codegen

    @overload(operation)
    def choose(a, b):
        if _are_lanes(a, b):
            return lambda a, b: call(a, b)
        return None


_binary(operator.add, LANES_TYPE, lambda builder, a, b: builder.fadd(a, b, flags=_FLAGS))
_binary(operator.sub, LANES_TYPE, lambda builder, a, b: builder.fsub(a, b, flags=_FLAGS))
_binary(operator.mul, LANES_TYPE, lambda builder, a, b: builder.fmul(a, b, flags=_FLAGS))
_binary(operator.truediv, LANES_TYPE, lambda builder, a, b: builder.fdiv(a, b))
_binary(operator.lt, MASK_TYPE, lambda builder, a, b: builder.fcmp_ordered("<", a, b))
_binary(operator.le, MASK_TYPE, lambda builder, a, b: builder.fcmp_ordered("<=", a, b))
_binary(operator.gt, MASK_TYPE, lambda builder, a, b: builder.fcmp_ordered(">", a, b))
_binary(operator.ge, MASK_TYPE, lambda builder, a, b: builder.fcmp_ordered(">=", a, b))
_binary(operator.eq, MASK_TYPE, lambda builder, a, b: builder.fcmp_ordered("==", a, b))


@intrinsic
def _negative(typing_context, a):
    return LANES_TYPE(a), lambda context, builder, signature, arguments: builder.fneg(arguments[0])


@overload(operator.neg)
def _choose_negative(a):
    if isinstance(a, LanesType):
        return lambda a: _negative(a)
    return None


def _mask_binary(operation, emit):
    @intrinsic
    def call(typing_context, a, b):
        return MASK_TYPE(a, b), lambda context, builder, signature, arguments: emit(builder, *arguments)

    @overload(operation)
    def choose(a, b):
        if isinstance(a, MaskType) and isinstance(b, MaskType):
            return lambda a, b: call(a, b)
        return None


_mask_binary(operator.and_, lambda builder, a, b: builder.and_(a, b))
_mask_binary(operator.or_, lambda builder, a, b: builder.or_(a, b))


@intrinsic
def _invert(typing_context, a):
    return MASK_TYPE(a), lambda context, builder, signature, arguments: builder.not_(arguments[0])


@overload(operator.invert)
def _choose_invert(a):
    if isinstance(a, MaskType):
        return lambda a: _invert(a)
    return None


def _row_pointer(context, builder, signature, arguments):
    array_type, array = signature.args[0], arguments[0]
    data = context.make_array(array_type)(context, builder, array).data
    start = builder.mul(arguments[1], ir.Constant(arguments[1].type, LANES))
    return builder.bitcast(builder.gep(data, [start]), _VECTOR.as_pointer())


@intrinsic
def _load(typing_context, array, row):
    def codegen(context, builder, signature, arguments):
        return builder.load(_row_pointer(context, builder, signature, arguments), align=8)

    return LANES_TYPE(array, types.intp), codegen


@intrinsic
def _store(typing_context, array, row, value):
    def codegen(context, builder, signature, arguments):
        builder.store(arguments[2], _row_pointer(context, builder, signature, arguments), align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, LANES_TYPE), codegen


def load(array, row):
    """Row ``row`` of a C-ordered float64 array (rows, 8) as lanes."""
    return array[row].copy()


@overload(load)
def _choose_load(array, row):
    return lambda array, row: _load(array, row)


def store(array, row, value):
    """Write lanes to row ``row`` of a C-ordered float64 array (rows, 8)."""
    array[row] = value


@overload(store)
def _choose_store(array, row, value):
    return lambda array, row, value: _store(array, row, value)


def spread(value):
    """One number in all lanes."""
    return np.full(LANES, value)


@intrinsic
def _spread(typing_context, value):
    return LANES_TYPE(types.float64), lambda context, builder, signature, arguments: _splat(
        builder, arguments[0]
    )


@overload(spread)
def _choose_spread(value):
    return lambda value: _spread(float(value))


def select(mask, yes, no):
    """``yes`` in the lanes where ``mask`` holds, else ``no``."""
    return np.where(mask, yes, no)


@intrinsic
def _select(typing_context, mask, yes, no):
    def codegen(context, builder, signature, arguments):
        kinds = signature.args[1:]
        yes, no = (_as_vector(context, builder, k, v) for k, v in zip(kinds, arguments[1:], strict=True))
        return builder.select(arguments[0], yes, no)

    return LANES_TYPE(mask, yes, no), codegen


@overload(select)
def _choose_select(mask, yes, no):
    if isinstance(mask, MaskType):
        return lambda mask, yes, no: _select(mask, yes, no)
    return None


def any_lane(mask):
    """Whether the mask holds in any lane."""
    return bool(np.any(mask))


@intrinsic
def _any_lane(typing_context, mask):
    def codegen(context, builder, signature, arguments):
        bits = builder.bitcast(arguments[0], ir.IntType(LANES))
        return builder.icmp_unsigned("!=", bits, ir.Constant(ir.IntType(LANES), 0))

    return types.boolean(mask), codegen


@overload(any_lane)
def _choose_any_lane(mask):
    return lambda mask: _any_lane(mask)


def _llvm_function(name):
    """Intrinsic for the LLVM vector function ``name``, e.g. the hardware square root."""

    @intrinsic
    def call(typing_context, a):
        def codegen(context, builder, signature, arguments):
            kind = ir.FunctionType(_VECTOR, [_VECTOR])
            function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{LANES}f64")
            return builder.call(function, arguments)

        return LANES_TYPE(a), codegen

    return call


_root = _llvm_function("sqrt")
_size = _llvm_function("fabs")


def square_root(a):
    """Square root of every lane."""
    return np.sqrt(a)


@overload(square_root)
def _choose_square_root(a):
    return lambda a: _root(a)


def size(a):
    """Absolute value of every lane."""
    return np.abs(a)


@overload(size)
def _choose_size(a):
    return lambda a: _size(a)
