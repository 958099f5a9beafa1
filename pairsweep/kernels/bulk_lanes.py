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
_COMPLEX = ir.ArrayType(_VECTOR, 2)
_FLAGS = ("contract",)


class LanesType(types.Type):
    """Eight float64 in one register."""

    def __init__(self):
        super().__init__(name="lanes8")


class ComplexLanesType(types.Type):
    """Eight complex numbers: two registers, real and imaginary parts."""

    def __init__(self):
        super().__init__(name="complex_lanes8")


class MaskType(types.Type):
    """Eight truth values."""

    def __init__(self):
        super().__init__(name="mask8")


LANES_TYPE = LanesType()
COMPLEX_TYPE = ComplexLanesType()
MASK_TYPE = MaskType()


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, _VECTOR)


@register_model(ComplexLanesType)
class _ComplexLanesModel(models.PrimitiveModel):
    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, _COMPLEX)


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
        return (lambda a: typed(a), lambda a, b: typed(a, b), lambda a, b, c: typed(a, b, c))[
            len(arguments) - 1
        ]

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


def _add(builder, a, b):
    return builder.fadd(a, b, flags=_FLAGS)


def _subtract(builder, a, b):
    return builder.fsub(a, b, flags=_FLAGS)


def _multiply(builder, a, b):
    return builder.fmul(a, b, flags=_FLAGS)


def _parts(builder, value):
    """Real and imaginary part; lanes are complex with the imaginary part None."""
    if value.type == _COMPLEX:
        return builder.extract_value(value, 0), builder.extract_value(value, 1)
    return value, None


def _pair(builder, re, im):
    value = builder.insert_value(ir.Constant(_COMPLEX, ir.Undefined), re, 0)
    return builder.insert_value(value, im, 1)


def _complex_add(builder, a, b):
    (ar, ai), (br, bi) = _parts(builder, a), _parts(builder, b)
    im = _add(builder, ai, bi) if ai and bi else ai or bi
    return _pair(builder, _add(builder, ar, br), im)


def _complex_subtract(builder, a, b):
    (ar, ai), (br, bi) = _parts(builder, a), _parts(builder, b)
    im = _subtract(builder, ai, bi) if ai and bi else ai or builder.fneg(bi)
    return _pair(builder, _subtract(builder, ar, br), im)


def _complex_multiply(builder, a, b):
    (ar, ai), (br, bi) = _parts(builder, a), _parts(builder, b)
    re = _multiply(builder, ar, br)
    if ai and bi:
        cross = _add(builder, _multiply(builder, ar, bi), _multiply(builder, ai, br))
        return _pair(builder, _subtract(builder, re, _multiply(builder, ai, bi)), cross)
    return _pair(builder, re, _multiply(builder, ai, br) if ai else _multiply(builder, ar, bi))


_REAL = (LanesType, types.Number)
_ANY = (ComplexLanesType, *_REAL)


def _compile_operator(operation, kinds, needed, result, emit):
    """All pairs of operands of these kinds with at least one of the ``needed`` kind."""
    for arguments in product(kinds, repeat=2):
        if needed in arguments:
            _compile(operation, arguments, result, emit)


for _operation, _real, _complex in (
    (operator.add, _add, _complex_add),
    (operator.sub, _subtract, _complex_subtract),
    (operator.mul, _multiply, _complex_multiply),
):
    _compile_operator(_operation, _REAL, LanesType, LANES_TYPE, _real)
    _compile_operator(_operation, _ANY, ComplexLanesType, COMPLEX_TYPE, _complex)
_compile_operator(operator.truediv, _REAL, LanesType, LANES_TYPE, lambda builder, a, b: builder.fdiv(a, b))


def _compile_comparison(operation, symbol):
    def emit(builder, a, b):
        return builder.fcmp_ordered(symbol, a, b)

    _compile_operator(operation, _REAL, LanesType, MASK_TYPE, emit)


for _operation, _symbol in (
    (operator.lt, "<"),
    (operator.le, "<="),
    (operator.gt, ">"),
    (operator.ge, ">="),
    (operator.eq, "=="),
):
    _compile_comparison(_operation, _symbol)
_compile(operator.neg, (LanesType,), LANES_TYPE, lambda builder, a: builder.fneg(a))
_compile(operator.and_, (MaskType, MaskType), MASK_TYPE, lambda builder, a, b: builder.and_(a, b))
_compile(operator.or_, (MaskType, MaskType), MASK_TYPE, lambda builder, a, b: builder.or_(a, b))
_compile(operator.invert, (MaskType,), MASK_TYPE, lambda builder, a: builder.not_(a))


def pair(re, im):
    """Complex lanes of their parts."""
    return re + 1j * im


def real(a):
    """Real parts of complex lanes."""
    return np.real(a)


def imag(a):
    """Imaginary parts of complex lanes."""
    return np.imag(a)


_compile(pair, (LanesType, LanesType), COMPLEX_TYPE, _pair)
_compile(real, (ComplexLanesType,), LANES_TYPE, lambda builder, a: builder.extract_value(a, 0))
_compile(imag, (ComplexLanesType,), LANES_TYPE, lambda builder, a: builder.extract_value(a, 1))


def spread(value):
    """One number in all lanes."""
    return np.full(LANES, value, dtype=np.float64)


_compile(spread, (types.Number,), LANES_TYPE, lambda builder, value: value)


def select(mask, yes, no):
    """``yes`` in the lanes where ``mask`` holds, else ``no``; either may be one number."""
    return np.where(mask, yes, no)


def _emit_select(builder, mask, yes, no):
    return builder.select(mask, yes, no)


def _emit_complex_select(builder, mask, yes, no):
    (yr, yi), (nr, ni) = _parts(builder, yes), _parts(builder, no)
    zero = ir.Constant(_VECTOR, [0.0] * LANES)
    return _pair(builder, builder.select(mask, yr, nr), builder.select(mask, yi or zero, ni or zero))


for _kinds in product(_ANY, repeat=2):
    if ComplexLanesType in _kinds:
        _compile(select, (MaskType, *_kinds), COMPLEX_TYPE, _emit_complex_select)
    else:
        _compile(select, (MaskType, *_kinds), LANES_TYPE, _emit_select)


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
    return (
        isinstance(array, types.Array)
        and array.dtype == types.float64
        and array.ndim == 2
        and array.layout == "C"
    )


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
