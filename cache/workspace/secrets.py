"""Which files are secrets: by the real name of what was opened, and by how its first bytes look.

The rule knows nothing of typed paths: a link `notes.txt -> .env` is judged as `.env`. It denies whole files; it never edits
what it lets through, since a masked file that is written back destroys the original. Exceptions come from the user's own
configuration, never from a workspace.
"""

import re
import unicodedata
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from ..errors import SecretDenied
from .names import printable

SNIFF_BYTES: Final = 4096
"""Key files begin with their marker; 4 KB also covers a certificate or a comment before it."""

_FOLDERS: Final = frozenset({".ssh", ".aws", ".gnupg", ".azure", ".kube"})
_FOLDER_PAIRS: Final = (".config/gcloud/", ".docker/config.json", ".git/config")
_NAMES: Final = frozenset(
    {
        *(".env", ".envrc", ".npmrc", ".netrc", "_netrc", ".pypirc", ".pgpass", ".my.cnf", ".git-credentials", ".dockercfg"),
        *(".htpasswd", ".vault_pass", ".vault-token", "credentials", "kubeconfig", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"),
        *("id_ecdsa_sk", "id_ed25519_sk", "id_xmss", "terraform.tfstate", "terraform.tfstate.backup"),
    }
)
_SUFFIXES: Final = (".pem", ".key", ".p12", ".pfx", ".ppk", ".kdbx", ".kdb", ".jks", ".keystore", ".env")
_PREFIXES: Final = (".env.", "id_rsa.", "id_dsa.", "id_ecdsa.", "id_ed25519.")
_PUBLIC_SUFFIXES: Final = (".example", ".sample", ".template", ".pub")
_PUBLIC_NAMES: Final = frozenset({"example.env", "sample.env", "template.env"})
_CONFIG: Final = re.compile(
    r"(?:credentials?|secrets?|service[-_]?account.*)\.(?:json|ya?ml|toml|ini|properties|xml|cfg|conf|txt)"
)

_BODY: Final = rb"(?:\r?\n|\\r\\n|\\n)(?:[A-Za-z0-9-]+: ?[^\r\n]*\r?\n)*\s*[A-Za-z0-9+/=]{16}"
# A marker without key material after it is source code or documentation about keys.
_PEM: Final = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[ \t]*" + _BODY)
_AGE: Final = re.compile(rb"AGE-SECRET-KEY-1[0-9A-Z]{50}")
_LENGTH: Final = rb"(?:\x80|[\x00-\x7f]|\x81.|\x82..|\x83...)"
_DER: Final = re.compile(
    rb"\x30" + _LENGTH + rb"\x02\x01(?:\x03\x30|\x00\x30" + _LENGTH + rb"\x06|\x00\x02\x82|\x01\x04[\x14-\x48])", re.DOTALL
)
"""PKCS#12; PKCS#8; PKCS#1 RSA; SEC1 EC."""
_MAGIC: Final = (b"openssh-key-v1\0", b"PuTTY-User-Key-File-", b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5")


class SecretRule:
    """Denies secret-like files, save those that the user's configuration allows. Immutable."""

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        """Take the exceptions: globs matched against the path below the root, and against the bare name."""
        self._allowed: Final = tuple(folded(pattern) for pattern in allowed)

    def __repr__(self) -> str:
        return f"<SecretRule {len(self._allowed)} exceptions>"

    def denies_name(self, rel: str) -> bool:
        """Whether a file of this real path, relative to its root with forward slashes, is denied unread."""
        path = rel.lower() if rel.isascii() else folded(rel)
        return _is_secret_path(path) and not self._is_allowed(path)

    def denies_content(self, rel: str, head: bytes) -> bool:
        """Whether the first bytes of a file look like a private key or a key store."""
        return _is_secret_content(head[:SNIFF_BYTES]) and not self._is_allowed(folded(rel))

    def check(self, rel: str, head: bytes | None = None) -> None:
        """Return if the file may be served.

        Raises:
            SecretDenied: By its name, or by `head`, its first bytes.
        """
        if self.denies_name(rel):
            raise _denied(rel, "its name is one that secrets have")
        if head is not None and self.denies_content(rel, head):
            raise _denied(rel, "it holds a private key")

    def _is_allowed(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        return any(fnmatchcase(path, pattern) or fnmatchcase(name, pattern) for pattern in self._allowed)


def folded(name: str) -> str:
    """Fold what a case-insensitive volume folds: case, compatibility forms, the dot of a Turkish capital I, trailing dots."""
    text = unicodedata.normalize("NFKC", name).casefold().replace("\u0307", "")
    return "/".join(part.rstrip(". ") or part for part in text.split("/"))


def _is_secret_path(path: str) -> bool:
    """`path` is folded. Ordered so that an ordinary name costs a few string operations."""
    folder, _, name = path.rpartition("/")
    if folder and _is_secret_folder(folder, path):
        return not name.endswith(_PUBLIC_SUFFIXES)
    name = name.rstrip(". ")
    if name in _NAMES or name.endswith(_SUFFIXES) or name.startswith(_PREFIXES):
        return not name.endswith(_PUBLIC_SUFFIXES) and name not in _PUBLIC_NAMES
    return name.startswith(("credential", "secret", "service")) and _CONFIG.fullmatch(name) is not None


def _is_secret_folder(folder: str, path: str) -> bool:
    if "." not in folder:
        return False
    if any(part in _FOLDERS for part in folder.split("/")):
        return True
    return any(f"/{path}".find(f"/{pair}") >= 0 for pair in _FOLDER_PAIRS)


def _is_secret_content(head: bytes) -> bool:
    if head.startswith(_MAGIC) or _DER.match(head):
        return True
    return (b"PRIVATE KEY" in head and _PEM.search(head) is not None) or (b"AGE-S" in head and _AGE.search(head) is not None)


def _denied(rel: str, why: str) -> SecretDenied:
    return SecretDenied(
        f"{printable(rel)} is not served",
        why=f"{why}; this is judged by the file that was really opened",
        next_call="ask the user; they can allow it under `workspace.allow_secrets` in their own configuration",
    )
