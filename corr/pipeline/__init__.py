"""Two images -> a result: what `corr` offers as functions and as commands."""
