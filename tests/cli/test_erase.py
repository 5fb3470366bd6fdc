"""`hanbeon erase --now` as an operator meets it."""

from consent import ledger
from tests.cli.conftest import Hanbeon
from tests.small_lake import SmallLake


def test_erase_now_names_the_file_that_still_says_who_it_was_and_never_the_value(
    hanbeon: Hanbeon, own_lake: SmallLake
) -> None:
    run, two = own_lake.run, own_lake.two
    left = run.settings.home_path / "letter.txt"
    left.write_text(two.name, encoding="cp949")
    ledger.withdraw(run.conn, str(two.consent), run.at())
    said = hanbeon("erase", "--now")
    assert said.code == 1
    assert "letter.txt" in said.out + said.err
    assert two.name not in said.out + said.err
    left.unlink()
    assert hanbeon("erase", "--now").code == 0
