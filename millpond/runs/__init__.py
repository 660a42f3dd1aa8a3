"""The loop: lease, observe, plan, admit, execute, settle."""
