"""One module per verb: parse, call, render, exit code."""
