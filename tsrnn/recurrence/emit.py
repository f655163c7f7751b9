"""A traced graph, printed as C++ over vectors: one value per expression, shared by all the directions of a cell."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import fx

UNARY = {
    "exp": "exp_", "sigmoid": "sigmoid_", "tanh": "tanh_", "log": "log_", "log1p": "log1p_", "expm1": "expm1_",
    "sqrt": "sqrt_", "sin": "sin_", "cos": "cos_", "erf": "erf_", "abs": "abs_", "sign": "sign_", "sgn": "sign_",
    "neg": "-", "reciprocal": "(REAL)1 / ",
}  # fmt: skip
BINARY = {"add": "+", "sub": "-", "mul": "*", "div": "/", "gt": ">", "lt": "<", "ge": ">=", "le": "<=", "eq": "==",
          "ne": "!=", "bitwise_and": "&", "bitwise_or": "|", "logical_and": "&", "logical_or": "|"}  # fmt: skip
_COSTLY = ("exp_", "sigmoid_", "tanh_", "log_", "log1p_", "expm1_", "sqrt_", "sin_", "cos_", "erf_")
_SAME = ("clone", "alias", "detach", "_to_copy", "expand", "view", "copy", "lift_fresh_copy")


class Untraceable(RuntimeError):
    """A step that cannot be printed; the message names the operation, for `explain`."""


def operation(node: fx.Node) -> str:
    target = node.target
    return str(target._overloadpacket.__name__) if hasattr(target, "_overloadpacket") else str(target)


class Program:
    """Values by the expression that makes them: equal expressions are one value, in either direction."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, tuple[str, tuple[str, ...]]] = {}  # name -> expression, operands
        self.costly: list[str] = []

    def read(self, graph: fx.Graph, inputs: Sequence[str], outputs: Sequence[str | None]) -> dict[str, str]:
        """Take in a graph; its outputs as {where it is written: value}."""
        found: dict[fx.Node, str] = {}
        arguments = iter(inputs)
        for node in graph.nodes:
            if node.op == "placeholder":
                found[node] = next(arguments)
            elif node.op == "output":
                pairs = zip(node.args[0], outputs, strict=True)
                return {name: found[value].lstrip("+") for value, name in pairs if name is not None}
            elif operation(node) == "copy_":  # what was written into reads as what was written
                found[node] = found[node.args[0]] = found[node.args[1]].lstrip("+")
            else:
                operands: list[str] = []
                expression = _expression(node, found, operands)
                found[node] = self._value(expression, tuple(operands))
        return {}

    def _value(self, expression: str, operands: tuple[str, ...]) -> str:
        if expression in operands:
            return expression
        if expression not in self.names:
            name = self.names[expression] = f"t{len(self.names)}"
            self.values[name] = (expression, operands)
            if expression.startswith(_COSTLY):
                self.costly.append(name)
        return self.names[expression]

    def is_zero(self, name: str) -> bool:
        return name == "v{}" or self.values.get(name, ("",))[0] in ("all(0.0)", "v{}")

    def text(
        self, outputs: dict[str, str], taped: set[str] | None, stored: Sequence[str] = ()
    ) -> tuple[str, tuple[str, ...]]:
        """Statements that write `outputs` (and make `stored`), and what they read from the tape.

        With `taped`, these values and the pre-activations are on the tape; without, there is none.
        """
        needed, tape, waiting = set(), set(), [*outputs.values(), *stored]
        while waiting:
            name = waiting.pop()
            if name in needed or name in tape:
                continue
            if taped is not None and (name in taped or name.startswith("i")):
                tape.add(name)
            elif name in self.values:
                needed.add(name)
                waiting += self.values[name][1]
        lines = [f"auto {name} = {self.values[name][0]};" for name in self.values if name in needed]
        lines += [f"v {name} = {value};" for name, value in outputs.items()]
        order = {name: k for k, name in enumerate(self.values)}
        return "\n".join(lines), tuple(sorted(tape, key=lambda name: (order.get(name, -1), name)))


def _expression(node: fx.Node, names: dict[fx.Node, str], operands: list[str]) -> str:
    name, given = operation(node), node.args

    def read(value: Any) -> str:
        if isinstance(value, fx.Node):
            operands.append(names[value].lstrip("+"))
            return operands[-1]
        return f"all({float(value)!r})" if value == value and abs(value) != float("inf") else _special(value)

    if node.op != "call_function":
        raise Untraceable(f"the step uses {node.op}")
    if name == "add" and _is_sum(given, names):
        return read(given[0])
    if name in ("add", "sub") and node.kwargs.get("alpha", 1) != 1:
        return f"({read(given[0])} {BINARY[name]} {read(node.kwargs['alpha'])} * {read(given[1])})"
    if name in UNARY:
        return f"{UNARY[name]}({read(given[0])})"
    if name in BINARY:
        return f"({read(given[0])} {BINARY[name]} {read(given[1])})"
    if name in _SAME:
        return read(given[0])
    return _other(name, node, read)


def _other(name: str, node: fx.Node, read: Callable[[Any], str]) -> str:
    given = node.args
    if name == "rsub":
        return f"({read(given[1])} - {read(given[0])})"
    if name in ("maximum", "minimum"):
        return f"{name}_({read(given[0])}, {read(given[1])})"
    if name == "where":
        return f"({read(given[0])} ? {read(given[1])} + v{{}} : {read(given[2])} + v{{}})"
    if name == "relu":
        return f"maximum_({read(given[0])}, v{{}})"
    if name == "clamp":
        low, high = (*given[1:], None, None)[:2]
        inner = read(given[0]) if low is None else f"maximum_({read(given[0])}, {read(low)})"
        return inner if high is None else f"minimum_({inner}, {read(high)})"
    if name == "pow" and given[1] == 2:
        return f"({read(given[0])} * {read(given[0])})"
    if name in ("full", "full_like"):
        return read(given[1])
    if name in ("zeros_like", "zeros", "new_zeros", "empty_like", "empty", "new_empty", "empty_permuted"):
        return "v{}"
    if name in ("ones_like", "ones"):
        return "all(1)"
    if name == "scalar_tensor":
        return read(given[0])
    raise Untraceable(f"the step uses {name}, which has no C++ here")


def _is_sum(given: Sequence[Any], names: dict[fx.Node, str]) -> bool:
    """Whether an addition is that of the two parts of one slot, which already holds the sum."""
    parts = [names[each] for each in given if isinstance(each, fx.Node)]
    return (
        len(parts) == 2 and parts[0].lstrip("+") == parts[1].lstrip("+") and {"+"} & {parts[0][0], parts[1][0]} != set()
    )


def _special(value: float) -> str:
    if value != value:
        return "all(std::numeric_limits<REAL>::quiet_NaN())"
    return f"all({'-' if value < 0 else ''}std::numeric_limits<REAL>::infinity())"
