// One cell over time, forward and backward. The including source defines, for the cell it prints: SLOTS (slots of
// pre-activations per row), SUMS, RECURRENT, INPUTS, SECOND_SUMS and SECOND_RECURRENT (how many hold a sum, a recurrent
// product alone, an input product alone; then those whose product acts on what GATED makes; in this order), STATES, PARAMETERS, the tables SLOT_GATE and SLOT_ROW (of the input's and the
// recurrent weights), and the statements FORWARD, BACKWARD,
// GATED, GATED_BACK.
//
// Sizes: T steps, B rows, I inputs, H hidden; Hp and Ip are H and I rounded up to whole vectors. Rows are sorted by
// length, longest first; active[t] rows are still running at step t. Inputs and outputs are batch-major with the row
// strides given; states [t][state][row][Hp] and the tape [t][row][entry][Hp] are time-major. A thread is given B of the
// batch's R rows, and pointers to the first of them.

struct Sizes {
  index_t T, B, R, I, H, Hp, Ip, x_row, x_step, keep, need_x;
};
#define FROM_H (SUMS + RECURRENT)
#define FIRST (FROM_H + INPUTS)
#define SECOND (SECOND_SUMS + SECOND_RECURRENT)
#define FROM_X (SUMS + INPUTS + SECOND_SUMS)
static const int BLOCK = 8;  // steps whose weight gradients are added up together

static REAL* fresh(index_t count) {
  void* p = nullptr;
  return posix_memalign(&p, 64, (count + LANES) * sizeof(REAL)) ? nullptr : (REAL*)p;
}

// Panels of the products' columns, slots [first, first + count): kx rows of Wx above kh rows of Wh, either may be none.
static REAL* panels(const Sizes& n, int first, int count, const REAL* Wx, index_t kx, const REAL* Wh, index_t kh, REAL* out) {
  for (index_t j = 0, columns = count * n.Hp; j < columns;) {
    index_t vectors = (columns - j) / LANES;
    if (vectors > TILE_COLUMNS) vectors = TILE_COLUMNS;
#if TILE_COLUMNS == 2
    if (vectors < 2) vectors = 1;
#endif
    index_t width = vectors * LANES;
    for (index_t c = 0; c < width; c++) {
      index_t slot = first + (j + c) / n.Hp, h = (j + c) % n.Hp;
      const REAL *x = Wx + (SLOT_GATE[slot] * n.H + h) * kx, *r = Wh + (SLOT_ROW[slot] * n.H + h) * kh;
      for (index_t i = 0; i < kx; i++) out[i * width + c] = h < n.H ? x[i] : 0;
      for (index_t i = 0; i < kh; i++) out[(kx + i) * width + c] = h < n.H ? r[i] : 0;
    }
    out += (kx + kh) * width;
    j += width;
  }
  return out;
}

// Rows of the gates of slots [first, first + count), from weights [gates*H k], padded to kp: for the way back.
static REAL* rows_of(const Sizes& n, const int* place, int first, int count, index_t k, index_t kp, const REAL* W, REAL* out) {
  for (int s = first; s < first + count; s++)
    for (index_t h = 0; h < n.H; h++, out += kp) {
      memcpy(out, W + (place[s] * n.H + h) * k, k * sizeof(REAL));
      for (index_t i = k; i < kp; i++) out[i] = 0;
    }
  return out;
}

// One vector [H], or zeros, made as long as whole vectors are.
static void copied(const Sizes& n, const REAL* from, REAL* to) {
  if (from) memcpy(to, from, n.H * sizeof(REAL));
  index_t begin = from ? n.H : 0;
  memset(to + begin, 0, (n.Hp - begin) * sizeof(REAL));
}

// The cell's own parameters, each [H], one above the other.
static REAL* widened(const Sizes& n, const REAL* const* own, REAL* out) {
  for (int each = 0; each < PARAMETERS; each++) copied(n, own[each], out + each * n.Hp);
  return out;
}

