// What every generated kernel stands on: vectors of REAL as wide as the processor's, their elementary functions, and
// a matrix product whose tiles stay in registers. The including source defines REAL as float or double.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>

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
#define TILE_ROWS 6

typedef REAL v __attribute__((vector_size(BYTES)));
typedef REAL unaligned_v __attribute__((vector_size(BYTES), aligned(sizeof(REAL))));
constexpr int LANES = BYTES / sizeof(REAL);
typedef long index_t;

#define INLINE static inline __attribute__((always_inline))
INLINE v load(const REAL* p) { return *(const unaligned_v*)p; }
INLINE void store(REAL* p, v x) { *(unaligned_v*)p = x; }
INLINE v all(REAL a) { return a - v{}; }

// ---- threads: each takes the next piece of a call until none is left; the arguments of all pieces lie end to end ----
struct Team {
  int (*run)(const index_t*);
  index_t next, count, width, failed, arguments[];
};
extern "C" void team(Team* shared) {
  for (index_t k; (k = __atomic_fetch_add(&shared->next, 1, __ATOMIC_RELAXED)) < shared->count;)
    if (shared->run(shared->arguments + k * shared->width)) __atomic_store_n(&shared->failed, 1, __ATOMIC_RELAXED);
}

// ---- elementary functions; NaN and infinities come out as in the C library ----
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
// e^x where |x| <= 87.33 (2^126), which is enough for what saturates: the rounding is a sum that drops the fraction's bits.
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
#define EACH(name, call) \
  INLINE v name(v x) { v y; for (int i = 0; i < LANES; i++) y[i] = call(x[i]); return y; }
EACH(exp_, std::exp)
EACH(tanh_, std::tanh)
EACH(log_, std::log)
EACH(log1p_, std::log1p)
INLINE v sigmoid_(v x) { return (REAL)1 / ((REAL)1 + exp_(-x)); }
#endif

#define BY_LANE(name, call) \
  INLINE v name(v x) { v y; for (int i = 0; i < LANES; i++) y[i] = call(x[i]); return y; }
BY_LANE(expm1_, std::expm1)
BY_LANE(sqrt_, std::sqrt)
BY_LANE(sin_, std::sin)
BY_LANE(cos_, std::cos)
BY_LANE(erf_, std::erf)
INLINE v abs_(v x) { return x < (REAL)0 ? -x : x + (REAL)0; }
INLINE v maximum_(v a, v b) { return a != a ? a : (b != b ? b : (a > b ? a : b)); }
INLINE v minimum_(v a, v b) { return a != a ? a : (b != b ? b : (a < b ? a : b)); }
INLINE v sign_(v x) { return x > (REAL)0 ? all(1) : (x < (REAL)0 ? all(-1) : x * (REAL)0); }

// ---- products: C[m n] = start + A1[m k1] B1 + A2[m k2] B2, or C += ... where start is null ----
// B is packed in panels of TILE_COLUMNS vectors, the k1 rows of B1 above the k2 rows of B2; C's tile stays in registers.
struct Factor {  // an A of `blocks` stretches of k columns, `jump` apart
  const REAL* A;
  index_t row, k, blocks = 1, jump = 0;
};

template <int M, int N>
INLINE void accumulate(v (&sum)[M][N], const Factor& factor, const REAL*& B) {
  for (index_t block = 0; block < factor.blocks; block++) {
    const REAL* A = factor.A + block * factor.jump;
    for (index_t k = 0; k < factor.k; k++, B += N * LANES) {
      v b[N];
      for (int j = 0; j < N; j++) b[j] = load(B + j * LANES);
      for (int i = 0; i < M; i++) {
        v a = all(A[i * factor.row + k]);
        for (int j = 0; j < N; j++) sum[i][j] += a * b[j];
      }
    }
  }
}

template <int M, int N>
INLINE void tile(Factor one, Factor two, const REAL* B, const REAL* start, REAL* C, index_t c_row) {
  v sum[M][N];
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) sum[i][j] = load((start ? start : C + i * c_row) + j * LANES);
  accumulate(sum, one, B);
  accumulate(sum, two, B);
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) store(C + i * c_row + j * LANES, sum[i][j]);
}

