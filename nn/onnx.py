"""Models in the Open Neural Network Exchange format (ONNX), which other programs run.

The model is compiled, and each instruction of its program becomes a few nodes of ONNX: a matrix
product `Gemm`, an activation the operator of that name if ONNX has one, and otherwise the operators
of its formula.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from micrograd import compile  # noqa: A004
from micrograd.compiler.program.instructions import Elementwise, Fold, Product, Tape, WeightedSums
from micrograd.compiler.program.program import Instruction, Program
from micrograd.files import write
from micrograd.ops import lookup, read
from micrograd.source.substitutes import SUBSTITUTES
from micrograd.source.trees import ready
from micrograd.table.formulas import Call, Tree, fold
from nn import samples
from nn.objective import evaluating, outputs_of, parameters_of

OPSET = 20  # of 2023, which has Gelu; onnxruntime 1.17 and later run it

_OPERATORS = {
    name: name.capitalize()
    for name in (
        "add sub mul div neg exp log sqrt sin cos tan asin acos atan sinh cosh asinh acosh atanh "
        "tanh sigmoid softplus relu erf abs floor ceil reciprocal pow softsign round sign gelu "
        "mish elu selu celu"
    ).split()
} | {
    "maximum": "Max",
    "minimum": "Min",
    "hard_swish": "HardSwish",
    "_div": "Div",
    "_library_pow": "Pow",
    "_where": "Where",
    "_and": "And",
    "_or": "Or",
    "_eq": "Equal",
    "_lt": "Less",
    "_le": "LessOrEqual",
    "_gt": "Greater",
    "_ge": "GreaterOrEqual",
}
# In single precision, which the operators that ONNX has can give.
_FORMULAS = {
    "gauss": "exp(-(x * x))",
    "expm1": "tanh(x / 2) * (exp(x) + 1)",
    "cbrt": "sign(x) * abs(x) ** 0.3333333333333333",
    "log1p": "where(x > 1, log(1 + x), 2 * atanh(x / (2 + x)))",
    "log2": "log(x) * 1.4426950408889634",
    "log10": "log(x) * 0.4342944819032518",
    "trunc": "sign(x) * floor(abs(x))",
}


def to_onnx(model: Any, path: str | Path, X: Any) -> None:
    """Write a model as an ONNX file, in single precision and without dropout.

    The input is named `X`, of shape (samples, inputs), and the output `y`, of shape (samples,
    outputs). Needs `pip install onnx`.

    Args:
        model: a `Module`, or any function of a list of inputs that has `parameters()`.
        path: the file, by custom with the suffix `.onnx`.
        X: example inputs, of shape (samples, inputs); only their shape matters.

    Raises:
        ImportError: if onnx is not installed.
        TypeError: if the model cannot be compiled.
        ValueError: if the model takes another number of inputs.
        NotImplementedError: if an operation is defined by a Python function, or has no formula.

    >>> from tempfile import TemporaryDirectory
    >>> from nn import MLP
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "model.onnx")
    ...     to_onnx(MLP(2, [8, 1]), path, [[0.5, -1.0]])
    ...     path.exists()
    True
    """
    try:
        import onnx
    except ImportError as error:
        raise ImportError(f"to_onnx needs onnx: pip install onnx ({error})") from error
    X = samples.inputs(X)
    parameters_of(model)
    with evaluating(model):
        program = compile(lambda x: outputs_of(model, x), batched=True, backend="reference")
        program(X[:1])
    made = onnx.helper.make_model(
        _Graph(program.program, onnx).made(),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        producer_name="micrograd-engine",
        ir_version=9,
    )
    onnx.checker.check_model(made)
    write(path, made.SerializeToString())


class _Graph(dict[str, Callable[..., str]]):
    """Nodes for the instructions of a program, and a vocabulary of formulas that adds nodes.

    The results of an instruction are a tensor with a row for each sample. As the parameters of the
    program are constants, all numbers that do not vary are known.
    """

    def __init__(self, program: Program, onnx: Any) -> None:
        super().__init__()
        self.program, self.onnx = program, onnx
        self.nodes: list[Any] = []
        self.kept: list[Any] = []
        self.uniform = np.zeros(max(program.uniform, 1))  # a number for the slots that vary
        first = program.first_constant
        self.uniform[first : first + len(program.constants)] = program.constants
        self.tensors: list[tuple[int, int, str]] = []  # the slots of `v` that are in a tensor
        self._padded = ""

    def made(self) -> Any:
        """The graph."""
        helper, kind = self.onnx.helper, self.onnx.TensorProto.FLOAT
        program = self.program
        self.tensors.append((0, program.inputs, "X"))
        for instruction in program.instructions:
            self._enter(instruction)
        varies, slots = (np.array(each) for each in zip(*program.outputs, strict=True))
        self._node("Identity", self._either(varies, slots, self._fixed(varies, slots)), out="y")
        shapes = {"X": ["samples", program.inputs], "y": ["samples", len(slots)]}
        given, result = (helper.make_tensor_value_info(x, kind, shapes[x]) for x in shapes)
        return helper.make_graph(self.nodes, "model", [given], [result], initializer=self.kept)

    def _node(self, operator: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        out = out or f"t{len(self.nodes) + 1}"
        self.nodes.append(self.onnx.helper.make_node(operator, inputs, [out], **attributes))
        return out

    def _constant(self, numbers: Any, kind: Any = np.float32) -> str:
        name = f"c{len(self.kept) + 1}"
        with np.errstate(over="ignore"):
            array = np.asarray(numbers, kind)
        self.kept.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    # -------------------------------------------------------------------------------- what is read

    def _gathered(self, slots: Any) -> str:
        """A tensor of slots of `v`, of the shape of the array `slots` for each sample."""
        slots = np.asarray(slots)
        used = [each for each in self.tensors if ((slots >= each[0]) & (slots < each[1])).any()]
        places, count = np.full(slots.shape, -1), 0
        for first, last, _ in used:
            held = (slots >= first) & (slots < last)
            places[held] = slots[held] - first + count
            count += last - first
        names = [name for _, _, name in used]
        tensor = names[0] if len(names) == 1 else self._node("Concat", *names, axis=1)
        if slots.ndim == 1 and places.tolist() == list(range(count)):
            return tensor
        return self._node("Gather", tensor, self._constant(places, np.int64), axis=1)

    def _fixed(self, varies: Any, slots: Any) -> Any:
        """The numbers of slots that do not vary; some number for those that do."""
        return self.uniform[np.where(varies, 0, slots)]

    def _either(self, varies: Any, slots: Any, fixed: Any) -> str:
        """A tensor of slots of `v` where they vary, and of these numbers elsewhere."""
        if varies.all():
            return self._gathered(slots)
        some = slots[varies][0] if varies.any() else 0
        tensor = self._gathered(np.where(varies, slots, some))
        return self._node("Where", self._constant(varies, bool), tensor, self._constant(fixed))

    def _rows(self, varies: bool, rows: Any) -> str:
        slots = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else np.asarray(rows)
        return self._gathered(slots) if varies else self._constant(self.uniform[slots])

    # ------------------------------------------------------------------------------- instructions

    def _enter(self, instruction: Instruction) -> None:
        out = instruction.out
        match instruction:
            case Tape():
                for step in instruction.steps():
                    self._enter(step)
                return
            case Elementwise(operation=row, operands=operands):
                held = [self._rows(*each) for each in operands]
                name = self._applied(row.name, dict(zip(row.operands, held, strict=True)))
            case Product():
                name = self._product(instruction)
            case WeightedSums():
                name = self._sums(instruction)
            case Fold(operation=row, slots=slots):
                runs = [*pairwise(instruction.bounds.tolist())]
                most = max(last - first for first, last in runs)
                filled = [[*slots[a:b], *[slots[a]] * (most - b + a)] for a, b in runs]
                operator = "ReduceMax" if row.name == "maximum" else "ReduceMin"
                axes = self._constant([2], np.int64)
                name = self._node(operator, self._gathered(filled), axes, keepdims=0)
            case _:
                raise NotImplementedError(
                    f"to_onnx: an instruction of the kind {type(instruction).__name__} cannot be "
                    "written yet"
                )
        self.tensors.append((out.start, out.stop, name))

    def _product(self, step: Product) -> str:
        weights = self._constant(self.uniform[step.matrix].T)
        bias = None if step.bias is None else self._constant(self.uniform[step.bias])
        if len(step.inputs) == 1:
            inputs = [self._gathered(step.inputs[0]), weights, *([bias] if bias else [])]
            return self._node("Gemm", *inputs)
        found = self._node("MatMul", self._gathered(step.inputs), weights)
        found = self._node("Add", found, bias) if bias else found
        shape = self._constant([0, step.out.stop - step.out.start], np.int64)
        return self._node("Reshape", found, shape)

    def _sums(self, step: WeightedSums) -> str:
        """Sums of products: the factors of each sum in a row, filled up with zeros."""
        runs = [*pairwise(step.bounds.tolist())]
        most = max(last - first for first, last in runs)
        terms = np.array([[*range(a, b), *[-1] * (most - b + a)] for a, b in runs])
        is_term = terms >= 0
        sign = np.where(is_term, step.sign[terms], 0.0)
        product = self._constant(sign)
        for slots, kinds in step.sides:
            chosen, varies = slots[terms], kinds[terms] & (slots[terms] >= 0) & is_term
            fixed = np.where(chosen >= 0, self._fixed(varies | (chosen < 0), chosen), 1)
            several = varies.any()
            factor = self._either(varies, chosen, fixed) if several else self._constant(fixed)
            product = self._node("Mul", product, factor)
        return self._node("ReduceSum", product, self._constant([2], np.int64), keepdims=0)

    # ----------------------------------------------------------------------------------- formulas

    def _applied(self, name: str, operands: dict[str, str]) -> str:
        if name in _OPERATORS:
            return self[name](*operands.values())
        return self._of_tree(ready(Call(name, tuple(operands))), operands)

    def _of_tree(self, tree: Any, operands: dict[str, str]) -> str:
        found: str = fold(tree, self, operands, self._constant)
        return found

    def __missing__(self, name: str) -> Callable[..., str]:
        if name in _OPERATORS:
            return lambda *operands: self._node(_OPERATORS[name], *operands)
        if name in ("_ne", "_truth"):
            zero = [] if name == "_ne" else [self._constant(0.0)]
            return lambda *operands: self._node("Not", self._node("Equal", *operands, *zero))
        if name == "_fmod":
            return lambda *operands: self._node("Mod", *operands, fmod=1)
        row = SUBSTITUTES.get(name) or lookup(name)
        tree = ready(_formula(name) if name in _FORMULAS else row.expression)
        if row.function is not None or tree == Call(name, row.operands):
            raise NotImplementedError(
                f"operation {name!r} cannot be written in ONNX, which has no such operator: define "
                "it by a formula of others"
            )
        return lambda *held: self._of_tree(tree, dict(zip(row.operands, held, strict=True)))


def _formula(name: str) -> Tree:
    return read(_FORMULAS[name], ["x"], name)
