"""The way of a picture, one file a step."""
