"""Compile the mail layout: `python notifier/mail/templates/build.py`. The result is committed; a test compares it."""

from pathlib import Path

import mrml

HERE = Path(__file__).parent


def compiled() -> str:
    """Return layout.mjml as HTML for mail programs; Jinja expressions are unchanged."""
    return str(mrml.to_html((HERE / "layout.mjml").read_text()).content) + "\n"


if __name__ == "__main__":
    (HERE / "layout.html").write_text(compiled())
