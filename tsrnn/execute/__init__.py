"""Jobs -> results, wherever they are done; one broken job never takes another with it."""

from tsrnn.execute.processes import Function as Function
from tsrnn.execute.processes import Job as Job
from tsrnn.execute.processes import Outcome as Outcome
from tsrnn.execute.processes import cores as cores
from tsrnn.execute.processes import run as run
