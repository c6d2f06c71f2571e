"""The pages themselves; `console.web` says how one is made."""
