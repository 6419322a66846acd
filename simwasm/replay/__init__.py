"""Replay at any size: traffic in one process, in several, or on a cluster, and what is told of it in the end."""
