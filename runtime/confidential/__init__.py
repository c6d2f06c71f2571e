"""Values of settings that no error repeats: URLs with a password, and files with a secret."""
