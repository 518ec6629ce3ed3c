"""Image -> what describes it: keypoints, oriented patches, dense maps."""
