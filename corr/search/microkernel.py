"""The innermost product of the search on a CPU: a small tile of scores, held in registers.

`tile_bf16`, `tile_float32` and `tile_bits` score a few rows against a few columns and compare each
score with the limits of its row and column before it is written, so that whatever beats neither
costs nothing more. They are built as vector instructions for the processor at hand: numba compiles
the loop, the instruction that multiplies is chosen here.

Both sides come as panels of 32-bit words (a float, a pair of bfloat16, 32 bits of a descriptor):
word `w` of `ROWS` rows side by side, then word `w + 1`; `COLUMNS` columns likewise.
"""

from __future__ import annotations

from typing import Any, no_type_check

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_FEATURES = llvmlite.binding.get_host_cpu_features()

WIDE = bool(_FEATURES.get("avx512f"))
"""Whether a register holds 16 floats, and there are 32 of them."""

HAS_BF16 = WIDE and bool(_FEATURES.get("avx512bf16"))
"""Whether the processor multiplies bfloat16, twice as fast as float32."""

LANES = 16 if WIDE else 8
ROWS = 8 if WIDE else 4
PANELS = 3
COLUMNS = PANELS * LANES
"""`ROWS * PANELS` accumulators, one row of broadcasts and `PANELS` columns fill the registers."""

_I32, _I64, _F32 = ir.IntType(32), ir.IntType(64), ir.FloatType()
_MASK = ir.IntType(LANES)
_FLOATS, _WORDS = ir.VectorType(_F32, LANES), ir.VectorType(_I32, LANES)


class _BFloat(ir.Type):  # type: ignore[misc]
    """The 16-bit type that llvmlite has no name for."""

    def _to_string(self) -> str:
        return "bfloat"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _BFloat)

    def __hash__(self) -> int:
        return hash(_BFloat)


_BFLOATS = ir.VectorType(_BFloat(), 2 * LANES)


