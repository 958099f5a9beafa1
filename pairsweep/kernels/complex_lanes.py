"""Eight points side by side: what the bulk kernels add to ``lanes``: masks, choices, complex lanes, rows of tables.

Kernels over maps do the same arithmetic for every point, so eight points share one instruction stream, and a point's
result cannot depend on its neighbours or on its position. In compiled code comparisons give ``<8 x i1>`` masks;
uncompiled, the same functions act on numpy arrays of eight.
"""

import operator
from itertools import product

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, models, register_model, type_callable

from pairsweep.kernels.lanes import (
    LANES,
    LANES_TYPE,
    REAL,
    VECTOR,
    LanesType,
    add,
    address,
    compile_lanes,
    is_table,
    multiply,
    operands,
    subtract,
)

_COMPLEX = ir.ArrayType(VECTOR, 2)


class ComplexLanesType(types.Type):
    """Eight complex numbers: two registers, real and imaginary parts."""

    def __init__(self):
        super().__init__(name="complex_lanes8")


class MaskType(types.Type):
    """Eight truth values."""

    def __init__(self):
        super().__init__(name="mask8")


COMPLEX_TYPE = ComplexLanesType()
MASK_TYPE = MaskType()


@register_model(ComplexLanesType)
class _ComplexLanesModel(models.PrimitiveModel):
    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, _COMPLEX)


@register_model(MaskType)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, ir.VectorType(ir.IntType(1), LANES))


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
    im = add(builder, ai, bi) if ai and bi else ai or bi
    return _pair(builder, add(builder, ar, br), im)


def _complex_subtract(builder, a, b):
    (ar, ai), (br, bi) = _parts(builder, a), _parts(builder, b)
    im = subtract(builder, ai, bi) if ai and bi else ai or builder.fneg(bi)
    return _pair(builder, subtract(builder, ar, br), im)


def _complex_multiply(builder, a, b):
    (ar, ai), (br, bi) = _parts(builder, a), _parts(builder, b)
    re = multiply(builder, ar, br)
    if ai and bi:
        cross = add(builder, multiply(builder, ar, bi), multiply(builder, ai, br))
        return _pair(builder, subtract(builder, re, multiply(builder, ai, bi)), cross)
    return _pair(builder, re, multiply(builder, ai, br) if ai else multiply(builder, ar, bi))


_ANY = (ComplexLanesType, *REAL)

for _operation, _emit in (
    (operator.add, _complex_add),
    (operator.sub, _complex_subtract),
    (operator.mul, _complex_multiply),
):
    compile_lanes(_operation, operands(_ANY, ComplexLanesType), COMPLEX_TYPE, _emit)


def _comparison(operation, symbol):
    def emit(builder, a, b):
        return builder.fcmp_ordered(symbol, a, b)

    compile_lanes(operation, operands(REAL, LanesType), MASK_TYPE, emit)


for _operation, _symbol in (
    (operator.lt, "<"),
    (operator.le, "<="),
    (operator.gt, ">"),
    (operator.ge, ">="),
    (operator.eq, "=="),
):
    _comparison(_operation, _symbol)
compile_lanes(operator.and_, [(MaskType, MaskType)], MASK_TYPE, lambda builder, a, b: builder.and_(a, b))
compile_lanes(operator.or_, [(MaskType, MaskType)], MASK_TYPE, lambda builder, a, b: builder.or_(a, b))
compile_lanes(operator.invert, [(MaskType,)], MASK_TYPE, lambda builder, a: builder.not_(a))


def pair(re, im):
    """Complex lanes of their parts."""
    return re + 1j * im


def real(a):
    """Real parts of complex lanes."""
    return np.real(a)


def imag(a):
    """Imaginary parts of complex lanes."""
    return np.imag(a)


compile_lanes(pair, [(LanesType, LanesType)], COMPLEX_TYPE, _pair)
compile_lanes(real, [(ComplexLanesType,)], LANES_TYPE, lambda builder, a: builder.extract_value(a, 0))
compile_lanes(imag, [(ComplexLanesType,)], LANES_TYPE, lambda builder, a: builder.extract_value(a, 1))


def select(mask, yes, no):
    """``yes`` in the lanes where ``mask`` holds, else ``no``; either may be one number."""
    return np.where(mask, yes, no)


def _emit_select(builder, mask, yes, no):
    return builder.select(mask, yes, no)


def _emit_complex_select(builder, mask, yes, no):
    (yr, yi), (nr, ni) = _parts(builder, yes), _parts(builder, no)
    zero = ir.Constant(VECTOR, [0.0] * LANES)
    return _pair(builder, builder.select(mask, yr, nr), builder.select(mask, yi or zero, ni or zero))


_CHOICES = [(MaskType, *_kinds) for _kinds in product(_ANY, repeat=2)]
compile_lanes(
    select, [kinds for kinds in _CHOICES if ComplexLanesType not in kinds], LANES_TYPE, _emit_select
)
compile_lanes(
    select, [kinds for kinds in _CHOICES if ComplexLanesType in kinds], COMPLEX_TYPE, _emit_complex_select
)


def any_lane(mask):
    """Whether the mask holds in any lane."""
    return bool(np.any(mask))


def _emit_any_lane(builder, mask):
    bits = builder.bitcast(mask, ir.IntType(LANES))
    return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))


compile_lanes(any_lane, [(MaskType,)], types.boolean, _emit_any_lane)


def square_root(a):
    """Square root of every lane."""
    return np.sqrt(a)


def size(a):
    """Absolute value of every lane."""
    return np.abs(a)


def _emit_call(name):
    def emit(builder, a):
        kind = ir.FunctionType(VECTOR, [VECTOR])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [a])

    return emit


compile_lanes(square_root, [(LanesType,)], LANES_TYPE, _emit_call(f"llvm.sqrt.v{LANES}f64"))
compile_lanes(size, [(LanesType,)], LANES_TYPE, _emit_call(f"llvm.fabs.v{LANES}f64"))


def load(table, row, field):
    """Lanes of one field of a row of a C-ordered float64 table (rows, fields, 8)."""
    return table[row, field].copy()


def store(table, row, field, value):
    """Write lanes to one field of a row of a C-ordered float64 table (rows, fields, 8)."""
    table[row, field] = value


@type_callable(load)
def _type_load(context):
    return lambda table, row, field: LANES_TYPE if is_table(table) and table.ndim == 3 else None


@type_callable(store)
def _type_store(context):
    return lambda table, row, field, value: types.none if is_table(table) and table.ndim == 3 else None


def _field(context, builder, signature, values):
    row, field = (
        context.cast(builder, value, kind, types.intp)
        for value, kind in zip(values[1:3], signature.args[1:3], strict=True)
    )
    shape = context.make_array(signature.args[0])(context, builder, values[0]).shape
    fields = builder.extract_value(shape, 1)
    start = builder.mul(builder.add(builder.mul(row, fields), field), ir.Constant(row.type, LANES))
    return address(context, builder, signature.args[0], values[0], start)


@lower_builtin(load, types.Array, types.Integer, types.Integer)
def _lower_load(context, builder, signature, values):
    return builder.load(_field(context, builder, signature, values), align=8)


@lower_builtin(store, types.Array, types.Integer, types.Integer, LanesType)
def _lower_store(context, builder, signature, values):
    builder.store(values[3], _field(context, builder, signature, values), align=8)
    return context.get_dummy_value()
