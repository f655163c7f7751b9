"""A storage on a server that may be away for a while: its calls wait for it, and none counts twice.

A server that restarts breaks off calls in the middle, and nobody can tell whether they had been carried out. So a call
is made again until it is answered, and those that would do their work twice look first whether it is done: a trial is
made under a word of its own, and a state that a trial has already is no error.
"""

import contextlib
import copy
import json
import random
import time
import weakref
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar, cast
from uuid import uuid4

from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import BaseStorage, RDBStorage
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import exc

OUTAGE = 300.0  # seconds that a call waits for a server
_PAUSES = 0.1, 10.0  # seconds between two attempts: the first, the longest
_WORD = "made"  # the system attribute that holds the word of a trial
_INNER = ("_get_trials", "_get_best_trial_id", "_set_trial_param", "_get_stale_trial_ids")
_PLAIN = {"remove_session", "check_trial_is_updatable", "create_new_trial"}  # no call, or one of another that waits
_AWAY = (exc.OperationalError, exc.InterfaceError, exc.InvalidatePoolError, exc.PendingRollbackError)
_FAULTS = (StorageInternalError, exc.SQLAlchemyError)

Result = TypeVar("Result")


def away(error: BaseException | None) -> bool:
    """Whether an error says that the server was not there, or left in the middle."""
    while error is not None:
        if isinstance(error, _AWAY) or (isinstance(error, exc.DBAPIError) and error.connection_invalidated):
            return True
        error = error.__cause__
    return False


def patiently(call: Callable[[], Result], again: Callable[[], object], longest: float | None = None) -> Result:
    """The answer of a call that is made until the server is back.

    Args:
        again: called before each further attempt.
        longest: seconds to wait; default: `OUTAGE`.

    Raises:
        StorageInternalError, SQLAlchemyError: the call is wrong, or the server stays away.
    """
    until = time.monotonic() + (OUTAGE if longest is None else longest)
    pause, most = _PAUSES
    while True:
        try:
            return call()
        except _FAULTS as error:
            if not away(error) or time.monotonic() > until:
                raise
        time.sleep(pause * (0.5 + random.random()))
        pause = min(2 * pause, most)
        with contextlib.suppress(*_FAULTS):
            again()


class PatientStorage(RDBStorage):
    """Optuna's storage, every call of which waits for a server that is away."""

    def __init__(self, *args: Any, **named: Any) -> None:
        self._tried: set[str] = set()  # words of the trials that this process has begun to make
        try:
            super().__init__(*args, **named)
        except BaseException:
            if hasattr(self, "engine"):
                self.engine.dispose()
            raise
        weakref.finalize(self, self.engine.dispose)  # its connections end with it

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        attempts = 0

        def call() -> bool:
            nonlocal attempts
            attempts += 1
            try:
                return super(PatientStorage, self).set_trial_state_values(trial_id, state, values)
            except UpdateFinishedTrialError:
                if attempts > 1 and RDBStorage.get_trial(self, trial_id).state is state:
                    return True
                raise

        return patiently(call, self.scoped_session.remove)

    def _create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> FrozenTrial:
        template = copy.deepcopy(template_trial) or create_trial(state=TrialState.RUNNING)
        template.system_attrs[_WORD] = word = uuid4().hex
        try:
            create = super()._create_new_trial
            return patiently(lambda: create(study_id, template), self.scoped_session.remove)
        finally:
            self._tried.discard(word)

    def _get_prepared_new_trial(self, study_id: int, template_trial: FrozenTrial | None, session: Any) -> Any:
        """The row of a trial: the one that an attempt before this one has made, or a new one."""
        word = cast(FrozenTrial, template_trial).system_attrs[_WORD]
        if word in self._tried:
            attribute = models.TrialSystemAttributeModel
            named = session.query(attribute).filter_by(key=_WORD, value_json=json.dumps(word)).one_or_none()
            if named is not None:
                return session.get(models.TrialModel, named.trial_id)
        self._tried.add(word)
        return super()._get_prepared_new_trial(study_id, template_trial, session)


def _waiting(name: str) -> Callable[..., Any]:
    method = getattr(RDBStorage, name)

    @wraps(method)
    def call(self: PatientStorage, *args: Any, **named: Any) -> Any:
        return patiently(lambda: method(self, *args, **named), self.scoped_session.remove)

    return call


_PUBLIC = {name for name in vars(BaseStorage) if name[0] != "_" and callable(getattr(BaseStorage, name))}
for _name in {*_PUBLIC, *_INNER} - _PLAIN - {*vars(PatientStorage)}:
    setattr(PatientStorage, _name, _waiting(_name))