// first and final point to one [row][H] per state; a null pointer stands for zeros.
extern "C" int forward(const index_t* a) {
  const Sizes& n = *(const Sizes*)a[0];
  const REAL *x = (const REAL*)a[1], *Wx = (const REAL*)a[2], *Wh = (const REAL*)a[3], *bx = (const REAL*)a[4], *bh = (const REAL*)a[5];
  const REAL *const *own = (const REAL* const*)a[6], *const *first = (const REAL* const*)a[7];
  REAL *S = (REAL*)a[8], *tapes = (REAL*)a[9], *gated = (REAL*)a[10], *y = (REAL*)a[11];
  const int32_t* active = (const int32_t*)a[12];
  const index_t width = SLOTS * n.Hp, plane = n.R * n.Hp;
  REAL* packed = fresh((FROM_X * n.I + (FROM_H + SECOND) * n.H + PARAMETERS) * n.Hp + width + n.B * width);
  if (!packed) return 1;
  REAL* parameters = widened(n, own, packed);
  packed = parameters + PARAMETERS * n.Hp;
  for (int each = 0; each < STATES; each++)
    for (index_t b = 0; b < n.B; b++) copied(n, first[each] ? first[each] + b * n.H : nullptr, S + each * plane + b * n.Hp);
  REAL* sums = packed;
  REAL* recurrent = panels(n, 0, SUMS, Wx, n.I, Wh, n.H, sums);
  REAL* inputs = panels(n, SUMS, RECURRENT, Wx, 0, Wh, n.H, recurrent);
  REAL* second_sums = panels(n, FROM_H, INPUTS, Wx, n.I, Wh, 0, inputs);
  REAL* second = panels(n, FIRST, SECOND_SUMS, Wx, n.I, Wh, n.H, second_sums);
  REAL* bias = panels(n, FIRST + SECOND_SUMS, SECOND_RECURRENT, Wx, 0, Wh, n.H, second);
  REAL* at = bias + width;  // [row][slot][Hp]: the step's pre-activations
  for (int s = 0; s < SLOTS; s++)
    for (index_t h = 0; h < n.Hp; h++) {
      index_t gate = SLOT_GATE[s] * n.H + h, place = SLOT_ROW[s] * n.H + h;
      bool in = s < SUMS || (s >= FROM_H && s < FIRST + SECOND_SUMS), rec = s < FROM_H || s >= FIRST;
      bias[s * n.Hp + h] = h < n.H ? (in ? bx[gate] : 0) + (rec ? bh[place] : 0) : 0;
    }
  for (index_t t = 0; t < n.T; t++) {
    const index_t m = active ? active[t] : n.B;
    if (!m) break;
    const REAL* s = S + (n.keep ? t : t & 1) * STATES * plane;
    REAL* next = S + (n.keep ? t + 1 : (t + 1) & 1) * STATES * plane;
    const Factor input{x + t * n.x_step, n.x_row, n.I}, hidden{s, n.Hp, n.H}, none{s, 0, 0, 0};
    multiply(m, SUMS * n.Hp, input, hidden, sums, bias, at, width);
    multiply(m, RECURRENT * n.Hp, hidden, none, recurrent, bias + SUMS * n.Hp, at + SUMS * n.Hp, width);
    multiply(m, INPUTS * n.Hp, input, none, inputs, bias + FROM_H * n.Hp, at + FROM_H * n.Hp, width);
#if SECOND
    REAL* made_rows = gated + (n.keep ? t : 0) * plane;
    for (index_t b = 0; b < m; b++) {
      const REAL *row = at + b * width, *state = s + b * n.Hp;
      REAL* made = made_rows + b * n.Hp;
      for (index_t k = 0; k < n.Hp; k += LANES) {
        GATED
      }
    }
    const Factor from_made{made_rows, n.Hp, n.H};
    multiply(m, SECOND_SUMS * n.Hp, input, from_made, second_sums, bias + FIRST * n.Hp, at + FIRST * n.Hp, width);
    multiply(m, SECOND_RECURRENT * n.Hp, from_made, none, second, bias + (FIRST + SECOND_SUMS) * n.Hp,
             at + (FIRST + SECOND_SUMS) * n.Hp, width);
#endif
    for (index_t b = 0; b < m; b++) {
      const REAL* row = at + b * width;
      const REAL* state = s + b * n.Hp;
      REAL *following = next + b * n.Hp, *output = y + (b * n.T + t) * n.Hp, *tape = tapes + (t * n.R + b) * TAPE * n.Hp;
      for (index_t k = 0; k < n.Hp; k += LANES) {
        FORWARD
      }
    }
    if (!n.keep && active)  // a row that has ended keeps its state on both pages
      for (int each = 0; each < STATES; each++)
        memcpy(next + each * plane + m * n.Hp, s + each * plane + m * n.Hp, (n.B - m) * n.Hp * sizeof(REAL));
  }
  free(parameters);
  return 0;
}

