// The selective scan, forward and backward: h = 2^(delta A) h + delta u B, y = h C + D u; stands on scans.hpp.
//
// The states [row step channel state] are never laid out: a chunk of CHUNK steps of one vector of channels is worked
// through state by state, so that all of it stays in registers and the nearest cache. The forward pass keeps the states
// at the chunks' borders; the backward pass recomputes what lies between, with the same arithmetic, hence the same bits.
// Decays are powers of two, 2^(delta A log2 e); they may underflow to zero, and nothing divides by one.
//
// Outside, A, D, states and their gradients are [state padded]: channels in whole vectors, filled up with zeros; A in
// powers of two. Inside, they are [vector state LANE], so that what is worked through together lies together.
#pragma once
#include <algorithm>
#include <cstring>
#include <limits>

#include "scans.hpp"
#include "vectors.hpp"

static void to_blocks(const REAL* rows, const ScanSizes& size, REAL* blocks) {
  for (index_t c = 0; c < size.padded; c += LANES)
    for (index_t n = 0; n < size.states; n++, blocks += LANES) store(blocks, load(rows + n * size.padded + c));
}

static void to_rows(const REAL* blocks, const ScanSizes& size, REAL* rows) {
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
INLINE void advance(
    index_t steps, const v* delta, const v* weighted, const REAL* A, const REAL* B, const REAL* C, REAL* h, v* y) {
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
static void advance_all(
    index_t states, index_t steps, const v* delta, const v* weighted, const REAL* A, const REAL* B, const REAL* C,
    REAL* h, v* y) {
  constexpr int W = 4;
  index_t n = 0;
  for (; n + W <= states; n += W)
    advance<TAME, W>(steps, delta, weighted, A + n * LANES, B + n * CHUNK, C + n * CHUNK, h + n * LANES, y);
  for (; n < states; n++)
    advance<TAME, 1>(steps, delta, weighted, A + n * LANES, B + n * CHUNK, C + n * CHUNK, h + n * LANES, y);
}

// views: u, delta [row step channel], A [1 state padded], B, C [row step state], D [1 1 padded], initial [row state
// padded], y [row step channel], final [row state padded], borders [row chunk-1 state*padded]; D, initial, borders may
// be missing.
extern "C" int selective_forward(const void* given) {
  const auto& part = *static_cast<const Part<View, ScanSizes>*>(given);
  const View* views = part.views;
  const View u = views[0], delta = views[1], A = views[2], B = views[3], C = views[4], D = views[5], initial = views[6];
  const View y = views[7], final = views[8], borders = views[9];
  const ScanSizes size = *part.sizes;
  const index_t all_states = size.states * size.padded;
  Scratch inward(size.states * CHUNK), outward(size.states * CHUNK), rates(all_states), running(all_states);
  if (!inward.at || !outward.at || !rates.at || !running.at) return 1;
  REAL* h = running.at;
  to_blocks(A.at, size, rates.at);
  const bool rates_tame = all_tame(rates.at, all_states);
  for (index_t r = part.from; r < part.to; r++) {
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
INLINE void retreat(
    Back& k, const REAL* A, const REAL* B, const REAL* C, const REAL* h, REAL* g, REAL* dA, v* dB, v* dC) {
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
static void retreat_all(
    index_t states, Back& k, const REAL* A, const REAL* B, const REAL* C, const REAL* h, REAL* g, REAL* dA, v* dB,
    v* dC) {
  constexpr int W = 4;
  index_t n = 0;
  for (; n + W <= states; n += W)
    retreat<TAME, W>(k, A + n * LANES, B + n * CHUNK, C + n * CHUNK, h + n * LANES, g + n * LANES, dA + n * LANES,
                     dB + n * CHUNK, dC + n * CHUNK);
  for (; n < states; n++)
    retreat<TAME, 1>(k, A + n * LANES, B + n * CHUNK, C + n * CHUNK, h + n * LANES, g + n * LANES, dA + n * LANES,
                     dB + n * CHUNK, dC + n * CHUNK);
}

// views: u, delta, A, B, C, D, initial, borders as above, dy [row step channel], then du, ddelta [row step channel],
// dA [thread state+1 padded] with D's gradient in the last row, dB, dC [row step state], the final state's gradient and
// the initial state's [row state padded], each of which may be missing.
extern "C" int selective_backward(const void* given) {
  const auto& part = *static_cast<const Part<View, ScanSizes>*>(given);
  const View* views = part.views;
  const View u = views[0], delta = views[1], A = views[2], B = views[3], C = views[4], D = views[5], initial = views[6];
  const View borders = views[7], dy = views[8], du = views[9], ddelta = views[10], dA = views[11], dB = views[12];
  const View dC = views[13], dfinal = views[14], dinitial = views[15];
  const ScanSizes size = *part.sizes;
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
  for (index_t r = part.from; r < part.to; r++) {
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
        run(size.states, k, rates.at + block, inward.at, outward.at, h + block, g + block, rates_grad.at + block, sum_B,
            sum_C);
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
  to_rows(rates_grad.at, size, dA(part.thread));
  memcpy(dA(part.thread, size.states), past_grad.at, size.padded * sizeof(REAL));
  return 0;
}
