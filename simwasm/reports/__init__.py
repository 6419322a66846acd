"""What was checked and how it went, in forms for people and for the machines that run tests."""
