"""Normal equations of windows that begin one step apart, at the cost of a few of them.

Of the rows v of one channel, the products of a run of n windows of so many steps are

    G[i, j] = sum_t v[t+i] v[t+j],    G[i+1, j+1] = G[i, j] + v[n+i] v[n+j] - v[i] v[j]

so that the first row of G gives all others. A window is centred by a linear map of itself, and so are its products.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from tsrnn.layers.centring import Centring, centre
from tsrnn.layers.least_squares import Moments


def moments(runs: Iterable[Tensor], size: int, horizon: int, centring: Centring, season: int) -> Moments:
    """Sums over windows of `size` steps and the `horizon` behind each, centred; runs are a channel's rows [row]."""
    width = size + horizon
    products, sums, count = torch.zeros(width, width).double(), torch.zeros(width).double(), 0
    for rows in runs:
        rows = rows.double()
        products += products_of(rows, width)
        total = torch.cat([rows.new_zeros(1), rows.cumsum(0)])
        windows = len(rows) - width + 1
        sums += total[windows : windows + width] - total[:width]
        count += windows
    by = centre(torch.eye(size, dtype=torch.float64).unsqueeze(-1), centring, season).loc.flatten()  # [time]
    location = torch.cat([by, by.new_zeros(horizon)])
    centred = products @ location  # [time+horizon] each step times where its window is centred
    products -= centred[:, None] + centred - location @ centred
    sums -= location @ sums
    made = Moments(size, horizon, 0)
    made.xx, made.xy, made.yy = products[:size, :size], products[:size, size:], products.diagonal()[size:]
    made.x, made.y, made.rows = sums[:size], sums[size:], count
    return made


def products_of(rows: Tensor, width: int) -> Tensor:
    """Sums of products of every two steps of all windows of that width in the rows [row]: [width width]."""
    count = len(rows) - width + 1
    products = rows.new_empty(width, width)
    products[0] = rows[:count] @ rows.unfold(0, width, 1)  # [count width]
    products[:, 0] = products[0]
    first, behind = rows[:width], rows[count : count + width]
    for k in range(width - 1):
        step = behind[k] * behind[: width - 1] - first[k] * first[: width - 1]
        products[k + 1, 1:] = products[k, :-1] + step
    return products
