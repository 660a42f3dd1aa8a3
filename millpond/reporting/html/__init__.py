"""Self-contained pages: no network, no script; light and dark, on paper, by keyboard and screen reader."""
