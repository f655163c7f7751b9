// One cell over time: what a call is given, weights laid out for its products, and the forward pass (cell_back.hpp has
// the other). E, the cell's equations as source.py prints them, holds
//
//   SLOTS   slots of pre-activations per row. First those that hold a sum of both products (SUMS), a recurrent product
//           alone (RECURRENT), an input's alone (INPUTS); then sums and recurrent products that act on what `gated`
//           makes (SECOND_SUMS, SECOND_RECURRENT)
//   SLOT_GATE, SLOT_ROW   where a slot's weights lie among the input's and the recurrent ones
//   STATES, PARAMETERS, TAPE   how many there are
//   forward, backward, gated, gated_back   equations of one vector of hidden units; the last two where a slot is second
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "products.hpp"
#include "team.hpp"
#include "vectors.hpp"

// T steps, B rows, I inputs, H hidden; Hp and Ip are H and I rounded up to whole vectors. A thread is given B of the
// batch's R rows, and pointers to the first of them. keep: a way back will follow; need_x: it makes the gradient of x.
struct CellSizes {  // as in structs.py, like the two below
  index_t T, B, R, I, H, Hp, Ip, x_row, x_step, keep, need_x;
};

// Rows are sorted by length, longest first; active[t] rows are still running at step t, all where it is null. Inputs
// and outputs are batch-major; states [t][state][row][Hp], tape [t][row][entry][Hp] and gated [t][row][Hp] time-major.
struct ForwardArguments {
  CellSizes sizes;
  const REAL *x, *Wx, *Wh, *bx, *bh;
  const REAL *const *own, *const *first;  // [H] per parameter; [row][H] per state, null for zeros
  REAL *states, *tape, *gated, *y;
  const int32_t* active;
};

struct BackwardArguments {
  CellSizes sizes;
  const REAL *x, *Wx, *Wh;
  const REAL *const *own, *const *final;  // as own and first above; final: cotangents of the last state
  const REAL *states, *tape, *gated, *dy;
  REAL *dfirst, *dx, *dWx, *dWh, *dbx, *dbh, *down;  // dfirst [state][row][Hp]
  const int32_t* active;
};

// What a row's equations read and write; slots, parameters and tape entries lie Hp apart, states `plane`.
struct Ahead {
  const REAL *row, *state, *parameters;
  REAL *following, *output, *tape;  // of `gated`, the output is what it makes
  index_t Hp, plane;
  bool keep;
};
struct Behind {
  const REAL *state, *parameters, *tape, *cotangent;
  REAL *delta, *carried, *own;  // own: gradients of the parameters, added up
  index_t Hp, plane;
};

template <class E>
struct Slots {  // where a cell's slots begin, and how many are of which kind
  static constexpr int FROM_H = E::SUMS + E::RECURRENT, FIRST = FROM_H + E::INPUTS;
  static constexpr int SECOND = E::SECOND_SUMS + E::SECOND_RECURRENT, FROM_X = E::SUMS + E::INPUTS + E::SECOND_SUMS;
  static constexpr int SECOND_ALONE = FIRST + E::SECOND_SUMS;
  static constexpr bool reads_x(int slot) { return slot < E::SUMS || (slot >= FROM_H && slot < SECOND_ALONE); }
  static constexpr bool recurs(int slot) { return slot < FROM_H || slot >= FIRST; }
};

[[maybe_unused]] static REAL* fresh(index_t count) {
  void* p = nullptr;
  return posix_memalign(&p, 64, (count + LANES) * sizeof(REAL)) ? nullptr : (REAL*)p;
}

// One vector [H], or zeros, made as long as whole vectors are.
[[maybe_unused]] static void copied(const CellSizes& n, const REAL* from, REAL* to) {
  if (from) memcpy(to, from, n.H * sizeof(REAL));
  index_t begin = from ? n.H : 0;
  memset(to + begin, 0, (n.Hp - begin) * sizeof(REAL));
}

// Vectors [H] of the states, row by row.
template <class E>
static void copied_states(const CellSizes& n, const REAL* const* from, REAL* to) {
  for (int k = 0; k < E::STATES; k++)
    for (index_t b = 0; b < n.B; b++) copied(n, from[k] ? from[k] + b * n.H : nullptr, to + (k * n.R + b) * n.Hp);
}

// The cell's own parameters, each [H], one above the other.
template <class E>
static REAL* widened(const CellSizes& n, const REAL* const* own, REAL* out) {
  for (int k = 0; k < E::PARAMETERS; k++) copied(n, own[k], out + k * n.Hp);
  return out;
}

// Panels of the products' columns, slots [first, first + count): kx rows of Wx above kh rows of Wh, either may be none.
template <class E>
static REAL* panels(
    const CellSizes& n, int first, int count, const REAL* Wx, index_t kx, const REAL* Wh, index_t kh, REAL* out) {
  for (index_t j = 0, columns = count * n.Hp; j < columns;) {
    index_t vectors = (columns - j) / LANES;
    if (vectors > TILE_COLUMNS) vectors = TILE_COLUMNS;
#if TILE_COLUMNS == 2
    if (vectors < 2) vectors = 1;
#endif
    index_t width = vectors * LANES;
    for (index_t c = 0; c < width; c++) {
      index_t slot = first + (j + c) / n.Hp, h = (j + c) % n.Hp;
      const REAL *x = Wx + (E::SLOT_GATE[slot] * n.H + h) * kx, *r = Wh + (E::SLOT_ROW[slot] * n.H + h) * kh;
      for (index_t i = 0; i < kx; i++) out[i * width + c] = h < n.H ? x[i] : 0;
      for (index_t i = 0; i < kh; i++) out[(kx + i) * width + c] = h < n.H ? r[i] : 0;
    }
    out += (kx + kh) * width;
    j += width;
  }
  return out;
}

