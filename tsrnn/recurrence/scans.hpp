// The linear and the selective scan, forward and backward; stands on kernel.hpp. A call does the rows from..to-1, so that
// threads can share a batch, and returns 1 where there is no memory.
//
// The states [row step channel state] are never laid out: a chunk of CHUNK steps of one vector of channels is worked
// through state by state, so that all of it stays in registers and the nearest cache. The forward pass keeps the states
// at the chunks' borders; the backward pass recomputes what lies between, with the same arithmetic, hence the same bits.
// Decays are powers of two, 2^(delta A log2 e); they may underflow to zero, and nothing divides by one.
#include <algorithm>

constexpr int CHUNK = 16;

// A tensor [row step lane] anywhere in memory; strides in numbers. A null pointer: there is none.
struct View {
  REAL* at;
  index_t row, step, lane;
  REAL* operator()(index_t r, index_t t = 0, index_t c = 0) const { return at + r * row + t * step + c * lane; }
};

struct Sizes {
  index_t steps, channels, states, padded;  // padded: channels filled up to whole vectors
};

struct Scratch {  // zeros, aligned for vectors
  REAL* at;
  explicit Scratch(index_t count) {
    size_t bytes = (count * sizeof(REAL) + BYTES - 1) / BYTES * BYTES;
    at = (REAL*)aligned_alloc(BYTES, bytes);
    if (at) memset(at, 0, bytes);
  }
  Scratch(const Scratch&) = delete;
  ~Scratch() { free(at); }
};

// ---- vectors ----
INLINE REAL total(v x) {
  REAL lanes[LANES] __attribute__((aligned(BYTES)));
  *(v*)lanes = x;
  for (int width = LANES / 2; width; width /= 2)
    for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
  return lanes[0];
}

#if SINGLE
typedef uint32_t bits_t __attribute__((vector_size(BYTES)));
constexpr int MANTISSA = 23;
constexpr REAL ROUND = 12582912, LEAST = -127, MOST = 128;  // 1.5 2^23: adding it rounds to whole numbers
constexpr REAL POWER[] = {1.5353361966e-4f, 1.3398874716e-3f, 9.6184373599e-3f, 5.5503324704e-2f, 2.4022647914e-1f,
                          6.9314720286e-1f, 1};  // 2^f for |f| <= 1/2, fitted: relative error 2e-9
#else
typedef uint64_t bits_t __attribute__((vector_size(BYTES)));
constexpr int MANTISSA = 52;
constexpr REAL ROUND = 6755399441055744, LEAST = -1023, MOST = 1024;
constexpr REAL POWER[] = {2.56784359934881958e-11, 4.44553827187081007e-10, 7.05491162080112088e-09,
                          1.01780860092396960e-07, 1.32154867901443053e-06, 1.52527338040598377e-05,
                          1.54035303933816061e-04, 1.33335581464284411e-03, 9.61812910762847688e-03,
                          5.55041086648215762e-02, 2.40226506959100694e-01, 6.93147180559945286e-01, 1};
#endif
constexpr REAL LN2 = 0.693147180559945286;

// 2^t. TAME: t is known to be zero or less (minus infinity included); else anything, NaN too.
template <bool TAME>
INLINE v power(v t) {
  v bounded = t < LEAST ? all(LEAST) : t;  // whose power comes out as zero
  if (!TAME) bounded = bounded < MOST ? bounded : v{};
  v shifted = bounded + ROUND, f = bounded - (shifted - ROUND), p = all(POWER[0]);
  for (size_t k = 1; k < sizeof(POWER) / sizeof(REAL); k++) p = p * f + POWER[k];
  p = (v)((bits_t)p + ((bits_t)shifted << MANTISSA));
  if (!TAME) p = t >= MOST ? all(std::numeric_limits<REAL>::infinity()) : (t != t ? t : p);
  return p;
}

// A vector of channels over the steps of a chunk, to and from a tensor; lanes past `count` are zero.
INLINE void gather(const View& from, index_t r, index_t t, index_t c, index_t steps, index_t count, v* to) {
  const REAL* p = from(r, t, c);
  if (from.lane == 1 && count == LANES) {
    for (index_t s = 0; s < steps; s++) to[s] = load(p + s * from.step);
    return;
  }
  REAL(*lanes)[LANES] = (REAL(*)[LANES])to;
  if (count < LANES) memset(to, 0, steps * sizeof(v));
  for (index_t i = 0; i < count; i++)
    for (index_t s = 0; s < steps; s++) lanes[s][i] = p[s * from.step + i * from.lane];
}

