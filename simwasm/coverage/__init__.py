"""Coverage: which callbacks, host calls, functions and lines of source of a plugin were reached."""
