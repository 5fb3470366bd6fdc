"""Settings that must fit each other are looked at together, and refused with a sentence."""

from pathlib import Path

import pytest

from hanbeon.errors import SettingsError
from hanbeon.settings import LogSettings, ReviewSettings, load


def given(tmp_path: Path, text: str, **environ: str) -> dict[str, str]:
    (tmp_path / "hanbeon.toml").write_text(text)
    return {"HANBEON_CONFIG": str(tmp_path / "hanbeon.toml"), **environ}


@pytest.mark.parametrize("text", ["opens = 21\ncloses = 23", "closes = 23\nopens = 21", "closes = 4\nopens = 3"])
def test_the_order_of_keys_decides_nothing(tmp_path: Path, text: str) -> None:
    review = load(given(tmp_path, f"[review]\n{text}")).review
    assert (review.opens, review.closes) in ((21, 23), (3, 4))


def test_what_fits_in_no_order_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="hours of one day"):
        load(given(tmp_path, "[review]\nopens = 9\ncloses = 9"))
    assert ReviewSettings(closes=9, opens=8).opens == 8


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"Unknown setting log\.timestamp\. Known: .*timestamps,"):
        load(given(tmp_path, '[log]\ntimestamp = ""'))


def test_an_authority_is_named_with_its_certificates_by_file_and_environment(tmp_path: Path) -> None:
    text = '[log]\ntimestamps = "https://tsa.example/tsr"\ntimestamps_ca_file = "ca.pem"'
    log = load(given(tmp_path, text, HANBEON_LOG__TIMESTAMPS_EVERY_HOURS="1")).log
    assert log == LogSettings(
        timestamps="https://tsa.example/tsr", timestamps_ca_file="ca.pem", timestamps_every_hours=1
    )
    assert load({"HANBEON_CONFIG": str(tmp_path / "hanbeon.toml"), "HANBEON_LOG__TIMESTAMPS": ""}).log.timestamps == ""


@pytest.mark.parametrize(
    ("url", "ca_file", "hours", "sentence"),
    [
        ("https://tsa.example/tsr", "", 24, "needs log.timestamps_ca_file"),
        ("https://tsa.example/tsr", "ca.pem", 0, "one hour or more"),
        ("ftp://tsa.example/", "ca.pem", 24, "http or https URL"),
        ("tsa.example", "ca.pem", 24, "http or https URL"),
        ("https://", "ca.pem", 24, "http or https URL"),
        ("https://[", "ca.pem", 24, "http or https URL"),
        ("https://a..b/", "ca.pem", 24, "http or https URL"),
        ("https://tsa.example:99999/", "ca.pem", 24, "http or https URL"),
        ("https://user:pass@tsa.example/", "ca.pem", 24, "path only"),
        ("https://tsa.example/?key=1", "ca.pem", 24, "path only"),
    ],
)
def test_an_authority_that_cannot_be_asked_is_refused(url: str, ca_file: str, hours: int, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        LogSettings(timestamps=url, timestamps_ca_file=ca_file, timestamps_every_hours=hours)
    assert LogSettings(timestamps="http://127.0.0.1:8318", timestamps_ca_file="ca.pem")
