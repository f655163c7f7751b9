// The linear and the selective scan, forward and backward; stands on kernel.hpp. A call does the rows from..to-1, so that
// threads can share a batch, and returns 1 where there is no memory.
//
// The states [row step channel state] are never laid out: a chunk of CHUNK steps of one vector of channels is worked
// through state by state, so that all of it stays in registers and the nearest cache. The forward pass keeps the states
// at the chunks' borders; the backward pass recomputes what lies between, with the same arithmetic, hence the same bits.
// Decays are powers of two, 2^(delta A log2 e); they may underflow to zero, and nothing divides by one.
#include <algorithm>
#include <type_traits>
#if defined(__AVX__)
#include <immintrin.h>
#endif

constexpr int CHUNK = 16;
#define ROLLED _Pragma("GCC unroll 1")  // a loop over steps written out in full fills the instruction cache
#ifndef BACK_W
#define BACK_W 4
#endif

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
typedef std::conditional_t<sizeof(REAL) == 4, uint32_t, uint64_t> bit_t;
typedef bit_t bits_t __attribute__((vector_size(BYTES)));

template <int WIDTH = LANES / 2>
INLINE REAL total(v x) {
  bits_t turned;
  for (int i = 0; i < LANES; i++) turned[i] = (i + WIDTH) % LANES;
  x += __builtin_shuffle(x, turned);
  if constexpr (WIDTH == 1) return x[0];
  else return total<WIDTH / 2>(x);
}

// The larger of x and a constant; x where x is NaN.
INLINE v at_least(v x, v least) {
#if defined(__AVX512F__)
  if constexpr (sizeof(REAL) == 4) return (v)_mm512_max_ps((__m512)least, (__m512)x);
  else return (v)_mm512_max_pd((__m512d)least, (__m512d)x);
#elif defined(__AVX__)
  if constexpr (sizeof(REAL) == 4) return (v)_mm256_max_ps((__m256)least, (__m256)x);
  else return (v)_mm256_max_pd((__m256d)least, (__m256d)x);
#else
  return x < least ? least : x;
#endif
}

#if SINGLE
constexpr int MANTISSA = 23;
constexpr REAL ROUND = 12582912, LEAST = -127, MOST = 128;  // 1.5 2^23: adding it rounds to whole numbers
constexpr REAL POWER[] = {1.5353361966e-4f, 1.3398874716e-3f, 9.6184373599e-3f, 5.5503324704e-2f, 2.4022647914e-1f,
                          6.9314720286e-1f, 1};  // 2^f for |f| <= 1/2, fitted: relative error 2e-9