INLINE void scatter(const v* from, const View& to, index_t r, index_t t, index_t c, index_t steps, index_t count) {
  REAL* p = to(r, t, c);
  if (to.lane == 1 && count == LANES) {
    for (index_t s = 0; s < steps; s++) store(p + s * to.step, from[s]);
    return;
  }
  const REAL(*lanes)[LANES] = (const REAL(*)[LANES])from;
  for (index_t i = 0; i < count; i++)
    for (index_t s = 0; s < steps; s++) p[s * to.step + i * to.lane] = lanes[s][i];
}

// [step state] of a chunk -> [state CHUNK], whatever the strides.
INLINE void turn(const View& from, index_t r, index_t t, index_t steps, index_t states, REAL* to) {
  for (index_t s = 0; s < steps; s++)
    for (index_t n = 0; n < states; n++) to[n * CHUNK + s] = *from(r, t + s, n);
}

// ---- h_t = a_t h_{t-1} + b_t over contiguous columns ----
// views: a, b, h [row step column], initial [row 1 column] or none
extern "C" int linear_forward(const View* views, const Sizes* size, index_t, index_t from, index_t to) {
  const View a = views[0], b = views[1], h = views[2], initial = views[3];
  const index_t steps = size->steps, columns = size->channels;
  Scratch zeros(columns);
  if (!zeros.at) return 1;
  for (index_t r = from; r < to; r++) {
    const REAL* before = initial.at ? initial(r) : zeros.at;
    for (index_t t = 0; t < steps; t++) {
      const REAL *at = a(r, t), *bt = b(r, t);
      REAL* ht = h(r, t);
      index_t c = 0;
      for (; c + LANES <= columns; c += LANES) store(ht + c, load(at + c) * load(before + c) + load(bt + c));
      for (; c < columns; c++) ht[c] = at[c] * before[c] + bt[c];
      before = ht;
    }
  }
  return 0;
}

// views: a, h, dh, da, db [row step column], initial, dinitial [row 1 column]; either may be missing
extern "C" int linear_backward(const View* views, const Sizes* size, index_t, index_t from, index_t to) {
  const View a = views[0], h = views[1], dh = views[2], da = views[3], db = views[4], initial = views[5], first = views[6];
  const index_t steps = size->steps, columns = size->channels;
  Scratch zeros(columns), carried(columns);
  if (!zeros.at || !carried.at) return 1;
  REAL* g = carried.at;
  for (index_t r = from; r < to; r++) {
    memset(g, 0, columns * sizeof(REAL));
    for (index_t t = steps - 1; t >= 0; t--) {
      const REAL *at = a(r, t), *gain = dh(r, t), *before = t ? h(r, t - 1) : initial.at ? initial(r) : zeros.at;
      REAL *dat = da(r, t), *dbt = db(r, t);
      index_t c = 0;
      for (; c + LANES <= columns; c += LANES) {
        v now = load(g + c) + load(gain + c);
        store(dbt + c, now);
        store(dat + c, now * load(before + c));
        store(g + c, now * load(at + c));
      }
      for (; c < columns; c++) {
        REAL now = g[c] + gain[c];
        dbt[c] = now;
        dat[c] = now * before[c];
        g[c] = now * at[c];
      }
    }
    if (first.at) memcpy(first(r), g, columns * sizeof(REAL));
  }
  return 0;
}

// ---- h = 2^(delta A) h + delta u B, y = h C + D u ----
// Channels of A, D, states and their gradients are laid out in whole vectors, filled up with zeros; A in powers of two.
INLINE bool all_tame(const REAL* A, index_t count) {
  v wrong{};
  for (index_t i = 0; i < count; i += LANES) {
    v x = load(A + i);
    wrong += (x <= (REAL)0) & (x > -std::numeric_limits<REAL>::infinity()) ? v{} : all(1);
  }
  return total(wrong) == 0;
}

INLINE bool tame(const v* delta, index_t steps) {
  v wrong{};
  for (index_t s = 0; s < steps; s++)
    wrong += (delta[s] >= (REAL)0) & (delta[s] < std::numeric_limits<REAL>::infinity()) ? v{} : all(1);
  return total(wrong) == 0;
}

// W states of one vector of channels through a chunk; A, h: the first of them, `padded` apart; B, C: CHUNK apart.
template <bool TAME, int W>
INLINE void advance(index_t steps, index_t padded, const v* delta, const v* weighted, const REAL* A, const REAL* B, const REAL* C, REAL* h, v* y) {
  v rate[W], state[W];
  for (int w = 0; w < W; w++) rate[w] = load(A + w * padded), state[w] = load(h + w * padded);
  for (index_t s = 0; s < steps; s++) {
    v sum = y[s];
    for (int w = 0; w < W; w++) {
      state[w] = power<TAME>(delta[s] * rate[w]) * state[w] + weighted[s] * B[w * CHUNK + s];
      sum += state[w] * C[w * CHUNK + s];
    }
    y[s] = sum;
  }
  for (int w = 0; w < W; w++) store(h + w * padded, state[w]);
}

