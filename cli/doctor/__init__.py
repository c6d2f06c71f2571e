"""`hookstream doctor`: checks each part that the system stands on, and says what to do about what is wrong."""
