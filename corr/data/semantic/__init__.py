"""Images of different things of one kind, and which of their points mean the same."""
