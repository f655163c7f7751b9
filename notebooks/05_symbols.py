# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Symbols
# A recurrence that reads a text letter by letter and says how likely each next letter is; fed with what it has said, it
# writes. Nothing but `Recurrent`, a head of classes and a loop of one's own: the way from a forecast of numbers to a
# language model is that short.

# %%
import math
import random

import torch
from torch import Tensor, nn

from tsrnn.heads.classes import ClassesHead
from tsrnn.recurrence import Recurrent

# %% [markdown]
# ## A text of our own making
# A driller's notes, by a grammar of a few lines. What is to be learnt: letters, words, the order of words, and that a
# rock's word depends on a curve's word many letters before it.

# %%
ROCKS = {"gamma ray": "shale", "density": "limestone", "slowness": "coal", "resistivity": "sand"}
WAYS = ("rises", "falls", "jumps")


def sentence(rng: random.Random) -> str:
    curve = rng.choice(list(ROCKS))
    return f"at {rng.randrange(120, 320)}0 m the {curve} {rng.choice(WAYS)}: {ROCKS[curve]}.\n"


rng = random.Random(0)
text = "".join(sentence(rng) for _ in range(700))
letters = sorted(set(text))
numbers = torch.tensor([letters.index(letter) for letter in text])
print(text[:180])
print(f"{len(text):,} letters, {len(letters)} kinds; all alike, the perplexity is {len(letters)}")

# %% [markdown]
# ## The model
# A letter's number becomes a vector, a GRU reads one after another, and a linear map says a number per letter, of which
# the head makes probabilities. `step` reads a single letter and keeps the state: that is all that writing needs.


# %%
class NextLetter(nn.Module):
    def __init__(self, kinds: int, hidden_size: int = 96) -> None:
        super().__init__()
        self.embedding = nn.Embedding(kinds, 16)
        self.recurrent = Recurrent("gru", 16, hidden_size)
        self.readout = nn.Linear(hidden_size, kinds)

    def forward(self, read: Tensor, state=None):
        output, state = self.recurrent(self.embedding(read), state)
        return self.readout(output), state  # [batch time kind]

    def step(self, read: Tensor, state=None):
        output, state = self.recurrent.step(self.embedding(read), state)
        return self.readout(output), state  # [batch kind]


torch.manual_seed(0)
model, head = NextLetter(len(letters)), ClassesHead(len(letters))


# %% [markdown]
# ## It writes
# The state is warmed up by a line's end; then each letter is drawn from its probabilities and read as the next one. A
# temperature below 1 makes likely letters likelier.


# %%
@torch.inference_mode()
def write(count: int, temperature: float = 0.7, seed: int = 0) -> str:
    generator = torch.Generator().manual_seed(seed)
    letter, state, written = torch.tensor([letters.index("\n")]), None, []
    for _ in range(count):
        logits, state = model.step(letter, state)
        letter = torch.multinomial(head.probabilities(logits / temperature), 1, generator=generator)[:, 0]
        written.append(letters[int(letter)])
    return "".join(written)


# %% [markdown]
# ## It learns
# The text is cut into rows that are read side by side, 64 letters at a time. The state goes on from one stretch to the
# next, detached, so that gradients reach back 64 letters and the memory further (truncated back-propagation). The last
# tenth of the text is held out: its perplexity, e to the mean loss, is of how many letters the model hesitates between.

# %%
ROWS, STRETCH = 16, 64
border = len(numbers) * 9 // 10
columns = border // ROWS
train = numbers[: ROWS * columns].view(ROWS, columns)  # [row letter]
held_out = numbers[None, border:]


def loss_of(logits: Tensor, following: Tensor) -> Tensor:
    return head.loss(logits.unsqueeze(2), following.unsqueeze(2), None)  # one target a step


@torch.inference_mode()
def perplexity() -> float:
    logits, _ = model(held_out[:, :-1])
    return math.exp(float(loss_of(logits, held_out[:, 1:])))


optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
measured = [perplexity()]
print(f"after 0 epochs, perplexity {measured[-1]:.1f}:\n{write(120)}\n")
for epoch in range(1, 13):
    state = None
    for first in range(0, columns - 1, STRETCH):
        read = train[:, first : first + STRETCH]
        read, following = read[:, : columns - 1 - first], train[:, first + 1 : first + 1 + STRETCH]
        logits, state = model(read, state)
        state = tuple(tuple(part.detach() for part in each) for each in state)
        loss = loss_of(logits, following)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    measured.append(perplexity())
    if epoch in (1, 3, 12):
        print(f"after {epoch} epochs, perplexity {measured[-1]:.2f}:\n{write(240)}\n")

# %% [markdown]
# Noise at first, then letters in their shares, then words, then sentences. Depth, curve and way are drawn: no model
# gets below what a sentence leaves open.

# %%
open_ways = 200 * len(ROCKS) * len(WAYS)
floor = math.exp(math.log(open_ways) * 700 / len(text))
print(f"perplexity by epoch: {', '.join(f'{each:.2f}' for each in measured)}; the least there is: {floor:.2f}")
assert measured[12] < 1.3 < 3 < measured[0]

# %% [markdown]
# ## What it knows
# Whether the rock goes with the curve, over the lines that it writes: a word that stands ten or twenty letters back.

# %%
lines = [line for line in write(6000, seed=1).split("\n") if line.endswith(".")]
told = [(curve, line) for line in lines for curve in ROCKS if curve in line]
right = sum(line.endswith(f" {ROCKS[curve]}.") for curve, line in told)
print(f"{right} of {len(told)} sentences name the rock that goes with their curve; by chance it were a quarter")
assert right > len(told) / 2
