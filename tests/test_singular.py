"""One cell is no cells."""

import pytest

from tsrnn.errors import InputError, Notice, notice, singular
from tsrnn.reading import Note, line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 cells that are no number, 2 cells that are", "1 cell that is no number, 2 cells that are"),
        ("GR: 1 values beyond 0 to 300 gAPI", "GR: 1 value beyond 0 to 300 gAPI"),
        ("1 of 1 rows; 21 rows; 0.1 rows; 1,1 rows", "1 of 1 row; 21 rows; 0.1 rows; 1,1 rows"),
        ("column '1 rows' has 1 series, 1 class and 1 is", "column '1 rows' has 1 series, 1 class and 1 is"),
        ("column 'well 1 cells' has 1 rows", "column 'well 1 cells' has 1 row"),
        ("the training's 1 rows and the file's", "the training's 1 row and the file's"),
        ("logs/block 1 wells.csv: 1 rows; my/run 1 files/a.csv", "logs/block 1 wells.csv: 1 row; my/run 1 files/a.csv"),
        ("1 backtest windows of horizon 3", "1 backtest window of horizon 3"),
    ],
)
def test_what_is_one_is_said_so(text: str, said: str) -> None:
    assert singular(text) == said
    assert str(InputError(text)) == said
    with pytest.warns(Notice) as caught:
        notice(text)
    assert str(caught[0].message) == said


def test_a_note_of_one_cell() -> None:
    assert line([Note("cells that hold 7", 1, "T")]) == "T: 1 cell that holds 7"
    assert line([Note("cells that hold 7", 1, "T"), Note("cells that hold 7", 1, "T", "b")]) == "T: 2 cells that hold 7"
