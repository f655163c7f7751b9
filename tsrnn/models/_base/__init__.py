"""The contract of a model, kinds of models, and the reshapes that they share."""

from tsrnn.models._base.contract import COVARIATES as COVARIATES
from tsrnn.models._base.contract import READABLE as READABLE
from tsrnn.models._base.contract import Model as Model
from tsrnn.models._base.contract import NoOptions as NoOptions
from tsrnn.models._base.kinds import Generative as Generative
from tsrnn.models._base.kinds import Naive as Naive
from tsrnn.models._base.kinds import Patched as Patched
from tsrnn.models._base.kinds import Recalling as Recalling
from tsrnn.models._base.kinds import Skipping as Skipping
from tsrnn.models._base.lineup import Lineup as Lineup
from tsrnn.models._base.lineup import Member as Member
from tsrnn.models._base.lineup import configured as configured
from tsrnn.models._base.reshapes import Layer as Layer
from tsrnn.models._base.reshapes import device_of as device_of
from tsrnn.models._base.reshapes import forecasts_of as forecasts_of
from tsrnn.models._base.reshapes import restore as restore
from tsrnn.models._base.reshapes import segments as segments
from tsrnn.models._base.reshapes import series_of as series_of
from tsrnn.models._base.reshapes import uniform_weights as uniform_weights
from tsrnn.models._base.reshapes import zeros as zeros
