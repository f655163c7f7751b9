"""Where random numbers come from: torch's generator for everybody, given back as it was, or one of a thread's own.

torch draws on the CPU from one generator, whatever thread asks. Of two trainings at once each would take numbers that
were the other's. In a thread under `Apart`, what Python asks of torch is drawn from a generator of that thread, number
for number as the shared one would have given it: a training there ends in the bits of one that ran alone.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

_DRAWS = frozenset(
    (
        *("bernoulli", "binomial", "multinomial", "normal", "poisson", "rand", "rand_like", "randint", "randint_like"),
        *("randn", "randn_like", "randperm", "_standard_gamma", "bernoulli_", "cauchy_", "exponential_", "geometric_"),
        *("log_normal_", "normal_", "random_", "uniform_"),
        *("kaiming_normal_", "kaiming_uniform_", "trunc_normal_", "xavier_normal_", "xavier_uniform_"),
    )
)  # functions, methods and initialisers that take a generator

_thread = threading.local()


class Ended(BaseException):
    """A thread was told to end, in the middle of its work."""


class Apart(TorchFunctionMode):
    """The thread that enters it draws from `generator`, and nothing else does.

    Once `ended` is set, by any thread, whatever its own thread next asks of torch raises `Ended`.
    """

    def __init__(self, ended: threading.Event) -> None:
        super().__init__()
        self.generator, self.ended = torch.Generator(), ended

    def __enter__(self) -> Self:
        _thread.apart = self
        super().__enter__()  # type: ignore[no-untyped-call]  # torch's
        return self

    def __exit__(self, *raised: Any) -> None:
        _thread.apart = None
        super().__exit__(*raised)  # type: ignore[no-untyped-call]  # torch's

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if self.ended.is_set():
            raise Ended
        kwargs = kwargs or {}
        if func is F.dropout:
            return self._dropout(*args, **kwargs)
        if getattr(func, "__name__", "") in _DRAWS and kwargs.get("generator") is None:
            kwargs = {**kwargs, "generator": self.generator}
        return func(*args, **kwargs)

    def _dropout(self, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        """torch's own, which takes no generator: each number kept with probability 1-p, and divided by it."""
        if not training or not p or not input.numel():
            return input
        if p == 1:
            return input * 0.0
        kept = torch.empty_like(input).bernoulli_(1 - p, generator=self.generator).div_(1 - p)
        return input.mul_(kept) if inplace else input * kept


@contextmanager
def seeded(random_state: int) -> Iterator[None]:
    """Draw weights, dropout and noise from a seed of one's own; the caller's generator is left as it was."""
    with untouched(range(torch.cuda.device_count())):
        apart: Apart | None = getattr(_thread, "apart", None)
        if apart is None:
            torch.manual_seed(random_state)
        else:
            apart.generator.manual_seed(random_state)
        yield


@contextmanager
def untouched(devices: Any = ()) -> Iterator[None]:
    """The thread's generator, torch's for everybody unless it has one of its own, is afterwards as it was.

    Args:
        devices: numbers of the GPUs whose generators are kept too.
    """
    apart: Apart | None = getattr(_thread, "apart", None)
    if apart is None:
        with torch.random.fork_rng(devices=devices):
            yield
        return
    before = apart.generator.get_state()
    try:
        yield
    finally:
        apart.generator.set_state(before)
