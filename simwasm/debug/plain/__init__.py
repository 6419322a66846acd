"""The line debugger: the words of gdb for the debugger's core, for people without a screen and for scripts."""
