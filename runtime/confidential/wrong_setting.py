"""The errors of a setting that cannot be used. Their texts are for the operator and never repeat a secret."""

from pathlib import Path


class WrongSetting(ValueError):
    """A setting has a value that cannot be used. The text says how to correct it."""


class UnreadableSetting(OSError):
    """A file that a setting names cannot be read. `filename` is such as "SMTP_URL_FILE names /nowhere"."""

    def __str__(self) -> str:
        return f"{self.filename}, which cannot be read ({self.strerror})"


def read_file(variable: str, path: Path) -> str:
    """Return the trimmed text of the file that `variable` names. Raises UnreadableSetting."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as failure:
        # A URL belongs into the variable without _FILE; it may have a password, so neither cause nor text shows it.
        shown = "a URL instead of a file" if ":/" in str(path) else path
        raise UnreadableSetting(failure.errno, failure.strerror, f"{variable} names {shown}") from None
    except UnicodeDecodeError:  # its text has a byte of the secret
        raise UnreadableSetting(0, "it is not UTF-8", f"{variable} names {path}") from None
