"""The same traffic through two builds, or two configurations, exchange by exchange."""
