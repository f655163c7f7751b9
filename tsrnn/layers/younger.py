"""Weights that a layer or a model gained after others of its kind had been saved.

They start at nothing, so that what was saved without them is loaded as it was.
"""

from typing import Any, ClassVar

from torch import nn


class Younger(nn.Module):
    """A module some of whose weights may be missing from what is loaded, all of them at once."""

    since: ClassVar[tuple[str, ...]]  # the parts that came later, as attributes

    def __init__(self) -> None:
        super().__init__()
        self.register_load_state_dict_pre_hook(_complete)  # type: ignore[no-untyped-call]  # torch's, without types

    def names(self, path: str) -> set[str]:
        """The names of the later weights, as a model at whose `path` the module stands calls them."""
        return {f"{path}.{name}" for name in self.state_dict() if name.split(".")[0] in self.since}


def _complete(module: nn.Module, weights: dict[str, Any], prefix: str, *_: Any) -> None:
    assert isinstance(module, Younger)
    later = {name: prefix + name for name in module.state_dict() if name.split(".")[0] in module.since}
    if not weights.keys() & set(later.values()):
        weights.update({full: module.state_dict()[name] for name, full in later.items()})