template <bool TAME>
static void advance_all(index_t states, index_t steps, index_t padded, const v* delta, const v* weighted, const REAL* A, const REAL* B, const REAL* C, REAL* h, v* y) {
  index_t n = 0;
  for (; n + 4 <= states; n += 4) advance<TAME, 4>(steps, padded, delta, weighted, A + n * padded, B + n * CHUNK, C + n * CHUNK, h + n * padded, y);
  for (; n < states; n++) advance<TAME, 1>(steps, padded, delta, weighted, A + n * padded, B + n * CHUNK, C + n * CHUNK, h + n * padded, y);
}

// views: u, delta [row step channel], A [1 state channel], B, C [row step state], D [1 1 channel], initial [row state
// channel], y [row step channel], final [row state channel], borders [row (chunks-1)*state channel]; D, initial, borders
// may be missing
extern "C" int selective_forward(const View* views, const Sizes* sizes, index_t thread, index_t from, index_t to) {
  const View u = views[0], delta = views[1], A = views[2], B = views[3], C = views[4], D = views[5], initial = views[6];
  const View y = views[7], final = views[8], borders = views[9];
  const Sizes size = *sizes;
  const index_t all_states = size.states * size.padded;
  Scratch inward(size.states * CHUNK), outward(size.states * CHUNK);
  if (!inward.at || !outward.at) return 1;
  const bool rates_tame = all_tame(A.at, all_states);
  for (index_t r = from; r < to; r++) {
    REAL* h = final(r);
    if (initial.at) memcpy(h, initial(r), all_states * sizeof(REAL));
    else memset(h, 0, all_states * sizeof(REAL));
    for (index_t t = 0; t < size.steps; t += CHUNK) {
      const index_t steps = std::min<index_t>(CHUNK, size.steps - t);
      if (t && borders.at) memcpy(borders(r, (t / CHUNK - 1) * size.states), h, all_states * sizeof(REAL));
      turn(B, r, t, steps, size.states, inward.at);
      turn(C, r, t, steps, size.states, outward.at);
      for (index_t c = 0; c < size.channels; c += LANES) {
        const index_t count = std::min<index_t>(LANES, size.channels - c);
        v step[CHUNK], in[CHUNK], out[CHUNK];
        gather(delta, r, t, c, steps, count, step);
        gather(u, r, t, c, steps, count, in);
        const v past = D.at ? load(D.at + c) : v{};
        for (index_t s = 0; s < steps; s++) {
          out[s] = D.at ? past * in[s] : v{};
          in[s] *= step[s];
        }
        if (rates_tame && tame(step, steps)) advance_all<true>(size.states, steps, size.padded, step, in, A.at + c, inward.at, outward.at, h + c, out);
        else advance_all<false>(size.states, steps, size.padded, step, in, A.at + c, inward.at, outward.at, h + c, out);
        scatter(out, y, r, t, c, steps, count);
      }
    }
  }
  return 0;
}

// What the backward pass of a chunk reads and sums, one vector of channels wide.
struct Back {
  index_t steps, padded;
  v delta[CHUNK], u[CHUNK], weighted[CHUNK], dy[CHUNK];
  v through_B[CHUNK], through_A[CHUNK];  // sums over the states
};

// As `advance`, and back; `h` holds the states at the chunk's start, `g` the gradient of those at its end, then start.
template <bool TAME, int W>
INLINE void retreat(Back& k, const REAL* A, const REAL* B, const REAL* C, const REAL* h, REAL* g, REAL* dA, v* dB, v* dC) {
  v rate[W], grad[W], rates_grad[W], states[CHUNK + 1][W], decays[CHUNK][W];
  for (int w = 0; w < W; w++) {
    rate[w] = load(A + w * k.padded), states[0][w] = h ? load(h + w * k.padded) : v{};
    grad[w] = load(g + w * k.padded), rates_grad[w] = load(dA + w * k.padded);
  }
  for (index_t s = 0; s < k.steps; s++)
    for (int w = 0; w < W; w++) {
      decays[s][w] = power<TAME>(k.delta[s] * rate[w]);
      states[s + 1][w] = decays[s][w] * states[s][w] + k.weighted[s] * B[w * CHUNK + s];
    }
  for (index_t s = k.steps - 1; s >= 0; s--) {
    v through_B = k.through_B[s], through_A = k.through_A[s];
    for (int w = 0; w < W; w++) {
      v now = grad[w] + k.dy[s] * C[w * CHUNK + s];
      dC[w * CHUNK + s] += k.dy[s] * states[s + 1][w];
      dB[w * CHUNK + s] += now * k.weighted[s];
      through_B += now * B[w * CHUNK + s];
      grad[w] = now * decays[s][w];
      v exponent = grad[w] * states[s][w];
      through_A += exponent * rate[w];
      rates_grad[w] += exponent * k.delta[s];
    }
    k.through_B[s] = through_B, k.through_A[s] = through_A;
  }
  for (int w = 0; w < W; w++) store(g + w * k.padded, grad[w]), store(dA + w * k.padded, rates_grad[w]);
}

