"""EasyPost's trackers."""
