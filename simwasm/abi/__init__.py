"""What crosses the boundary between host and plugin, described once, as data."""
