"""Reads URLs that may have a password, which no error repeats; those of urllib quote the host and its credentials."""

import re
from urllib.parse import SplitResult, urlsplit

from runtime.confidential.wrong_setting import WrongSetting

ESCAPES = "write / ? # [ ] and @ in a password as %2F %3F %23 %5B %5D %40"


def split(url: str) -> SplitResult:
    """Split a URL. Raises WrongSetting for a host that cannot be read, or a port that is no number up to 65535."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise WrongSetting(
            f"its host or port cannot be read: a port is a number up to 65535; {ESCAPES}, and other than ASCII likewise"
        ) from None
    return parts


def without_password(url: str) -> str:
    """Return the URL, with a scheme or without, with user and password, all up to its last @, replaced by `…`."""
    return re.sub(r"\A([^/@]*://)?.*@", r"\1…@", url, flags=re.DOTALL)