template <bool TAME>
static void retreat_all(index_t states, Back& k, const REAL* A, const REAL* B, const REAL* C, const REAL* h, REAL* g, REAL* dA, v* dB, v* dC) {
  constexpr int W = 2;
  index_t n = 0, apart = k.padded;
  for (; n + W <= states; n += W) retreat<TAME, W>(k, A + n * apart, B + n * CHUNK, C + n * CHUNK, h ? h + n * apart : h, g + n * apart, dA + n * apart, dB + n * CHUNK, dC + n * CHUNK);
  for (; n < states; n++) retreat<TAME, 1>(k, A + n * apart, B + n * CHUNK, C + n * CHUNK, h ? h + n * apart : h, g + n * apart, dA + n * apart, dB + n * CHUNK, dC + n * CHUNK);
}

// views: u, delta, A, B, C, D, initial, borders as above, dy [row step channel], then du, ddelta [row step channel],
// dA [thread state+1 channel] with D's gradient in the last row, dB, dC [row step state], and g [row state channel], the
// final state's gradient on the way in, the initial state's on the way out. dA comes zeroed.
extern "C" int selective_backward(const View* views, const Sizes* sizes, index_t thread, index_t from, index_t to) {
  const View u = views[0], delta = views[1], A = views[2], B = views[3], C = views[4], D = views[5], initial = views[6];
  const View borders = views[7], dy = views[8], du = views[9], ddelta = views[10], dA = views[11], dB = views[12];
  const View dC = views[13], g = views[14];
  const Sizes size = *sizes;
  const index_t all_states = size.states * size.padded;
  Scratch inward(size.states * CHUNK), outward(size.states * CHUNK), sums(2 * size.states * CHUNK * LANES);
  if (!inward.at || !outward.at || !sums.at) return 1;
  v *sum_B = (v*)sums.at, *sum_C = sum_B + size.states * CHUNK;
  const bool rates_tame = all_tame(A.at, all_states);
  REAL *rates_grad = dA(thread), *past_grad = dA(thread, size.states);
  Back k;
  k.padded = size.padded;
  for (index_t r = from; r < to; r++)
    for (index_t t = (size.steps - 1) / CHUNK * CHUNK; t >= 0; t -= CHUNK) {
      k.steps = std::min<index_t>(CHUNK, size.steps - t);
      const REAL* h = t ? borders(r, (t / CHUNK - 1) * size.states) : initial.at ? initial(r) : nullptr;
      turn(B, r, t, k.steps, size.states, inward.at);
      turn(C, r, t, k.steps, size.states, outward.at);
      memset(sums.at, 0, 2 * size.states * CHUNK * sizeof(v));
      for (index_t c = 0; c < size.channels; c += LANES) {
        const index_t count = std::min<index_t>(LANES, size.channels - c);
        gather(delta, r, t, c, k.steps, count, k.delta);
        gather(u, r, t, c, k.steps, count, k.u);
        gather(dy, r, t, c, k.steps, count, k.dy);
        for (index_t s = 0; s < k.steps; s++) {
          k.weighted[s] = k.delta[s] * k.u[s];
          k.through_A[s] = k.through_B[s] = v{};
        }
        const REAL* start = h ? h + c : h;
        if (rates_tame && tame(k.delta, k.steps)) retreat_all<true>(size.states, k, A.at + c, inward.at, outward.at, start, g(r) + c, rates_grad + c, sum_B, sum_C);
        else retreat_all<false>(size.states, k, A.at + c, inward.at, outward.at, start, g(r) + c, rates_grad + c, sum_B, sum_C);
        v in[CHUNK], step[CHUNK], past = D.at ? load(D.at + c) : v{}, sum = load(past_grad + c);
        for (index_t s = 0; s < k.steps; s++) {
          in[s] = k.through_B[s] * k.delta[s];
          if (D.at) in[s] += k.dy[s] * past, sum += k.dy[s] * k.u[s];
          step[s] = k.through_B[s] * k.u[s] + k.through_A[s] * LN2;
        }
        store(past_grad + c, sum);
        scatter(in, du, r, t, c, k.steps, count);
        scatter(step, ddelta, r, t, c, k.steps, count);
      }
      for (index_t s = 0; s < k.steps; s++)
        for (index_t n = 0; n < size.states; n++) {
          *dB(r, t + s, n) = total(sum_B[n * CHUNK + s]);
          *dC(r, t + s, n) = total(sum_C[n * CHUNK + s]);
        }
    }
  return 0;
}
