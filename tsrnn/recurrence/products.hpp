// Matrix products whose tiles stay in registers: C[m n] = start + A1[m k1] B1 + A2[m k2] B2, or C += ... where start is
// null. B is packed in panels of TILE_COLUMNS vectors, the k1 rows of B1 above the k2 rows of B2.
#pragma once
#include <cstring>

#include "vectors.hpp"

#define TILE_ROWS 6

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
[[maybe_unused]] static void multiply(
    index_t m, index_t n, Factor one, Factor two, const REAL* B, const REAL* start, REAL* C, index_t c_row) {
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
[[maybe_unused]] static void pack(index_t k, index_t n, const REAL* B, index_t b_row, REAL* out) {
  for (index_t j = 0; j < n;) {
    index_t vectors = (n - j) / LANES;
    if (vectors > TILE_COLUMNS) vectors = TILE_COLUMNS;
#if TILE_COLUMNS == 2
    if (vectors < 2) vectors = 1;
#endif
    for (index_t i = 0; i < k; i++, out += vectors * LANES)
      memcpy(out, B + i * b_row + j, vectors * LANES * sizeof(REAL));
    j += vectors * LANES;
  }
}

// C[m n] += A^T B over two nested sums (steps, then rows): weight gradients.
struct Nested {
  const REAL* at;
  index_t step, row;
  Nested from(index_t column) const { return {at + column, step, row}; }
};

template <int M, int N>
INLINE void outer_tile(index_t steps, index_t count, Nested A, Nested B, REAL* C, index_t c_row) {
  v sum[M][N];
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) sum[i][j] = load(C + i * c_row + j * LANES);
  for (index_t s = 0; s < steps; s++)
    for (index_t r = 0; r < count; r++) {
      const REAL *a = A.at + s * A.step + r * A.row, *b = B.at + s * B.step + r * B.row;
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
INLINE void outer_rows(index_t m, index_t steps, index_t count, Nested A, Nested B, REAL* C, index_t c_row) {
  index_t i = 0;
  for (; i + TILE_ROWS <= m; i += TILE_ROWS) outer_tile<TILE_ROWS, N>(steps, count, A.from(i), B, C + i * c_row, c_row);
  for (; i + 2 <= m; i += 2) outer_tile<2, N>(steps, count, A.from(i), B, C + i * c_row, c_row);
  for (; i < m; i++) outer_tile<1, N>(steps, count, A.from(i), B, C + i * c_row, c_row);
}

[[maybe_unused]] static void outer(
    index_t m, index_t n, index_t steps, index_t count, Nested A, Nested B, REAL* C, index_t c_row) {
  index_t j = 0;
  for (; j + TILE_COLUMNS * LANES <= n; j += TILE_COLUMNS * LANES)
    outer_rows<TILE_COLUMNS>(m, steps, count, A, B.from(j), C + j, c_row);
  for (; j < n; j += LANES) outer_rows<1>(m, steps, count, A, B.from(j), C + j, c_row);
}
