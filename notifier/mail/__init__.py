"""Compose mails: texts, amounts, MIME. Pure, except that it reads the templates."""