class _Emitter:
    """Writes vector instructions through a builder."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder

    def address(self, base: Any, words: int, kind: Any) -> Any:
        moved = self.builder.add(base, ir.Constant(_I64, 4 * words))
        return self.builder.inttoptr(moved, ir.PointerType(kind))

    def load(self, base: Any, words: int, kind: Any) -> Any:
        return self.builder.load(self.address(base, words, kind), align=4)

    def store(self, value: Any, base: Any, words: int) -> None:
        self.builder.store(value, self.address(base, words, value.type), align=4)

    def splat(self, base: Any, words: int, kind: Any) -> Any:
        """One word in every lane."""
        nothing = ir.Constant(kind, ir.Undefined)
        first = self.builder.insert_element(
            nothing, self.load(base, words, kind.element), ir.Constant(_I32, 0)
        )
        return self.builder.shuffle_vector(
            first, nothing, ir.Constant(ir.VectorType(_I32, LANES), [0] * LANES)
        )

    def call(self, name: str, result: Any, *values: Any) -> Any:
        module = self.builder.module
        function = module.globals.get(name) or ir.Function(
            module, ir.FunctionType(result, [value.type for value in values]), name
        )
        return self.builder.call(function, values)


def _add_product(emit: _Emitter, kind: str, total: Any, row: Any, column: Any) -> Any:
    """`total` and what one word of a row and of each column adds to it."""
    if kind == "float32":
        return emit.call(f"llvm.fmuladd.v{LANES}f32", _FLOATS, row, column, total)
    if kind == "bf16":
        pair = (emit.builder.bitcast(x, _BFLOATS) for x in (row, column))
        return emit.call("llvm.x86.avx512bf16.dpbf16ps.512", _FLOATS, total, *pair)
    differ = emit.builder.xor(row, column)
    return emit.builder.add(total, emit.call(f"llvm.ctpop.v{LANES}i32", _WORDS, differ))


def _emit_tile(builder: Any, kind: str, arguments: Any) -> Any:
    rows, columns, num_words, bias0, bias1, limit0, limit1, scores, masks = arguments
    emit = _Emitter(builder)
    word = _FLOATS if kind == "float32" else _WORDS
    spots = [(r, c) for r in range(ROWS) for c in range(PANELS)]
    if kind == "bits":
        start = dict.fromkeys(spots, ir.Constant(_WORDS, [0] * LANES))
    else:
        column_bias = [emit.load(bias1, LANES * c, _FLOATS) for c in range(PANELS)]
        start = {(r, c): builder.fadd(emit.splat(bias0, r, _FLOATS), column_bias[c])
                 for r, c in spots}  # fmt: skip

    before, loop = builder.block, builder.append_basic_block("words")
    after = builder.append_basic_block("compare")
    builder.branch(loop)
    builder.position_at_end(loop)
    step = builder.phi(_I64)
    total = {spot: builder.phi(start[spot].type) for spot in spots}
    row_word = builder.add(rows, builder.mul(step, ir.Constant(_I64, 4 * ROWS)))
    column_word = builder.add(columns, builder.mul(step, ir.Constant(_I64, 4 * COLUMNS)))
    column = [emit.load(column_word, LANES * c, word) for c in range(PANELS)]
    row = [emit.splat(row_word, r, word) for r in range(ROWS)]
    grown = {(r, c): _add_product(emit, kind, total[r, c], row[r], column[c]) for r, c in spots}
    following = builder.add(step, ir.Constant(_I64, 1))
    step.add_incoming(ir.Constant(_I64, 0), before)
    step.add_incoming(following, loop)
    for spot in spots:
        total[spot].add_incoming(start[spot], before)
        total[spot].add_incoming(grown[spot], loop)
    builder.cbranch(builder.icmp_signed("<", following, num_words), loop, after)

    builder.position_at_end(after)
    hit_rows = ir.Constant(_I32, 0)
    column_limit = [emit.load(limit1, LANES * c, _FLOATS) for c in range(PANELS)]
    for r in range(ROWS):
        row_limit, hits = emit.splat(limit0, r, _FLOATS), ir.Constant(_I64, 0)
        for c in range(PANELS):
            score = grown[r, c]
            if kind == "bits":
                score = builder.sitofp(builder.neg(score), _FLOATS)
            lower = builder.fcmp_ordered("<", row_limit, column_limit[c])
            limit = builder.select(lower, row_limit, column_limit[c])
            hit = builder.bitcast(builder.fcmp_ordered(">=", score, limit), _MASK)
            moved = builder.shl(builder.zext(hit, _I64), ir.Constant(_I64, LANES * c))
            hits = builder.or_(hits, moved)
            emit.store(score, scores, LANES * (r * PANELS + c))
        emit.store(hits, masks, 2 * r)
        some = builder.icmp_signed("!=", hits, ir.Constant(_I64, 0))
        bit = builder.shl(builder.zext(some, _I32), ir.Constant(_I32, r))
        hit_rows = builder.or_(hit_rows, bit)
    return builder.sext(hit_rows, _I64)


def _tile(kind: str) -> Any:
    @intrinsic
    @no_type_check
    def tile(_context, rows, columns, num_words, bias0, bias1, limit0, limit1, scores, masks):  # noqa: PLR0917
        """Score a tile: which rows have a score that counts, as bits; addresses are whole numbers.

        `scores` receives (ROWS, COLUMNS) float32, `masks` (ROWS,) int64: the columns that count.
        """
        signature = types.int64(*[types.int64] * 9)
        return signature, lambda _, builder, __, arguments: _emit_tile(builder, kind, arguments)

    return tile


tile_float32 = _tile("float32")
tile_bits = _tile("bits")
tile_bf16 = _tile("bf16") if HAS_BF16 else tile_float32
"""Where the processor has no such instruction nothing asks for it."""


@intrinsic
@no_type_check
def lowest_bit(_context, mask):
    """Place of the lowest bit that is set."""

    def build(_, builder, __, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), build
