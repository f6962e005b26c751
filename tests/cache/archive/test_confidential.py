import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.archive.confidential import holds_secret, tells_secret

SECRETS = [
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n",
    "text before\n-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIAAAAAAAAAAAAAAA\n",
    "key = '-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0B'",
    "aws AKIA" + "ABCDEFGHIJKLMNOP",
    "ghp_" + "a1B2" * 9,
    "AGE-SECRET-KEY-1" + "Q" * 58,
    "sk-ant-" + "x1Y2" * 10,
]
HARMLESS = [
    "a line that says -----BEGIN PRIVATE KEY----- marks a key",
    "def token(self) -> str: return self._token",
    "password: str = field(default='')",
    "the password is required",
    "the api key is read from the environment",
    "secret = <your secret>",
    "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "postgres://user:${PASSWORD}@host/db",
]


@pytest.mark.parametrize("text", SECRETS)
def test_keys_and_tokens_are_secrets_wherever_they_stand(text: str) -> None:
    assert holds_secret(text)
    assert tells_secret("x\n" * 3_000 + text)


@pytest.mark.parametrize(
    "text", ["the db password is hunter2", "api_key = 'f3a9-77'", "password for bob: s3cr3t!", "amqp://me:pa55@h/x"]
)
def test_a_sentence_that_gives_a_password_away_is_a_secret(text: str) -> None:
    assert tells_secret(text)
    assert not holds_secret(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_talk_about_secrets_is_none(text: str) -> None:
    assert not holds_secret(text)
    assert not tells_secret(text)


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    assert not holds_secret(text) or tells_secret(text)
