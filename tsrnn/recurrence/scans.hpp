// What the scans share, and the linear scan. A call does the rows from..to-1, so that threads can share a batch, and
// returns 1 where there is no memory.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <type_traits>
#if defined(__AVX__)
#include <immintrin.h>
#endif

#include "team.hpp"
#include "vectors.hpp"

constexpr int CHUNK = 16;
#define ROLLED _Pragma("GCC unroll 1")  // a loop over steps written out in full fills the instruction cache

// A tensor [row step lane] anywhere in memory; strides in numbers. A null pointer: there is none.
struct View {
  REAL* at;
  index_t row, step, lane;
  REAL* operator()(index_t r, index_t t = 0, index_t c = 0) const { return at + r * row + t * step + c * lane; }
};

// What an exported function is given: tensors as V, View or Grid, and the sizes S of the call; as in structs.py.
template <class V, class S>
struct Part {
  const V* views;
  const S* sizes;
  index_t thread, from, to;
};

struct ScanSizes {
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
  v turned;
  for (int i = 0; i < LANES; i++) turned[i] = x[(i + WIDTH) % LANES];
  x += turned;
  if constexpr (WIDTH == 1) return x[0];
  else return total<WIDTH / 2>(x);
}

// The larger of x and a constant; x where x is NaN.
INLINE v at_least(v x, v least) {
#if defined(__AVX512F__)
  // With a mask of ones, because GCC 12 warns of _mm512_max_ps in its own header.
  if constexpr (sizeof(REAL) == 4) return (v)_mm512_maskz_max_ps(-1, (__m512)least, (__m512)x);
  else return (v)_mm512_maskz_max_pd(-1, (__m512d)least, (__m512d)x);
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

// As `store`, past the cache, to a place that is whole vectors from zero; `fence` makes other threads see it.
#if defined(__AVX512F__)
INLINE void stream(REAL* p, v x) { _mm512_stream_si512((__m512i*)p, (__m512i)x); }
INLINE void fence() { _mm_sfence(); }
#elif defined(__AVX__)
INLINE void stream(REAL* p, v x) { _mm256_stream_si256((__m256i*)p, (__m256i)x); }
INLINE void fence() { _mm_sfence(); }
#else
INLINE void stream(REAL* p, v x) { store(p, x); }
INLINE void fence() {}
#endif
constexpr size_t STREAMED = 8 << 20;  // bytes from which a result is no longer in the cache when it is read

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
INLINE bool streamed(const View& x, const ScanSizes& size, index_t rows) {
  const bool whole = ((uintptr_t)x.at | (x.row | x.step) * sizeof(REAL)) % BYTES == 0;
  return whole && rows * size.steps * size.channels * sizeof(REAL) > STREAMED;
}

// One step; `before` is not `h` where that is streamed, but a place near by that is brought up to date.
template <bool STREAM>
static void linear_step(index_t columns, const REAL* a, const REAL* b, const REAL* before, REAL* h, REAL* near) {
  index_t c = 0;
  for (; c + LANES <= columns; c += LANES) {
    const v now = load(a + c) * load(before + c) + load(b + c);
    if (STREAM) stream(h + c, now), store(near + c, now);
    else store(h + c, now);
  }
  for (; c < columns; c++) {
    h[c] = a[c] * before[c] + b[c];
    if (STREAM) near[c] = h[c];
  }
}

// views: a, b, h [row step column], initial [row 1 column] or none
extern "C" int linear_forward(const void* given) {
  const auto& part = *static_cast<const Part<View, ScanSizes>*>(given);
  const View a = part.views[0], b = part.views[1], h = part.views[2], initial = part.views[3];
  const index_t steps = part.sizes->steps, columns = part.sizes->channels;
  Scratch zeros(columns), near(columns);
  if (!zeros.at || !near.at) return 1;
  const bool past = streamed(h, *part.sizes, part.to - part.from);
  auto step = past ? linear_step<true> : linear_step<false>;
  for (index_t r = part.from; r < part.to; r++)
    for (index_t t = 0; t < steps; t++) {
      const REAL* before = t ? (past ? near.at : h(r, t - 1)) : initial.at ? initial(r) : zeros.at;
      step(columns, a(r, t), b(r, t), before, h(r, t), near.at);
    }
  fence();
  return 0;
}

// One step back over the columns; g carries the gradient. Last column first: with the steps backwards as well, what lies
// in memory is read in one stream, which the processor sees coming.
template <bool STREAM>
static void linear_back(
    index_t columns, const REAL* a, const REAL* before, const REAL* gain, REAL* g, REAL* da, REAL* db) {
  index_t c = columns;
  for (; c % LANES; c--) {
    REAL now = g[c - 1] + gain[c - 1];
    db[c - 1] = now;
    da[c - 1] = now * before[c - 1];
    g[c - 1] = now * a[c - 1];
  }
  for (; c; c -= LANES) {
    const index_t at = c - LANES;
    const v now = load(g + at) + load(gain + at), past = now * load(before + at);
    if (STREAM) stream(db + at, now), stream(da + at, past);
    else store(db + at, now), store(da + at, past);
    store(g + at, now * load(a + at));
  }
}

// views: a, h, dh, da, db [row step column], initial, dinitial [row 1 column]; either may be missing
extern "C" int linear_backward(const void* given) {
  const auto& part = *static_cast<const Part<View, ScanSizes>*>(given);
  const View* views = part.views;
  const View a = views[0], h = views[1], dh = views[2], da = views[3], db = views[4];
  const View initial = views[5], first = views[6];
  const index_t steps = part.sizes->steps, columns = part.sizes->channels;
  Scratch zeros(columns), carried(columns);
  if (!zeros.at || !carried.at) return 1;
  REAL* g = carried.at;
  const index_t rows = part.to - part.from;
  const bool past = streamed(da, *part.sizes, rows) && streamed(db, *part.sizes, rows);
  auto step = past ? linear_back<true> : linear_back<false>;
  for (index_t r = part.to - 1; r >= part.from; r--) {
    memset(g, 0, columns * sizeof(REAL));
    for (index_t t = steps - 1; t >= 0; t--)
      step(columns, a(r, t), t ? h(r, t - 1) : initial.at ? initial(r) : zeros.at, dh(r, t), g, da(r, t), db(r, t));
    if (first.at) memcpy(first(r), g, columns * sizeof(REAL));
  }
  fence();
  return 0;
}
