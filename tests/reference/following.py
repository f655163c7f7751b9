"""The ridge of slow waves the long way: at each fit every origin that came true is gone through again."""

import numpy as np


def slow(past, kept):
    """[time] -> the lowest waves of one look-back by their sums: cosines, then minus sines."""
    left, time = past - past.mean(), np.arange(len(past))
    angles = [2 * np.pi * k * time / len(past) for k in range(1, kept + 1)]
    found = [(left * np.cos(angle)).sum() for angle in angles] + [-(left * np.sin(angle)).sum() for angle in angles]
    return np.array(found) / np.sqrt(len(past))


def correction(residual, waves, ridge, origin, every):
    """[horizon target] of one origin, by the rows of a least squares problem to which the ridge is appended."""
    horizon, targets = residual.shape[1:]
    fitted_at = origin - origin % every
    pairs = [
        (waves[s, :, k], residual[s, :, k])
        for s in range(fitted_at)
        if s + horizon - 1 < fitted_at
        for k in range(targets)
        if np.isfinite(residual[s, :, k]).all()
    ]
    if not pairs:
        return np.zeros((horizon, targets))
    x, y = (np.array(each, np.float64) for each in zip(*pairs, strict=True))
    width = x.shape[1]
    prior = ridge * horizon * targets * (x**2).sum() / width / len(x)
    rows = np.vstack([x, np.sqrt(prior) * np.eye(width)])
    weights = np.linalg.lstsq(rows, np.vstack([y, np.zeros((width, horizon))]), rcond=None)[0]
    return np.stack([waves[origin, :, k] @ weights for k in range(targets)], 1)
