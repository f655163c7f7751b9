// Vectors of REAL as wide as the processor's, and their elementary functions. REAL is float where SINGLE is 1, else
// double.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>

#ifndef SINGLE
#define SINGLE 1
#endif
#if SINGLE
typedef float REAL;
#else
typedef double REAL;
#endif

// TILE_COLUMNS: vectors side by side of which TILE_ROWS or more rows stay in the registers.
#if defined(__AVX512F__)
#define BYTES 64
#define TILE_COLUMNS 4
#elif defined(__AVX__)
#define BYTES 32
#define TILE_COLUMNS 2
#else
#define BYTES 16
#define TILE_COLUMNS 2
#endif

typedef REAL v __attribute__((vector_size(BYTES)));
typedef REAL unaligned_v __attribute__((vector_size(BYTES), aligned(sizeof(REAL))));
constexpr int LANES = BYTES / sizeof(REAL);
typedef int64_t index_t;

#define INLINE static inline __attribute__((always_inline))
INLINE v load(const REAL* p) { return *(const unaligned_v*)p; }
INLINE void store(REAL* p, v x) { *(unaligned_v*)p = x; }
INLINE v all(REAL a) { return a - v{}; }

// ---- elementary functions; NaN and infinities come out as in the C library ----
#define BY_LANE(name, call) \
  INLINE v name(v x) { v y{}; for (int i = 0; i < LANES; i++) y[i] = call(x[i]); return y; }

#if SINGLE
typedef int32_t lanes_t __attribute__((vector_size(BYTES)));

// e^x = 2^n 2^f with |f| <= 1/2 and a polynomial for 2^f.
INLINE v exp_(v x) {
  v bounded = x > 88.72283f ? all(88.72283f) : x;
  bounded = bounded < -87.3f ? all(-87.3f) : bounded;
  v scaled = bounded * 1.44269504f;
  lanes_t n = __builtin_convertvector(scaled + (scaled < 0.f ? all(-0.5f) : all(0.5f)), lanes_t);
  v whole = __builtin_convertvector(n, v);
  v f = (bounded - whole * 0.693359375f) + whole * 2.12194440e-4f;  // in natural units, ln 2 split in two
  v p = f * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * f + 8.3334519073e-3f;
  p = p * f + 4.1665795894e-2f;
  p = p * f + 1.6666665459e-1f;
  p = p * f + 5.0000001201e-1f;
  p = p * f * f + f + 1.f;
  lanes_t half = n >> 1, rest = n - half;  // two factors: one alone overflows for n = 128
  p = p * (v)((half + 127) << 23) * (v)((rest + 127) << 23);
  p = x > 88.72283f ? all(std::numeric_limits<float>::infinity()) : p;
  p = x < -103.97208f ? v{} : p;
  return x != x ? x : p;
}
// e^x where |x| <= 87.33 (2^126), which is enough for what saturates: the rounding is a sum that drops the fraction's
// bits.
INLINE v exp_near(v x) {
  v bounded = x > 87.33f ? all(87.33f) : x;
  bounded = bounded < -87.33f ? all(-87.33f) : bounded;
  v shifted = bounded * 1.44269504f + 12582912.f;  // 1.5 * 2^23
  v whole = shifted - 12582912.f;
  v f = (bounded - whole * 0.693359375f) + whole * 2.12194440e-4f;
  v p = f * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * f + 8.3334519073e-3f;
  p = p * f + 4.1665795894e-2f;
  p = p * f + 1.6666665459e-1f;
  p = p * f + 5.0000001201e-1f;
  p = p * f * f + f + 1.f;
  return p * (v)(((lanes_t)shifted + 127) << 23);
}
INLINE v sigmoid_(v x) {
  v y = 1.f / (1.f + exp_near(-x));
  return x < -87.33f ? v{} : y;
}
// tanh: an odd polynomial near zero, where the difference of exponentials would cancel.
INLINE v tanh_(v x) {
  v z = x * x;
  v p = z * -5.70498872745e-3f + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  p = p * z * x + x;
  v e = 1.f - 2.f / (exp_near(2.f * x) + 1.f);
  return (x < 0.625f) & (x > -0.625f) ? p : e;
}
// log x = e ln 2 + log m with m in [sqrt(1/2), sqrt(2)): a polynomial in m - 1.
INLINE v log_(v x) {
  v tiny = x < 1.17549435e-38f ? x * 33554432.f : x + 0.f;  // subnormal numbers, brought up by 2^25
  lanes_t bits = (lanes_t)tiny;
  lanes_t shifted = bits - 0x3f3504f3;  // the bits of sqrt(1/2)
  v e = __builtin_convertvector(shifted >> 23, v) - (x < 1.17549435e-38f ? all(25.f) : v{});
  v z = (v)((shifted & 0x007fffff) + 0x3f3504f3) - 1.f;
  v p = z * 7.0376836292e-2f - 1.1514610310e-1f;
  p = p * z + 1.1676998740e-1f;
  p = p * z - 1.2420140846e-1f;
  p = p * z + 1.4249322787e-1f;
  p = p * z - 1.6668057665e-1f;
  p = p * z + 2.0000714765e-1f;
  p = p * z - 2.4999993993e-1f;
  p = p * z + 3.3333331174e-1f;
  v square = z * z;
  v y = square * z * p - e * 2.12194440e-4f - 0.5f * square;
  y = (z + y) + e * 0.693359375f;
  y = x == 0.f ? all(-std::numeric_limits<float>::infinity()) : y;
  y = x < 0.f ? all(std::numeric_limits<float>::quiet_NaN()) : y;
  return (x == std::numeric_limits<float>::infinity()) | (x != x) ? x : y;
}
// log(1 + x), with the rounding of 1 + x made good.
INLINE v log1p_(v x) {
  v u = x + 1.f;
  v y = log_(u) * (x / (u - 1.f));
  y = u == 1.f ? x : y;
  return (u == std::numeric_limits<float>::infinity()) | (u == 0.f) ? log_(u) : y;
}
#else
BY_LANE(exp_, std::exp)
BY_LANE(tanh_, std::tanh)
BY_LANE(log_, std::log)
BY_LANE(log1p_, std::log1p)
INLINE v sigmoid_(v x) { return (REAL)1 / ((REAL)1 + exp_(-x)); }
#endif

BY_LANE(expm1_, std::expm1)
BY_LANE(sqrt_, std::sqrt)
BY_LANE(sin_, std::sin)
BY_LANE(cos_, std::cos)
BY_LANE(erf_, std::erf)
INLINE v abs_(v x) { return x < (REAL)0 ? -x : x + (REAL)0; }
INLINE v maximum_(v a, v b) { return a != a ? a : (b != b ? b : (a > b ? a : b)); }
INLINE v minimum_(v a, v b) { return a != a ? a : (b != b ? b : (a < b ? a : b)); }
INLINE v sign_(v x) { return x > (REAL)0 ? all(1) : (x < (REAL)0 ? all(-1) : x * (REAL)0); }
