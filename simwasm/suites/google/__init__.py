"""Test files of Google's service-extensions plugin tester, read and played by its rules."""
