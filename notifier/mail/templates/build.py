"""Compiles the layout of mails: `python notifier/mail/templates/build.py`. Its result is committed and tested."""

from pathlib import Path

import mrml

HERE = Path(__file__).parent


def compiled() -> str:
    """The layout as mail programs understand it, with its Jinja marks untouched."""
    return str(mrml.to_html((HERE / "layout.mjml").read_text()).content) + "\n"


if __name__ == "__main__":
    (HERE / "layout.html").write_text(compiled())
