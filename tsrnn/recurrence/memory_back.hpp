// Memories that are matrices, the backward pass; stands on memory.hpp.
#pragma once
#include <algorithm>
#include <cstring>

#include "memory.hpp"
#include "scans.hpp"
#include "vectors.hpp"

// Lane i of the result: the sum of vector i's lanes.
template <int WIDTH = LANES / 2>
INLINE v totals(const v* x) {
  v one, other, turned;
  if constexpr (WIDTH == 1) one = x[0], other = x[1];
  else one = totals<WIDTH / 2>(x), other = totals<WIDTH / 2>(x + WIDTH);
  bits_t second;
  for (int i = 0; i < LANES; i++) second[i] = i & WIDTH ? -1 : 0;
  const v left = second ? other : one, rest = second ? one : other;
  for (int i = 0; i < LANES; i++) turned[i] = rest[i ^ WIDTH];
  return left + turned;
}

// S holds the memory at the chunk's start, G the gradient of that at its end, then at its start. sums: gradients of q,
// then of w k, of each tile of keys, [step tile 2 TALL]; through: parts of a's gradient, [step LANE].
template <int N>
static void retreat_tile(
    index_t steps, const REAL* a, const REAL* k, const REAL* q, index_t wide, const REAL* in, const REAL* up, REAL* down,
    index_t far, const REAL* S, REAL* G, REAL* sums, v* through) {
  v past[CHUNK + 1][TALL][N], grad[TALL][N];
  UNROLLED for (int i = 0; i < TALL; i++)
    for (int n = 0; n < N; n++) past[0][i][n] = load(S + i * far + n * LANES);
  ROLLED for (index_t s = 0; s < steps; s++) {
    const v kept = all(a[s]);
    for (int n = 0; n < N; n++) {
      const v x = load(in + s * far + n * LANES);
      UNROLLED for (int i = 0; i < TALL; i++) past[s + 1][i][n] = kept * past[s][i][n] + k[s * wide + i] * x;
    }
  }
  UNROLLED for (int i = 0; i < TALL; i++)
    for (int n = 0; n < N; n++) grad[i][n] = load(G + i * far + n * LANES);
  ROLLED for (index_t s = steps - 1; s >= 0; s--) {
    const v kept = all(a[s]);
    v x[N], y[N], dx[N], da[N], each[2 * TALL];
    for (int n = 0; n < N; n++) {
      const index_t at = s * far + n * LANES;
      x[n] = load(in + at), y[n] = load(up + at), dx[n] = load(down + at), da[n] = v{};
    }
    UNROLLED for (int i = 0; i < TALL; i++) {
      v dq{}, dk{};
      for (int n = 0; n < N; n++) {
        grad[i][n] += q[s * wide + i] * y[n];
        dq += past[s + 1][i][n] * y[n];
        dk += grad[i][n] * x[n];
        dx[n] += k[s * wide + i] * grad[i][n];
        da[n] += past[s][i][n] * grad[i][n];
        grad[i][n] *= kept;
      }
      each[i] = dq, each[TALL + i] = dk;
    }
    for (int n = 0; n < N; n++) store(down + s * far + n * LANES, dx[n]), through[s] += da[n];
    REAL* into = sums + s * 2 * wide;
    for (int i = 0; i < 2 * TALL; i += LANES) store(into + i, load(into + i) + totals(each + i));
  }
  UNROLLED for (int i = 0; i < TALL; i++)
    for (int n = 0; n < N; n++) store(G + i * far + n * LANES, grad[i][n]);
}

// The gradient past the division, in `up`, and that of n q, in `sought`; `out` holds what came of the division.
static void undivide(Room& r, index_t t, index_t steps) {
  for (index_t s = 0; s < steps; s++) {
    REAL* up = r.up + s * r.far;
    const REAL divisor = r.divisor(t, s), norm = r.norms[s];
    const REAL lost = -dot(up, r.out + s * r.far, r.far) / divisor;
    r.sought[s] = norm > r.least[t + s] ? lost : -norm > r.least[t + s] ? -lost : 0;
    for (index_t i = 0; i < r.far; i += LANES) store(up + i, load(up + i) / divisor);
  }
}

// Through n of a chunk; dn holds its gradient at the chunk's end, then at its start.
static void retreat_keys(Room& r, index_t t, index_t steps, REAL* dq, REAL* dk) {
  for (index_t s = steps - 1; s >= 0; s--) {
    const index_t at = s * r.wide;
    v through = r.through[s];
    for (index_t i = 0; i < r.wide; i += LANES) {
      const v now = load(r.dn + i) + r.sought[s] * load(r.q + at + i);
      store(dq + at + i, load(dq + at + i) + r.sought[s] * load(r.n + at + r.wide + i));
      store(dk + at + i, load(dk + at + i) + now);
      through += now * load(r.n + at + i);
      store(r.dn + i, now * r.a[t + s]);
    }
    r.through[s] = through;
  }
}