#else
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
  v bounded = at_least(t, all(LEAST));  // whose power comes out as zero
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
    ROLLED for (index_t s = 0; s < steps; s++) to[s] = load(p + s * from.step);
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
    ROLLED for (index_t s = 0; s < steps; s++) store(p + s * to.step, from[s]);
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
  for (index_t r = to - 1; r >= from; r--) {  // what the forward pass touched last may still be in the cache
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
// Outside, A, D, states and their gradients are [state padded]: channels in whole vectors, filled up with zeros; A in
// powers of two. Inside, they are [vector state LANE], so that what is worked through together lies together.
static void to_blocks(const REAL* rows, const Sizes& size, REAL* blocks) {
  for (index_t c = 0; c < size.padded; c += LANES)
    for (index_t n = 0; n < size.states; n++, blocks += LANES) store(blocks, load(rows + n * size.padded + c));
}

static void to_rows(const REAL* blocks, const Sizes& size, REAL* rows) {
  for (index_t c = 0; c < size.padded; c += LANES)
    for (index_t n = 0; n < size.states; n++, blocks += LANES) store(rows + n * size.padded + c, load(blocks));
}

static bool all_tame(const REAL* A, index_t count) {
  v wrong{};
  for (index_t i = 0; i < count; i += LANES) {
    v x = load(A + i);
    wrong += (x <= (REAL)0) & (x > -std::numeric_limits<REAL>::infinity()) ? v{} : all(1);
  }
  return total(wrong) == 0;
}

INLINE bool tame(const v* delta, index_t steps) {
  v wrong{};
  ROLLED for (index_t s = 0; s < steps; s++)
    wrong += (delta[s] >= (REAL)0) & (delta[s] < std::numeric_limits<REAL>::infinity()) ? v{} : all(1);
  return total(wrong) == 0;
}

// W states of one vector of channels through a chunk. A, h: [state LANE]; B, C: [state CHUNK].
template <bool TAME, int W>
INLINE void advance(index_t steps, const v* delta, const v* weighted, const REAL* A, const REAL* B, const REAL* C, REAL* h, v* y) {
  v rate[W], state[W];
  for (int w = 0; w < W; w++) rate[w] = load(A + w * LANES), state[w] = load(h + w * LANES);
  ROLLED for (index_t s = 0; s < steps; s++) {
    v sum = y[s];
    for (int w = 0; w < W; w++) {
      state[w] = power<TAME>(delta[s] * rate[w]) * state[w] + weighted[s] * B[w * CHUNK + s];
      sum += state[w] * C[w * CHUNK + s];
    }
    y[s] = sum;
  }
  for (int w = 0; w < W; w++) store(h + w * LANES, state[w]);
}

template <bool TAME>
static void advance_all(index_t states, index_t steps, const v* delta, const v* weighted, const REAL* A, const REAL* B, const REAL* C, REAL* h, v* y) {
  constexpr int W = 4;
  index_t n = 0;
  for (; n + W <= states; n += W) advance<TAME, W>(steps, delta, weighted, A + n * LANES, B + n * CHUNK, C + n * CHUNK, h + n * LANES, y);
  for (; n < states; n++) advance<TAME, 1>(steps, delta, weighted, A + n * LANES, B + n * CHUNK, C + n * CHUNK, h + n * LANES, y);
}

// views: u, delta [row step channel], A [1 state padded], B, C [row step state], D [1 1 padded], initial [row state
// padded], y [row step channel], final [row state padded], borders [row chunk-1 state*padded]; D, initial, borders may
// be missing.
extern "C" int selective_forward(const View* views, const Sizes* sizes, index_t, index_t from, index_t to) {
  const View u = views[0], delta = views[1], A = views[2], B = views[3], C = views[4], D = views[5], initial = views[6];
  const View y = views[7], final = views[8], borders = views[9];
  const Sizes size = *sizes;
  const index_t all_states = size.states * size.padded;
  Scratch inward(size.states * CHUNK), outward(size.states * CHUNK), rates(all_states), running(all_states);
  if (!inward.at || !outward.at || !rates.at || !running.at) return 1;
  REAL* h = running.at;
  to_blocks(A.at, size, rates.at);
  const bool rates_tame = all_tame(rates.at, all_states);
  for (index_t r = from; r < to; r++) {
    if (initial.at) to_blocks(initial(r), size, h);
    else memset(h, 0, all_states * sizeof(REAL));
    for (index_t t = 0; t < size.steps; t += CHUNK) {
      const index_t steps = std::min<index_t>(CHUNK, size.steps - t);
      if (t && borders.at) memcpy(borders(r, t / CHUNK - 1), h, all_states * sizeof(REAL));
      turn(B, r, t, steps, size.states, inward.at);
      turn(C, r, t, steps, size.states, outward.at);
      for (index_t c = 0; c < size.channels; c += LANES) {
        const index_t count = std::min<index_t>(LANES, size.channels - c);
        v step[CHUNK], in[CHUNK], out[CHUNK];
        gather(delta, r, t, c, steps, count, step);
        gather(u, r, t, c, steps, count, in);
        const v past = D.at ? load(D.at + c) : v{};
        ROLLED for (index_t s = 0; s < steps; s++) {
          out[s] = D.at ? past * in[s] : v{};
          in[s] *= step[s];
        }
        auto run = rates_tame && tame(step, steps) ? advance_all<true> : advance_all<false>;
        run(size.states, steps, step, in, rates.at + c * size.states, inward.at, outward.at, h + c * size.states, out);
        scatter(out, y, r, t, c, steps, count);
      }
    }
    to_rows(h, size, final(r));
  }
  return 0;
}

// What the backward pass of a chunk reads and sums, one vector of channels wide.
struct Back {
  index_t steps;
  v delta[CHUNK], u[CHUNK], weighted[CHUNK], dy[CHUNK];
  v through_B[CHUNK], through_A[CHUNK];  // sums over the states
};

// As `advance`, and back; `h` holds the states at the chunk's start, `g` the gradient of those at its end, then start.
template <bool TAME, int W>
INLINE void retreat(Back& k, const REAL* A, const REAL* B, const REAL* C, const REAL* h, REAL* g, REAL* dA, v* dB, v* dC) {
  v rate[W], grad[W], rates_grad[W], state[W], states[CHUNK + 1][W], decays[CHUNK][W];
  for (int w = 0; w < W; w++) {
    rate[w] = load(A + w * LANES), grad[w] = load(g + w * LANES), rates_grad[w] = load(dA + w * LANES);
    states[0][w] = state[w] = load(h + w * LANES);
  }
  ROLLED for (index_t s = 0; s < k.steps; s++)
    for (int w = 0; w < W; w++) {
      v decay = power<TAME>(k.delta[s] * rate[w]);
      decays[s][w] = decay;
      states[s + 1][w] = state[w] = decay * state[w] + k.weighted[s] * B[w * CHUNK + s];
    }
  ROLLED for (index_t s = k.steps - 1; s >= 0; s--) {
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
  for (int w = 0; w < W; w++) store(g + w * LANES, grad[w]), store(dA + w * LANES, rates_grad[w]);
}

template <bool TAME>
static void retreat_all(index_t states, Back& k, const REAL* A, const REAL* B, const REAL* C, const REAL* h, REAL* g, REAL* dA, v* dB, v* dC) {
  constexpr int W = BACK_W;
  index_t n = 0;
  for (; n + W <= states; n += W) retreat<TAME, W>(k, A + n * LANES, B + n * CHUNK, C + n * CHUNK, h + n * LANES, g + n * LANES, dA + n * LANES, dB + n * CHUNK, dC + n * CHUNK);
  for (; n < states; n++) retreat<TAME, 1>(k, A + n * LANES, B + n * CHUNK, C + n * CHUNK, h + n * LANES, g + n * LANES, dA + n * LANES, dB + n * CHUNK, dC + n * CHUNK);
}

// views: u, delta, A, B, C, D, initial, borders as above, dy [row step channel], then du, ddelta [row step channel],
// dA [thread state+1 padded] with D's gradient in the last row, dB, dC [row step state], the final state's gradient and
// the initial state's [row state padded], each of which may be missing.
extern "C" int selective_backward(const View* views, const Sizes* sizes, index_t thread, index_t from, index_t to) {
  const View u = views[0], delta = views[1], A = views[2], B = views[3], C = views[4], D = views[5], initial = views[6];
  const View borders = views[7], dy = views[8], du = views[9], ddelta = views[10], dA = views[11], dB = views[12];
  const View dC = views[13], dfinal = views[14], dinitial = views[15];
  const Sizes size = *sizes;
  const index_t all_states = size.states * size.padded, cells = size.states * CHUNK;
  Scratch inward(cells), outward(cells), sums(2 * cells * LANES), rates(all_states), rates_grad(all_states);
  Scratch first(all_states), carried(all_states), past_grad(size.padded);
  for (const Scratch* each : {&inward, &outward, &sums, &rates, &rates_grad, &first, &carried, &past_grad})
    if (!each->at) return 1;
  v *sum_B = (v*)sums.at, *sum_C = sum_B + cells;
  REAL* g = carried.at;
  to_blocks(A.at, size, rates.at);
  const bool rates_tame = all_tame(rates.at, all_states);
  Back k;
  for (index_t r = from; r < to; r++) {
    if (initial.at) to_blocks(initial(r), size, first.at);
    if (dfinal.at) to_blocks(dfinal(r), size, g);
    else memset(g, 0, all_states * sizeof(REAL));
    for (index_t t = (size.steps - 1) / CHUNK * CHUNK; t >= 0; t -= CHUNK) {
      k.steps = std::min<index_t>(CHUNK, size.steps - t);
      const REAL* h = t ? borders(r, t / CHUNK - 1) : first.at;
      turn(B, r, t, k.steps, size.states, inward.at);
      turn(C, r, t, k.steps, size.states, outward.at);
      memset(sums.at, 0, 2 * cells * sizeof(v));
      for (index_t c = 0; c < size.channels; c += LANES) {
        const index_t count = std::min<index_t>(LANES, size.channels - c), block = c * size.states;
        gather(delta, r, t, c, k.steps, count, k.delta);
        gather(u, r, t, c, k.steps, count, k.u);
        gather(dy, r, t, c, k.steps, count, k.dy);
        ROLLED for (index_t s = 0; s < k.steps; s++) {
          k.weighted[s] = k.delta[s] * k.u[s];
          k.through_A[s] = k.through_B[s] = v{};
        }
        auto run = rates_tame && tame(k.delta, k.steps) ? retreat_all<true> : retreat_all<false>;
        run(size.states, k, rates.at + block, inward.at, outward.at, h + block, g + block, rates_grad.at + block, sum_B, sum_C);
        v in[CHUNK], step[CHUNK], past = D.at ? load(D.at + c) : v{}, sum = load(past_grad.at + c);
        ROLLED for (index_t s = 0; s < k.steps; s++) {
          in[s] = k.through_B[s] * k.delta[s];
          if (D.at) in[s] += k.dy[s] * past, sum += k.dy[s] * k.u[s];
          step[s] = k.through_B[s] * k.u[s] + k.through_A[s] * LN2;
        }
        store(past_grad.at + c, sum);
        scatter(in, du, r, t, c, k.steps, count);
        scatter(step, ddelta, r, t, c, k.steps, count);
      }
      for (index_t s = 0; s < k.steps; s++)
        for (index_t n = 0; n < size.states; n++) {
          *dB(r, t + s, n) = total(sum_B[n * CHUNK + s]);
          *dC(r, t + s, n) = total(sum_C[n * CHUNK + s]);
        }
    }
    if (dinitial.at) to_rows(g, size, dinitial(r));
  }
  to_rows(rates_grad.at, size, dA(thread));
  memcpy(dA(thread, size.states), past_grad.at, size.padded * sizeof(REAL));
  return 0;
}
