"""Pairs of images whose points correspond in a known way, from any source, for dense training."""