template <int N>
INLINE void rows(index_t m, Factor one, Factor two, const REAL* B, const REAL* start, REAL* C, index_t c_row) {
  index_t tiles = (m + TILE_ROWS - 1) / TILE_ROWS;
  for (index_t t = 0, i = 0; t < tiles; t++) {
    index_t next = m * (t + 1) / tiles;  // tiles of nearly equal height
    Factor x = one, y = two;
    x.A += i * one.row;
    y.A += i * two.row;
    REAL* c = C + i * c_row;
    switch (next - i) {
      case 6: tile<6, N>(x, y, B, start, c, c_row); break;
      case 5: tile<5, N>(x, y, B, start, c, c_row); break;
      case 4: tile<4, N>(x, y, B, start, c, c_row); break;
      case 3: tile<3, N>(x, y, B, start, c, c_row); break;
      case 2: tile<2, N>(x, y, B, start, c, c_row); break;
      default: tile<1, N>(x, y, B, start, c, c_row);
    }
    i = next;
  }
}

// n is a multiple of LANES.
static void multiply(index_t m, index_t n, Factor one, Factor two, const REAL* B, const REAL* start, REAL* C, index_t c_row) {
  for (index_t j = 0; j < n;) {
    index_t vectors = (n - j) / LANES;
    const REAL* from = start ? start + j : nullptr;
    if (vectors >= TILE_COLUMNS) { rows<TILE_COLUMNS>(m, one, two, B, from, C + j, c_row); vectors = TILE_COLUMNS; }
#if TILE_COLUMNS == 4
    else if (vectors == 3) rows<3>(m, one, two, B, from, C + j, c_row);
    else if (vectors == 2) rows<2>(m, one, two, B, from, C + j, c_row);
#endif
    else { rows<1>(m, one, two, B, from, C + j, c_row); vectors = 1; }
    B += (one.k * one.blocks + two.k * two.blocks) * vectors * LANES;
    j += vectors * LANES;
  }
}

// B[k n] with rows b_row apart -> panels.
static void pack(index_t k, index_t n, const REAL* B, index_t b_row, REAL* out) {
  for (index_t j = 0; j < n;) {
    index_t vectors = (n - j) / LANES;
    if (vectors > TILE_COLUMNS) vectors = TILE_COLUMNS;
#if TILE_COLUMNS == 2
    if (vectors < 2) vectors = 1;
#endif
    for (index_t i = 0; i < k; i++, out += vectors * LANES) memcpy(out, B + i * b_row + j, vectors * LANES * sizeof(REAL));
    j += vectors * LANES;
  }
}

// C[m n] += A^T B over two nested sums (steps, then rows): weight gradients.
template <int M, int N>
INLINE void outer_tile(index_t steps, index_t count, const REAL* A, index_t a_step, index_t a_row, const REAL* B, index_t b_step, index_t b_row, REAL* C, index_t c_row) {
  v sum[M][N];
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) sum[i][j] = load(C + i * c_row + j * LANES);
  for (index_t s = 0; s < steps; s++)
    for (index_t r = 0; r < count; r++) {
      const REAL *a = A + s * a_step + r * a_row, *b = B + s * b_step + r * b_row;
      v bj[N];
      for (int j = 0; j < N; j++) bj[j] = load(b + j * LANES);
      for (int i = 0; i < M; i++) {
        v ai = all(a[i]);
        for (int j = 0; j < N; j++) sum[i][j] += ai * bj[j];
      }
    }
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) store(C + i * c_row + j * LANES, sum[i][j]);
}

template <int N>
INLINE void outer_rows(index_t m, index_t steps, index_t count, const REAL* A, index_t a_step, index_t a_row, const REAL* B, index_t b_step, index_t b_row, REAL* C, index_t c_row) {
  index_t i = 0;
  for (; i + TILE_ROWS <= m; i += TILE_ROWS) outer_tile<TILE_ROWS, N>(steps, count, A + i, a_step, a_row, B, b_step, b_row, C + i * c_row, c_row);
  for (; i + 2 <= m; i += 2) outer_tile<2, N>(steps, count, A + i, a_step, a_row, B, b_step, b_row, C + i * c_row, c_row);
  for (; i < m; i++) outer_tile<1, N>(steps, count, A + i, a_step, a_row, B, b_step, b_row, C + i * c_row, c_row);
}

static void outer(index_t m, index_t n, index_t steps, index_t count, const REAL* A, index_t a_step, index_t a_row, const REAL* B, index_t b_step, index_t b_row, REAL* C, index_t c_row) {
  index_t j = 0;
  for (; j + TILE_COLUMNS * LANES <= n; j += TILE_COLUMNS * LANES) outer_rows<TILE_COLUMNS>(m, steps, count, A, a_step, a_row, B + j, b_step, b_row, C + j, c_row);
  for (; j < n; j += LANES) outer_rows<1>(m, steps, count, A, a_step, a_row, B + j, b_step, b_row, C + j, c_row);
}
