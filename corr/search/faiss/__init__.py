"""FAISS behind the same door: flat search, indices of any kind, rectified rows, GPUs."""