// views: q ... m and y as above, borders, dy [batch step head value], dS, dn as S and n, each of the last three or none;
// then the gradients of q ... m, each as what it belongs to; those of skip, S, n and m may be missing.
extern "C" int memory_backward(const void* given) {
  const auto& part = *static_cast<const Part<Grid, MemorySizes>*>(given);
  const Grid* views = part.views;
  Room r(*part.sizes);
  const MemorySizes& size = r.size;
  const index_t wide = r.wide, far = r.far;
  Scratch grads(2 * CHUNK * wide);
  if (!r.all.at || !grads.at) return 1;
  REAL *dq = grads.at, *dk = dq + CHUNK * wide;
  for (index_t row = part.from; row < part.to; row++) {
    const index_t b = row / size.heads, h = row % size.heads;
    const Views from(views, b, h), into(views + 14, b, h);
    const View y = views[9].row(b, h), borders = views[10].row(b, h), dy = views[11].row(b, h);
    const View dS = views[12].row(b, h), dn = views[13].row(b, h);
    gates(size, from.enter, from.forget, from.m, r.a, r.w, r.least);
    memset(r.G, 0, wide * far * sizeof(REAL));
    memset(r.dn, 0, wide * sizeof(REAL));
    if (dS.at) fetch(dS, 0, size.keys, size.values, far, r.G);
    if (dn.at) fetch(dn, 0, 1, size.keys, wide, r.dn);
    const REAL past = from.skip.at ? *from.skip.at : 0;
    v skipped{};
    for (index_t t = (size.steps - 1) / CHUNK * CHUNK; t >= 0; t -= CHUNK) {
      const index_t steps = std::min<index_t>(CHUNK, size.steps - t);
      if (t) {
        memcpy(r.S, borders(0, t / CHUNK - 1), wide * far * sizeof(REAL));
        memcpy(r.n, borders(0, t / CHUNK - 1) + wide * far, wide * sizeof(REAL));
      } else {
        memset(r.S, 0, wide * far * sizeof(REAL));
        memset(r.n, 0, wide * sizeof(REAL));
        if (from.S.at) fetch(from.S, 0, size.keys, size.values, far, r.S);
        if (from.n.at) fetch(from.n, 0, 1, size.keys, wide, r.n);
      }
      r.read(from.q, from.k, from.v_, t, steps);
      if (dy.at) fetch(dy, t, steps, size.values, far, r.up);
      if (size.logs) {
        fetch(y, t, steps, size.values, far, r.out);
        r.sum_keys(t, steps);
        undivide(r, t, steps);
      }
      for (index_t i = 0; i < steps * far; i += LANES) {
        store(r.down + i, from.skip.at ? past * load(r.up + i) : v{});
        if (from.skip.at) skipped += load(r.up + i) * load(r.in + i);
      }
      memset(r.sums, 0, 2 * steps * wide * sizeof(REAL));
      memset(r.through, 0, steps * sizeof(v));
      for (index_t c = 0; c < far;) {
        const bool pair = c + 2 * LANES <= far;
        auto run = pair ? retreat_tile<2> : retreat_tile<1>;
        for (index_t i = 0; i < size.keys; i += TALL)
          run(steps, r.a + t, r.weighted + i, r.q + i, wide, r.in + c, r.up + c, r.down + c, far, r.S + i * far + c,
              r.G + i * far + c, r.sums + 2 * i, r.through);
        c += pair ? 2 * LANES : LANES;
      }
      for (index_t s = 0; s < steps; s++)
        for (index_t i = 0; i < wide; i += TALL) {
          memcpy(dq + s * wide + i, r.sums + 2 * (s * wide + i), TALL * sizeof(REAL));
          memcpy(dk + s * wide + i, r.sums + 2 * (s * wide + i) + TALL, TALL * sizeof(REAL));
        }
      if (size.logs) retreat_keys(r, t, steps, dq, dk);
      for (index_t s = 0; s < steps; s++) {
        const REAL a = r.a[t + s], w = r.w[t + s], da = total(r.through[s]);
        const REAL dw = dot(dk + s * wide, r.k + s * wide, wide);
        *into.enter(0, t + s) = size.logs ? dw * w : dw;
        *into.forget(0, t + s) = size.logs ? da * a : da;
        for (index_t i = 0; i < wide; i += LANES) store(dk + s * wide + i, w * load(dk + s * wide + i));
      }
      put(dq, into.q, t, steps, size.keys, wide);
      put(dk, into.k, t, steps, size.keys, wide);
      put(r.down, into.v_, t, steps, size.values, far);
    }
    if (into.skip.at) *into.skip.at = total(skipped);
    if (into.S.at) put(r.G, into.S, 0, size.keys, size.values, far);
    if (into.n.at) put(r.dn, into.n, 0, 1, size.keys, wide);
    if (into.m.at) *into.m.at = *into.forget(0, 0);
  }
  return 0;
}