// Makes y, the states after each step and, where they are kept, the tape and what `gated` made; 1 without memory.
template <class E>
static int cell_forward(const ForwardArguments& a) {
  using At = Slots<E>;
  const CellSizes& n = a.sizes;
  const index_t width = E::SLOTS * n.Hp, plane = n.R * n.Hp;
  const index_t weights = At::FROM_X * n.I + (At::FROM_H + At::SECOND) * n.H;
  REAL* const work = fresh((weights + E::PARAMETERS) * n.Hp + width + n.B * width);
  if (!work) return 1;
  const REAL* parameters = widened<E>(n, a.own, work);
  copied_states<E>(n, a.first, a.states);
  REAL* sums = work + E::PARAMETERS * n.Hp;
  REAL* recurrent = panels<E>(n, 0, E::SUMS, a.Wx, n.I, a.Wh, n.H, sums);
  REAL* inputs = panels<E>(n, E::SUMS, E::RECURRENT, a.Wx, 0, a.Wh, n.H, recurrent);
  REAL* second_sums = panels<E>(n, At::FROM_H, E::INPUTS, a.Wx, n.I, a.Wh, 0, inputs);
  REAL* second = panels<E>(n, At::FIRST, E::SECOND_SUMS, a.Wx, n.I, a.Wh, n.H, second_sums);
  REAL* bias = panels<E>(n, At::SECOND_ALONE, E::SECOND_RECURRENT, a.Wx, 0, a.Wh, n.H, second);
  REAL* at = bias + width;  // [row][slot][Hp]: the step's pre-activations
  for (int s = 0; s < E::SLOTS; s++)
    for (index_t h = 0; h < n.Hp; h++) {
      const index_t gate = E::SLOT_GATE[s] * n.H + h, row = E::SLOT_ROW[s] * n.H + h;
      bias[s * n.Hp + h] = h < n.H ? (At::reads_x(s) ? a.bx[gate] : 0) + (At::recurs(s) ? a.bh[row] : 0) : 0;
    }
  const bool keep = n.keep;
  for (index_t t = 0; t < n.T; t++) {
    const index_t m = a.active ? a.active[t] : n.B;
    if (!m) break;
    const REAL* s = a.states + (n.keep ? t : t & 1) * E::STATES * plane;
    REAL* next = a.states + (n.keep ? t + 1 : (t + 1) & 1) * E::STATES * plane;
    const Factor input{a.x + t * n.x_step, n.x_row, n.I}, hidden{s, n.Hp, n.H}, none{s, 0, 0, 0};
    multiply(m, E::SUMS * n.Hp, input, hidden, sums, bias, at, width);
    multiply(m, E::RECURRENT * n.Hp, hidden, none, recurrent, bias + E::SUMS * n.Hp, at + E::SUMS * n.Hp, width);
    multiply(m, E::INPUTS * n.Hp, input, none, inputs, bias + At::FROM_H * n.Hp, at + At::FROM_H * n.Hp, width);
    if constexpr (At::SECOND > 0) {
      REAL* made = a.gated + (n.keep ? t : 0) * plane;
      for (index_t b = 0; b < m; b++) {
        REAL* output = made + b * n.Hp;
        const Ahead place{at + b * width, s + b * n.Hp, parameters, nullptr, output, nullptr, n.Hp, plane, false};
        for (index_t k = 0; k < n.Hp; k += LANES) E::gated(place, k);
      }
      const Factor from_made{made, n.Hp, n.H};
      const index_t first = At::FIRST * n.Hp, alone = At::SECOND_ALONE * n.Hp;
      multiply(m, E::SECOND_SUMS * n.Hp, input, from_made, second_sums, bias + first, at + first, width);
      multiply(m, E::SECOND_RECURRENT * n.Hp, from_made, none, second, bias + alone, at + alone, width);
    }
    for (index_t b = 0; b < m; b++) {
      REAL *following = next + b * n.Hp, *output = a.y + (b * n.T + t) * n.Hp;
      REAL* tape = a.tape + (t * n.R + b) * E::TAPE * n.Hp;
      const Ahead place{at + b * width, s + b * n.Hp, parameters, following, output, tape, n.Hp, plane, keep};
      for (index_t k = 0; k < n.Hp; k += LANES) E::forward(place, k);
    }
    if (!n.keep && a.active)  // a row that has ended keeps its state on both pages
      for (int k = 0; k < E::STATES; k++)
        memcpy(next + k * plane + m * n.Hp, s + k * plane + m * n.Hp, (n.B - m) * n.Hp * sizeof(REAL));
  }
  free(work);
  return 0;
}
