"""What covariates do to the forecast's own steps, beside what a model reads of them in the past.

    response    r_t = g(known features at t and just before, features of the series), for each target. It is taken out
                of the past before a model reads it and put back on the forecast, as a learnt cycle is: the rest of the
                model forecasts what the features do not explain (a regression with recurrent errors)
    situation   s_h = f(known features at step h less their mean over the newest season, features of the series, level
                of past covariates, h), each of f's last numbers times a gate of the model's last state: what g cannot
                say, since it differs by the state, by the step or among quantiles. Centring hides the level of past
                covariates everywhere else; the level of known ones, a date for one, would tell training's windows apart
    effect      one linear map of the known features at step h, for every number asked for

g and f have two hidden layers, and read no feature that says where a row lies along the index (`Spec.placed`): a place
in the year tells training's windows apart. In a linear model g is linear and there is no f. All start at nothing, so
that training begins with the model as it is without covariates. In a model's forward:

    batch, response = self.ahead.without(batch)
    undo = centre(...)
    ...
    params = self.ahead(params, batch, state)
    return self.ahead.back(restore(undo, params), response)
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from tsrnn.layers.centring import centre
from tsrnn.layers.covariates import acting, unplaced
from tsrnn.layers.younger import Younger
from tsrnn.shapes import Batch, Spec

LAGS = 4  # steps that a response looks at: its own and those before it
_HIDDEN = 64


class Ahead(Younger):
    """The covariates' part of a forecast; nothing where there are none.

    Args:
        spec: of the task.
        state: numbers of the last state that a model gives; 0: it gives none.
        linear: known features alone, in straight lines.
    """

    since = ("response", "situation")

    def __init__(self, spec: Spec, state: int = 0, linear: bool = False) -> None:
        super().__init__()
        self.spec = spec
        self.effect = _nothing(spec.known, spec.targets * spec.params, bias=False) if spec.known else None
        spec = unplaced(spec)
        covariates = spec.known + spec.static + spec.channels - spec.targets
        self.response = Response(spec, linear) if spec.known else None
        self.situation = Situation(spec, state) if covariates and not linear else None

    def without(self, batch: Batch) -> tuple[Batch, Tensor | None]:
        """The batch without the response in its targets' past, and the response ahead: [batch horizon target]."""
        if self.response is None or batch.known is None:
            return batch, None
        time = batch.past.shape[1]
        response = self.response(acting(batch, self.spec))  # [batch time+horizon target]
        own, others = batch.past[..., : self.spec.targets], batch.past[..., self.spec.targets :]
        past = torch.cat([own - response[:, :time], others], -1)
        return replace(batch, past=past), response[:, time:]

    def back(self, params: Tensor, response: Tensor | None) -> Tensor:
        """The response put back, behind the undo of centring: params [batch horizon target params]."""
        return params if response is None else params + response.unsqueeze(-1)

    def forward(self, params: Tensor, batch: Batch, state: Tensor | None = None) -> Tensor:
        """Effect and situation added to params [batch horizon target params], state [batch*target or batch numbers]."""
        if self.effect is not None and batch.known is not None:
            effect = self.effect(batch.known[:, -self.spec.horizon :])  # [batch horizon target*params]
            params = params + effect.view(params.shape)
        return params if self.situation is None else params + self.situation(acting(batch, self.spec), state)


class Response(nn.Module):
    """Known features [batch time+horizon feature] and static ones [batch feature] -> [batch time+horizon target]."""

    def __init__(self, spec: Spec, linear: bool) -> None:
        super().__init__()
        self.static = 0 if linear else spec.static
        self.hidden = None if linear else _hidden(LAGS * spec.known + self.static)
        self.last = _nothing(LAGS * spec.known if linear else _HIDDEN, spec.targets, bias=not linear)

    def forward(self, batch: Batch) -> Tensor:
        assert batch.known is not None
        read = lagged(batch.known)
        if self.static and batch.static is not None:
            read = torch.cat([read, batch.static.unsqueeze(1).expand(-1, read.shape[1], -1)], -1)
        response: Tensor = self.last(read if self.hidden is None else self.hidden(read))
        return response


class Situation(nn.Module):
    """Covariates as they stand at each step ahead, weighed by the state: -> [batch horizon target params]."""

    def __init__(self, spec: Spec, state: int) -> None:
        super().__init__()
        self.spec = spec
        self.hidden = _hidden(1 + spec.static + spec.known + 2 * (spec.channels - spec.targets))
        self.last = _nothing(_HIDDEN, spec.targets * spec.params)
        self.gate = _nothing(state, _HIDDEN, bias=False) if state else None

    def forward(self, batch: Batch, state: Tensor | None) -> Tensor:
        rows, (horizon, targets) = len(batch.past), (self.spec.horizon, self.spec.targets)
        hidden = self.hidden(self._read(batch))  # [batch horizon hidden]
        weight = self.last.weight.view(targets, -1, _HIDDEN)  # [target params hidden]
        bias = self.last.bias.view(targets, -1)
        if self.gate is None or state is None:
            added = hidden @ weight.flatten(0, 1).T  # [batch horizon target*params]
        else:
            gate = 1 + self.gate(state).view(rows, -1, 1, _HIDDEN)  # [batch target-or-1 1 hidden]
            added = hidden @ (gate * weight).flatten(1, 2).transpose(1, 2)
        situation: Tensor = added.view(rows, horizon, targets, -1) + bias
        return situation

    def _read(self, batch: Batch) -> Tensor:
        """[batch horizon numbers]: the step's place, its known features, those of the series, levels of past ones."""
        rows, horizon = len(batch.past), self.spec.horizon
        step = torch.arange(1, horizon + 1, device=batch.past.device, dtype=batch.past.dtype) / horizon
        parts = [step.view(1, -1, 1).expand(rows, -1, -1)]
        if self.spec.known and batch.known is not None:
            before, ahead = batch.known[:, :-horizon], batch.known[:, -horizon:]
            parts.append(ahead - centre(before, "season", self.spec.seasonality, batch.lengths).loc)
        standing = [batch.static] if self.spec.static and batch.static is not None else []
        if self.spec.channels > self.spec.targets:
            others = batch.past[..., self.spec.targets :]
            level = centre(others, "season", self.spec.seasonality, batch.lengths).loc
            standing += [others[:, -1], level.squeeze(1)]  # each [batch channel]
        parts += [each.unsqueeze(1).expand(-1, horizon, -1) for each in standing]
        return torch.cat(parts, -1)


def lagged(known: Tensor, lags: int = LAGS) -> Tensor:
    """Every step with those before it, the first held before the first: [batch step feature] -> [... feature*lag]."""
    first = known[:, :1].expand(-1, lags - 1, -1)
    return torch.cat([first, known], 1).unfold(1, lags, 1).flatten(2)


def _hidden(numbers: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(numbers, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, _HIDDEN), nn.ReLU())


def _nothing(numbers: int, outputs: int, bias: bool = True) -> nn.Linear:
    """A linear map that gives zeros at first."""
    layer = nn.Linear(numbers, outputs, bias=bias)
    for weight in layer.parameters():
        nn.init.zeros_(weight)
    return layer
