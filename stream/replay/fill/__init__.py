"""Fills an empty schema from the topics; a killed fill resumes after its last committed batch."""
