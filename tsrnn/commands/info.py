"""tsrnn info: this machine, as tsrnn sees it."""

from tsrnn.commands._base.options import Json


def run(json_: Json = False) -> None:
    """Show what tsrnn finds on this machine: versions, devices, compiler, backends, folders."""
    from tsrnn import machine
    from tsrnn.console import facts

    facts(machine.facts(), as_json=json_)
