// Memories that are matrices, the forward pass (memory_back.hpp has the other): S = a S + w k v^T, y = S^T q; stands on
// scans.hpp.
//
// SSD gives a and w as numbers and may add D v to y. The mLSTM gives logarithms of both, kept below a running largest m,
// and divides: y = S^T q / max(|n q|, e^-m) with n = a n + w k. Each step is taken as it stands, so that decays of zero
// and gates of any size stay what they are; a tile of S is held in registers through the steps of a chunk. The forward
// pass keeps S and n at the chunks' borders; the backward pass recomputes what lies between.
//
// Inside, S is [key value], both filled up with zeros to whole tiles; k and q are [step key], v and y [step value].
#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "scans.hpp"
#include "vectors.hpp"

#define UNROLLED _Pragma("GCC unroll 16")
constexpr int TALL = 2 * TILE_COLUMNS;              // keys in a tile of S
constexpr int FULL = TALL > LANES ? TALL : LANES;  // what keys are filled up to

struct Grid {  // [batch step head lane], strides in numbers
  REAL* at;
  index_t batch, step, head, lane;
  View row(index_t b, index_t h) const { return {at ? at + b * batch + h * head : at, 0, step, lane}; }
};

struct MemorySizes {
  index_t steps, heads, keys, values, logs;  // logs: the gates are logarithms, and the output is divided
  index_t wide() const { return (keys + FULL - 1) / FULL * FULL; }
  index_t long_() const { return (values + LANES - 1) / LANES * LANES; }
  index_t memory() const { return wide() * (long_() + 1); }  // S, and n behind it
};

static void fetch(const View& from, index_t t, index_t steps, index_t count, index_t filled, REAL* to) {
  for (index_t s = 0; s < steps; s++, to += filled) {
    const REAL* p = from(0, t + s);
    if (from.lane == 1) memcpy(to, p, count * sizeof(REAL));
    else for (index_t i = 0; i < count; i++) to[i] = p[i * from.lane];
  }
}

static void put(const REAL* from, const View& to, index_t t, index_t steps, index_t count, index_t filled) {
  for (index_t s = 0; s < steps; s++, from += filled) {
    REAL* p = to(0, t + s);
    if (to.lane == 1) memcpy(p, from, count * sizeof(REAL));
    else for (index_t i = 0; i < count; i++) p[i * to.lane] = from[i];
  }
}

INLINE REAL dot(const REAL* x, const REAL* y, index_t count) {  // of whole vectors
  v sum{};
  for (index_t i = 0; i < count; i += LANES) sum += load(x + i) * load(y + i);
  return total(sum);
}

// a, w and e^-m of all steps from one row's gates; returns the last m. w holds the root of the keys' length, too.
static REAL gates(
    const MemorySizes& size, const View& enter, const View& forget, const View& m, REAL* a, REAL* w, REAL* least) {
  if (!size.logs) {
    for (index_t t = 0; t < size.steps; t++) a[t] = *forget(0, t), w[t] = *enter(0, t);
    return 0;
  }
  constexpr REAL INF = std::numeric_limits<REAL>::infinity();
  REAL largest = m.at ? *m.at : -INF;
  for (index_t t = 0; t < size.steps; t++) {
    const REAL in = *enter(0, t), kept = *forget(0, t) + largest;
    largest = kept > in ? kept : in;
    const bool nothing = largest == -INF;
    a[t] = nothing ? -INF : kept - largest, w[t] = nothing ? -INF : in - largest, least[t] = -largest;
  }
  const v share = all(1 / std::sqrt((REAL)size.keys));
  for (index_t t = 0; t < size.steps; t += LANES) {
    store(a + t, exp_(load(a + t)));
    store(w + t, exp_(load(w + t)) * share);
    store(least + t, exp_(load(least + t)));
  }
  return largest;
}

// ---- one tile of S through a chunk: TALL keys by N vectors of values ----
template <int N>
static void advance_tile(
    index_t steps, const REAL* a, const REAL* k, const REAL* q, index_t wide, const REAL* in, REAL* out, index_t far,
    REAL* S) {
  v state[TALL][N];
  UNROLLED for (int i = 0; i < TALL; i++)
    for (int n = 0; n < N; n++) state[i][n] = load(S + i * far + n * LANES);
  ROLLED for (index_t s = 0; s < steps; s++, k += wide, q += wide, in += far, out += far) {
    const v kept = all(a[s]);
    v x[N], sum[N];
    for (int n = 0; n < N; n++) x[n] = load(in + n * LANES), sum[n] = load(out + n * LANES);
    UNROLLED for (int i = 0; i < TALL; i++)
      for (int n = 0; n < N; n++) {
        state[i][n] = kept * state[i][n] + k[i] * x[n];
        sum[n] += q[i] * state[i][n];
      }
    for (int n = 0; n < N; n++) store(out + n * LANES, sum[n]);
  }
  UNROLLED for (int i = 0; i < TALL; i++)
    for (int n = 0; n < N; n++) store(S + i * far + n * LANES, state[i][n]);
}

