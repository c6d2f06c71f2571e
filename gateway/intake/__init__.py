"""One webhook: admitted, authenticated, translated, appended; or rejected and kept."""
