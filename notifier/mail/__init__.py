"""Composes mails: texts, amounts, MIME. Pure but for reading the templates."""
