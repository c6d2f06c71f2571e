"""Everything that a page is rendered with: templates, texts, formats, static files, the navigation."""
