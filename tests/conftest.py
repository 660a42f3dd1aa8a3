"""For all tests."""

import signal

# A shell that starts the tests in the background ignores SIGINT for them, and every process they start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)