// D [state][row][Hp] goes out as the cotangent of the first state.
extern "C" int backward(const index_t* a) {
  const Sizes& n = *(const Sizes*)a[0];
  const REAL *x = (const REAL*)a[1], *Wx = (const REAL*)a[2], *Wh = (const REAL*)a[3];
  const REAL *const *own = (const REAL* const*)a[4], *const *final = (const REAL* const*)a[5];
  const REAL *S = (const REAL*)a[6], *tapes = (const REAL*)a[7], *gated = (const REAL*)a[8], *dy = (const REAL*)a[9];
  REAL *D = (REAL*)a[10], *dx = (REAL*)a[11], *dWx = (REAL*)a[12], *dWh = (REAL*)a[13], *dbx = (REAL*)a[14], *dbh = (REAL*)a[15];
  REAL* dparameters = (REAL*)a[16];
  const int32_t* active = (const int32_t*)a[17];
  const index_t width = SLOTS * n.Hp, plane = n.R * n.Hp;
  const index_t from_x = FROM_X * n.Hp, from_h = FROM_H * n.Hp, from_made = SECOND * n.Hp, larger = n.Hp > n.Ip ? n.Hp : n.Ip;
  REAL* work = fresh((FROM_H + SECOND) * n.H * n.Hp + FROM_X * n.H * n.Ip + (SLOTS + FROM_X) * n.H * larger +
                     BLOCK * n.B * width + n.I * from_x + n.H * (from_h + from_made) + width +
                     (2 * PARAMETERS + 1) * n.Hp + n.B * n.Hp + n.Ip);
  if (!work) return 1;
  REAL *back_h = work, *back_made = back_h + FROM_H * n.H * n.Hp, *back_x = back_made + SECOND * n.H * n.Hp, *scratch = back_x + FROM_X * n.H * n.Ip;
  REAL *deltas = scratch + (SLOTS + FROM_X) * n.H * larger, *gx = deltas + BLOCK * n.B * width, *gh = gx + n.I * from_x;
  REAL *gm = gh + n.H * from_h, *gb = gm + n.H * from_made, *gp = gb + width, *d_made = gp + (PARAMETERS + 1) * n.Hp;
  REAL *zeros = d_made + n.B * n.Hp, *parameters = widened(n, own, zeros + n.Ip);
  memset(zeros, 0, n.Ip * sizeof(REAL));
  for (int each = 0; each < STATES; each++)
    for (index_t b = 0; b < n.B; b++) copied(n, final[each] ? final[each] + b * n.H : nullptr, D + each * plane + b * n.Hp);
  memset(gx, 0, (n.I * from_x + n.H * (from_h + from_made) + width + (PARAMETERS + 1) * n.Hp) * sizeof(REAL));
  rows_of(n, SLOT_ROW, 0, FROM_H, n.H, n.Hp, Wh, scratch);
  pack(FROM_H * n.H, n.Hp, scratch, n.Hp, back_h);
  rows_of(n, SLOT_ROW, FIRST, SECOND, n.H, n.Hp, Wh, scratch);
  pack(SECOND * n.H, n.Hp, scratch, n.Hp, back_made);
  if (n.need_x) {
    rows_of(n, SLOT_GATE, FROM_H, INPUTS + SECOND_SUMS, n.I, n.Ip, Wx, rows_of(n, SLOT_GATE, 0, SUMS, n.I, n.Ip, Wx, scratch));
    pack(FROM_X * n.H, n.Ip, scratch, n.Ip, back_x);
  }
  for (index_t t = n.T - 1; t >= 0; t--) {
    const index_t m = active ? active[t] : n.B, in_block = t % BLOCK;
    const REAL* s = S + t * STATES * plane;
    REAL* d = deltas + in_block * n.B * width;
    for (index_t b = 0; b < m; b++) {
      const REAL *tape = tapes + (t * n.R + b) * TAPE * n.Hp, *state = s + b * n.Hp, *cotangent = dy + (b * n.T + t) * n.Hp;
      REAL *delta = d + b * width, *carried = D + b * n.Hp;
      for (index_t k = 0; k < n.Hp; k += LANES) {
        BACKWARD
      }
    }
#if SECOND
    memset(d_made, 0, m * n.Hp * sizeof(REAL));
    multiply(m, n.Hp, {d + FIRST * n.Hp, width, n.H, SECOND, n.Hp}, {d, 0, 0, 0}, back_made, nullptr, d_made, n.Hp);
    for (index_t b = 0; b < m; b++) {
      const REAL *tape = tapes + (t * n.R + b) * TAPE * n.Hp, *state = s + b * n.Hp, *cotangent = d_made + b * n.Hp;
      REAL *delta = d + b * width, *carried = D + b * n.Hp;
      for (index_t k = 0; k < n.Hp; k += LANES) {
        GATED_BACK
      }
    }
#endif
    for (index_t k = 0; k < width; k += LANES) {
      v sum = load(gb + k);
      for (index_t b = 0; b < m; b++) sum += load(d + b * width + k);
      store(gb + k, sum);
    }
    multiply(m, n.Hp, {d, width, n.H, FROM_H, n.Hp}, {d, 0, 0, 0}, back_h, nullptr, D, n.Hp);
    if (n.need_x)
      multiply(m, n.Ip, {d, width, n.H, SUMS, n.Hp}, {d + FROM_H * n.Hp, width, n.H, INPUTS + SECOND_SUMS, n.Hp}, back_x, zeros,
               dx + t * n.Ip, n.T * n.Ip);
    if (in_block && (!active || t == 0 || active[t - 1] == m)) continue;  // the block goes on with the same rows
    index_t last = t;
    while (last + 1 < n.T && (last + 1) % BLOCK && (active ? active[last + 1] : n.B) == m) last++;
    if (!m) continue;
    const index_t steps = last - t + 1;
    outer(n.I, SUMS * n.Hp, steps, m, x + t * n.x_step, n.x_step, n.x_row, d, n.B * width, width, gx, from_x);
    outer(n.I, (INPUTS + SECOND_SUMS) * n.Hp, steps, m, x + t * n.x_step, n.x_step, n.x_row, d + FROM_H * n.Hp, n.B * width, width,
          gx + SUMS * n.Hp, from_x);
    outer(n.H, from_h, steps, m, s, STATES * plane, n.Hp, d, n.B * width, width, gh, from_h);
#if SECOND
    outer(n.H, from_made, steps, m, gated + t * plane, plane, n.Hp, d + FIRST * n.Hp, n.B * width, width, gm, from_made);
#endif
  }
  for (int slot = 0; slot < SLOTS; slot++)
    for (index_t h = 0; h < n.H; h++) {
      const index_t to = SLOT_GATE[slot] * n.H + h, row = SLOT_ROW[slot] * n.H + h;
      if (slot < FROM_H) {
        for (index_t i = 0; i < n.H; i++) dWh[row * n.H + i] = gh[i * from_h + slot * n.Hp + h];
        dbh[row] = gb[slot * n.Hp + h];
      }
      if (slot >= FIRST) {
        for (index_t i = 0; i < n.H; i++) dWh[row * n.H + i] = gm[i * from_made + (slot - FIRST) * n.Hp + h];
        dbh[row] = gb[slot * n.Hp + h];
      }
      if (slot < SUMS || (slot >= FROM_H && slot < FIRST + SECOND_SUMS)) {
        const index_t column = (slot < SUMS ? slot : slot - RECURRENT) * n.Hp + h;
        for (index_t i = 0; i < n.I; i++) dWx[to * n.I + i] = gx[i * from_x + column];
        dbx[to] = gb[slot * n.Hp + h];
      }
    }
  for (int each = 0; each < PARAMETERS; each++) memcpy(dparameters + each * n.H, gp + each * n.Hp, n.H * sizeof(REAL));
  free(work);
  return 0;
}
