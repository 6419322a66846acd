"""The event stream: recorded, stored, printed."""
