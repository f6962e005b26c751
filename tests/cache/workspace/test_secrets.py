import base64
import os
from pathlib import Path

import pytest

from penstock.cache.errors import SecretDenied
from penstock.cache.ledger import Ledger
from penstock.cache.workspace.files import Workspace
from penstock.cache.workspace.ranges import LineRange
from penstock.cache.workspace.secrets import SecretRule

BODY = base64.b64encode(bytes(range(96))).decode()


def pem(kind: str, newline: str = "\n") -> str:
    return f"-----BEGIN {kind}-----{newline}{BODY}{newline}-----END {kind}-----{newline}"


@pytest.mark.parametrize(
    "rel",
    [
        *(".env", ".env.local", "a/.env.production", ".envrc", "prod.env", ".ENV", ".Env.Local", "\uff0eenv", ".env.", ".env "),
        *("id_rsa", "keys/id_ed25519", "server.pem", "server.KEY", "a.p12", "a.pfx", "vault.kdbx", "a.ppk", "x.jks"),
        *(".npmrc", ".netrc", ".pypirc", ".pgpass", ".git-credentials", ".htpasswd", "terraform.tfstate", "credentials"),
        *("credentials.json", "secrets.yaml", "secret.toml", "service-account.json", "service_account-prod.json"),
        *(".ssh/config", "home/.aws/config", ".gnupg/x", ".kube/config", ".docker/config.json", ".git/config", "sub/.Git/Config"),
        *("\u017fecrets.json", "server.\u212aey", "cred\u0130als.json".replace("\u0130als", "ent\u0130als")),
    ],
)
def test_secret_names_are_denied_in_any_case(rel: str) -> None:
    assert SecretRule().denies_name(rel)


@pytest.mark.parametrize(
    "rel",
    [
        *(".env.example", ".env.sample", ".env.template", ".env.local.example", "example.env", "id_rsa.pub", ".ssh/id_rsa.pub"),
        *(
            "secrets.py",
            "src/credentials.go",
            "key.py",
            "monkey",
            "environment.yml",
            "id_map.py",
            "servicemesh.json",
            ".gitignore",
        ),
        *("README.md", "a.keys", "token.py", ".github/workflows/secrets.md", "secrets.yaml.template", "", "envs/dev.py"),
    ],
)
def test_ordinary_names_are_not_denied(rel: str) -> None:
    assert not SecretRule().denies_name(rel)


@pytest.mark.parametrize(
    "head",
    [
        *(pem(f"{kind}PRIVATE KEY").encode() for kind in ("", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ")),
        pem("PRIVATE KEY", "\r\n").encode(),
        ("Bag Attributes\n  x: 1\n" + pem("PRIVATE KEY")).encode(),
        f'{{"private_key": "{pem("PRIVATE KEY", chr(92) + "n")}"}}'.encode(),
        f"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: X,1\n\n{BODY}\n".encode(),
        f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{BODY}\n".encode(),
        b"openssh-key-v1\0rest",
        b"PuTTY-User-Key-File-3: ssh-rsa\n",
        b"# created\nAGE-SECRET-KEY-1" + b"Q" * 58,
        b"\x30\x82\x09\x00\x02\x01\x03\x30\x82",
        b"\x30\x82\x04\xbd\x02\x01\x00\x30\x0d\x06\x09",
        b"\x30\x82\x04\xa4\x02\x01\x00\x02\x82\x01",
        b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5rest",
    ],
)
def test_private_keys_are_known_by_their_first_bytes(head: bytes) -> None:
    assert SecretRule().denies_content("notes.txt", head)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        pem("CERTIFICATE").encode(),
        pem("PUBLIC KEY").encode(),
        b'if b"-----BEGIN RSA PRIVATE KEY-----" in data:\n    deny()\n',
        b"The file begins with -----BEGIN PRIVATE KEY-----\nand goes on with base64.\n",
        b"0\x82 text",
        b"PuTTY is a program",
        b"x" * 5000 + pem("PRIVATE KEY").encode(),
    ],
)
def test_talk_about_keys_is_no_key(head: bytes) -> None:
    assert not SecretRule().denies_content("notes.txt", head)


def test_the_users_exceptions_lift_name_and_content() -> None:
    rule = SecretRule(["tests/certs/*", ".env.test"])
    assert not rule.denies_name("tests/certs/server.pem")
    assert not rule.denies_name("deep/.env.test")
    assert not rule.denies_content("tests/certs/server.pem", pem("PRIVATE KEY").encode())
    assert rule.denies_name("server.pem")
    assert "2" in repr(rule)


def test_a_link_to_a_secret_is_judged_by_what_it_opens(workspace: Workspace, root: Path) -> None:
    """CVE-2026-25724: rules on the typed path are passed by a link."""
    (root / "x").mkdir()
    (root / ".env").write_text("TOKEN=1")
    (root / "notes.txt").symlink_to(".env")
    (root / "absolute.txt").symlink_to(root / ".env")
    (root / "key.txt").write_text(pem("PRIVATE KEY"))
    for path in (".env", "notes.txt", "absolute.txt", "x/../.env", "key.txt"):
        with pytest.raises(SecretDenied) as caught:
            workspace.read(path)
        assert "TOKEN" not in str(caught.value)
    with pytest.raises(SecretDenied):
        workspace.read_window("notes.txt", [LineRange(1, None)], max_bytes=1000)
    with pytest.raises(SecretDenied):
        workspace.read_window("key.txt", [LineRange(1, None)], max_bytes=1000)
    with pytest.raises(SecretDenied):
        workspace.stat("notes.txt")


def test_a_link_with_a_secret_name_to_an_ordinary_file_is_served(workspace: Workspace, root: Path) -> None:
    (root / "config").write_text("x=1")
    (root / ".env").symlink_to("config")
    assert workspace.read(".env").data == b"x=1"


def test_exceptions_reach_reads_and_walks(root: Path) -> None:
    (root / ".env").write_text("x=1")
    allowing = Workspace([root], ledger=Ledger(1 << 20), secrets=SecretRule([".env"]))
    denying = Workspace([root], ledger=Ledger(1 << 20))
    assert allowing.read(".env").data == b"x=1"
    assert [file.rel for file in allowing.walk().files] == [".env"]
    assert list(denying.walk().files) == []
    assert denying.walk().skipped == {"secret-like name": 1}
    assert os.path.exists(root / ".env")
    allowing.close()
    denying.close()
