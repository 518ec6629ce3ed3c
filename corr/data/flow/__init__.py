"""Pairs of frames with dense flow for training networks of optical flow."""
