// One cell over time, the backward pass; stands on cell.hpp.
#pragma once
#include <cstdlib>
#include <cstring>

#include "cell.hpp"
#include "products.hpp"
#include "vectors.hpp"

static const int BLOCK = 8;  // steps whose weight gradients are added up together

// Rows of the gates of slots [first, first + count), from weights [gates*H k], padded to kp.
[[maybe_unused]] static REAL* rows_of(
    const CellSizes& n, const int* place, int first, int count, index_t k, index_t kp, const REAL* W, REAL* out) {
  for (int s = first; s < first + count; s++)
    for (index_t h = 0; h < n.H; h++, out += kp) {
      memcpy(out, W + (place[s] * n.H + h) * k, k * sizeof(REAL));
      for (index_t i = k; i < kp; i++) out[i] = 0;
    }
  return out;
}

// Weights for the products of the way back.
template <class E>
struct BackWeights {
  REAL *h, *made, *x;  // [rows of the slots from H, from what `gated` makes, from X][Hp, Hp, Ip], in panels
  void pack_all(const BackwardArguments& a, REAL* scratch) {
    using At = Slots<E>;
    const CellSizes& n = a.sizes;
    rows_of(n, E::SLOT_ROW, 0, At::FROM_H, n.H, n.Hp, a.Wh, scratch);
    pack(At::FROM_H * n.H, n.Hp, scratch, n.Hp, h);
    rows_of(n, E::SLOT_ROW, At::FIRST, At::SECOND, n.H, n.Hp, a.Wh, scratch);
    pack(At::SECOND * n.H, n.Hp, scratch, n.Hp, made);
    if (!n.need_x) return;
    REAL* rest = rows_of(n, E::SLOT_GATE, 0, E::SUMS, n.I, n.Ip, a.Wx, scratch);
    rows_of(n, E::SLOT_GATE, At::FROM_H, E::INPUTS + E::SECOND_SUMS, n.I, n.Ip, a.Wx, rest);
    pack(At::FROM_X * n.H, n.Ip, scratch, n.Ip, x);
  }
};

// Gradients of the weights, slot by slot: x [I][slot][Hp], h and made [H][slot][Hp], bias [slot][Hp]; own
// [parameter][Hp].
struct Gradients {
  REAL *x, *h, *made, *bias, *own;
};

// To the layout of the weights.
template <class E>
static void write_gradients(const BackwardArguments& a, const Gradients& g) {
  using At = Slots<E>;
  const CellSizes& n = a.sizes;
  const index_t from_x = At::FROM_X * n.Hp, from_h = At::FROM_H * n.Hp, from_made = At::SECOND * n.Hp;
  for (int slot = 0; slot < E::SLOTS; slot++)
    for (index_t h = 0; h < n.H; h++) {
      const index_t gate = E::SLOT_GATE[slot] * n.H + h, row = E::SLOT_ROW[slot] * n.H + h;
      if (slot < At::FROM_H)
        for (index_t i = 0; i < n.H; i++) a.dWh[row * n.H + i] = g.h[i * from_h + slot * n.Hp + h];
      if (slot >= At::FIRST)
        for (index_t i = 0; i < n.H; i++) a.dWh[row * n.H + i] = g.made[i * from_made + (slot - At::FIRST) * n.Hp + h];
      if (At::recurs(slot)) a.dbh[row] = g.bias[slot * n.Hp + h];
      if (At::reads_x(slot)) {
        const index_t column = (slot < E::SUMS ? slot : slot - E::RECURRENT) * n.Hp + h;
        for (index_t i = 0; i < n.I; i++) a.dWx[gate * n.I + i] = g.x[i * from_x + column];
        a.dbx[gate] = g.bias[slot * n.Hp + h];
      }
    }
  for (int k = 0; k < E::PARAMETERS; k++) memcpy(a.down + k * n.H, g.own + k * n.Hp, n.H * sizeof(REAL));
}