// What one row works with; zeros past the keys and values.
struct Room {
  MemorySizes size;
  index_t wide, far, padded;
  Scratch all;
  REAL *a, *w, *least;                     // [step], of all
  REAL *q, *k, *weighted, *sums;           // [step key]; sums [step tile 2 TALL]
  REAL *in, *out, *up, *down;              // [step value]
  REAL *S, *n, *G, *dn, *norms, *sought;   // memory and its gradient; n [step+1 key]; [step of a chunk] twice
  v* through;
  REAL* next;
  REAL* take(index_t count) {
    REAL* p = next;
    next += (count + LANES - 1) / LANES * LANES;
    return p;
  }
  explicit Room(const MemorySizes& s)
      : size(s), wide(s.wide()), far(s.long_()), padded((s.steps + LANES - 1) / LANES * LANES),
        all(3 * padded + CHUNK * (6 * wide + 4 * far + 8 * LANES) + 4 * s.memory()) {
    next = all.at;
    if (!next) return;
    a = take(padded), w = take(padded), least = take(padded);
    q = take(CHUNK * wide), k = take(CHUNK * wide), weighted = take(CHUNK * wide), sums = take(2 * CHUNK * wide);
    n = take((CHUNK + 1) * wide), dn = take(wide);
    in = take(CHUNK * far), out = take(CHUNK * far), up = take(CHUNK * far), down = take(CHUNK * far);
    S = take(wide * far), G = take(wide * far);
    norms = take(CHUNK), sought = take(CHUNK);
    through = (v*)take(CHUNK * LANES);
  }

  void read(const View& q_, const View& k_, const View& v_, index_t t, index_t steps) {
    fetch(q_, t, steps, size.keys, wide, q);
    fetch(k_, t, steps, size.keys, wide, k);
    fetch(v_, t, steps, size.values, far, in);
    for (index_t s = 0; s < steps; s++)
      for (index_t i = 0; i < wide; i += LANES) store(weighted + s * wide + i, w[t + s] * load(k + s * wide + i));
  }

  // n of every step of the chunk, from the first, which is there.
  void sum_keys(index_t t, index_t steps) {
    for (index_t s = 0; s < steps; s++) {
      const REAL* before = n + s * wide;
      for (index_t i = 0; i < wide; i += LANES)
        store(n + (s + 1) * wide + i, a[t + s] * load(before + i) + load(weighted + s * wide + i));
      norms[s] = dot(q + s * wide, n + (s + 1) * wide, wide);
    }
  }

  REAL divisor(index_t t, index_t s) const {
    const REAL norm = std::abs(norms[s]);
    return norm <= least[t + s] ? least[t + s] : norm;
  }
};

struct Views {  // of one row: a batch's and a head's
  View q, k, v_, enter, forget, skip, S, n, m;
  Views(const Grid* g, index_t b, index_t h)
      : q(g[0].row(b, h)), k(g[1].row(b, h)), v_(g[2].row(b, h)), enter(g[3].row(b, h)), forget(g[4].row(b, h)),
        skip(g[5].row(b, h)), S(g[6].row(b, h)), n(g[7].row(b, h)), m(g[8].row(b, h)) {}
};

// views: q, k [batch step head key], v [batch step head value], enter, forget [batch step head 1], skip [1 1 head 1], S
// [batch key head value], n [batch 1 head key], m [batch 1 head 1]; the last four may be missing; then y as v, and
// final S, n, m as those before (n and m only with logs), and the borders [batch chunk-1 head memory] or none.
extern "C" int memory_forward(const void* given) {
  const auto& part = *static_cast<const Part<Grid, MemorySizes>*>(given);
  const Grid* views = part.views;
  Room r(*part.sizes);
  if (!r.all.at) return 1;
  const MemorySizes& size = r.size;
  const index_t wide = r.wide, far = r.far;
  for (index_t row = part.from; row < part.to; row++) {
    const index_t b = row / size.heads, h = row % size.heads;
    const Views from(views, b, h);
    const View y = views[9].row(b, h), S = views[10].row(b, h), n = views[11].row(b, h), m = views[12].row(b, h);
    const View borders = views[13].row(b, h);
    const REAL largest = gates(size, from.enter, from.forget, from.m, r.a, r.w, r.least);
    memset(r.S, 0, wide * far * sizeof(REAL));
    memset(r.n, 0, wide * sizeof(REAL));
    if (from.S.at) fetch(from.S, 0, size.keys, size.values, far, r.S);
    if (from.n.at) fetch(from.n, 0, 1, size.keys, wide, r.n);
    for (index_t t = 0; t < size.steps; t += CHUNK) {
      const index_t steps = std::min<index_t>(CHUNK, size.steps - t);
      if (t && borders.at) {
        memcpy(borders(0, t / CHUNK - 1), r.S, wide * far * sizeof(REAL));
        memcpy(borders(0, t / CHUNK - 1) + wide * far, r.n, wide * sizeof(REAL));
      }
      r.read(from.q, from.k, from.v_, t, steps);
      const REAL past = from.skip.at ? *from.skip.at : 0;
      for (index_t i = 0; i < steps * far; i += LANES) store(r.out + i, from.skip.at ? past * load(r.in + i) : v{});
      for (index_t c = 0; c < far;) {
        const bool pair = c + 2 * LANES <= far;
        auto run = pair ? advance_tile<2> : advance_tile<1>;
        for (index_t i = 0; i < size.keys; i += TALL)
          run(steps, r.a + t, r.weighted + i, r.q + i, wide, r.in + c, r.out + c, far, r.S + i * far + c);
        c += pair ? 2 * LANES : LANES;
      }
      if (size.logs) {
        r.sum_keys(t, steps);
        for (index_t s = 0; s < steps; s++) {
          const REAL divisor = r.divisor(t, s);
          for (index_t i = 0; i < far; i += LANES) store(r.out + s * far + i, load(r.out + s * far + i) / divisor);
        }
        memcpy(r.n, r.n + steps * wide, wide * sizeof(REAL));
      }
      put(r.out, y, t, steps, size.values, far);
    }
    put(r.S, S, 0, size.keys, size.values, far);
    if (size.logs) put(r.n, n, 0, 1, size.keys, wide), *m.at = largest;
  }
  return 0;
}