// Makes the gradients of all that went in; 1 without memory.
template <class E>
static int cell_backward(const BackwardArguments& a) {
  using At = Slots<E>;
  const CellSizes& n = a.sizes;
  const index_t width = E::SLOTS * n.Hp, plane = n.R * n.Hp, larger = n.Hp > n.Ip ? n.Hp : n.Ip;
  const index_t from_x = At::FROM_X * n.Hp, from_h = At::FROM_H * n.Hp, from_made = At::SECOND * n.Hp;
  const index_t owned = E::PARAMETERS * n.Hp, summed = n.I * from_x + n.H * (from_h + from_made) + width + owned;
  const index_t weights = (from_h + from_made) * n.H + At::FROM_X * n.H * n.Ip;
  const index_t unpacked = (E::SLOTS + At::FROM_X) * n.H * larger;
  REAL* const work = fresh(weights + unpacked + BLOCK * n.B * width + summed + n.B * n.Hp + n.Ip + owned);
  if (!work) return 1;
  REAL* next = work;
  auto take = [&next](index_t count) { return (next += count) - count; };
  BackWeights<E> back{take(from_h * n.H), take(from_made * n.H), take(At::FROM_X * n.H * n.Ip)};
  REAL *scratch = take(unpacked), *deltas = take(BLOCK * n.B * width), *first_sum = next;
  const Gradients g{take(n.I * from_x), take(n.H * from_h), take(n.H * from_made), take(width), take(owned)};
  REAL *made_slope = take(n.B * n.Hp), *zeros = take(n.Ip);
  const REAL* parameters = widened<E>(n, a.own, next);
  memset(zeros, 0, n.Ip * sizeof(REAL));
  memset(first_sum, 0, summed * sizeof(REAL));
  copied_states<E>(n, a.final, a.dfirst);
  back.pack_all(a, scratch);
  for (index_t t = n.T - 1; t >= 0; t--) {
    const index_t m = a.active ? a.active[t] : n.B, in_block = t % BLOCK;
    const REAL* s = a.states + t * E::STATES * plane;
    REAL* d = deltas + in_block * n.B * width;
    for (index_t b = 0; b < m; b++) {
      const REAL *tape = a.tape + (t * n.R + b) * E::TAPE * n.Hp, *slope = a.dy + (b * n.T + t) * n.Hp;
      REAL *delta = d + b * width, *carried = a.dfirst + b * n.Hp;
      const Behind place{s + b * n.Hp, parameters, tape, slope, delta, carried, g.own, n.Hp, plane};
      for (index_t k = 0; k < n.Hp; k += LANES) E::backward(place, k);
    }
    if constexpr (At::SECOND > 0) {
      memset(made_slope, 0, m * n.Hp * sizeof(REAL));
      const Factor second{d + At::FIRST * n.Hp, width, n.H, At::SECOND, n.Hp};
      multiply(m, n.Hp, second, {d, 0, 0, 0}, back.made, nullptr, made_slope, n.Hp);
      for (index_t b = 0; b < m; b++) {
        const REAL *tape = a.tape + (t * n.R + b) * E::TAPE * n.Hp, *slope = made_slope + b * n.Hp;
        REAL *delta = d + b * width, *carried = a.dfirst + b * n.Hp;
        const Behind place{s + b * n.Hp, parameters, tape, slope, delta, carried, g.own, n.Hp, plane};
        for (index_t k = 0; k < n.Hp; k += LANES) E::gated_back(place, k);
      }
    }
    for (index_t k = 0; k < width; k += LANES) {
      v sum = load(g.bias + k);
      for (index_t b = 0; b < m; b++) sum += load(d + b * width + k);
      store(g.bias + k, sum);
    }
    const Factor into_h{d, width, n.H, At::FROM_H, n.Hp}, none{d, 0, 0, 0}, sums{d, width, n.H, E::SUMS, n.Hp};
    const Factor inputs{d + from_h, width, n.H, E::INPUTS + E::SECOND_SUMS, n.Hp};
    multiply(m, n.Hp, into_h, none, back.h, nullptr, a.dfirst, n.Hp);
    if (n.need_x) multiply(m, n.Ip, sums, inputs, back.x, zeros, a.dx + t * n.Ip, n.T * n.Ip);
    if (in_block && (!a.active || t == 0 || a.active[t - 1] == m)) continue;  // the block goes on with the same rows
    index_t last = t;
    while (last + 1 < n.T && (last + 1) % BLOCK && (a.active ? a.active[last + 1] : n.B) == m) last++;
    if (!m) continue;
    const index_t steps = last - t + 1;
    const Nested x{a.x + t * n.x_step, n.x_step, n.x_row}, h{s, E::STATES * plane, n.Hp}, delta{d, n.B * width, width};
    outer(n.I, E::SUMS * n.Hp, steps, m, x, delta, g.x, from_x);
    outer(n.I, (E::INPUTS + E::SECOND_SUMS) * n.Hp, steps, m, x, delta.from(from_h), g.x + E::SUMS * n.Hp, from_x);
    outer(n.H, from_h, steps, m, h, delta, g.h, from_h);
    if constexpr (At::SECOND > 0) {
      const Nested made{a.gated + t * plane, plane, n.Hp};
      outer(n.H, from_made, steps, m, made, delta.from(At::FIRST * n.Hp), g.made, from_made);
    }
  }
  write_gradients<E>(a, g);
  free(work);
  return 0;
}
