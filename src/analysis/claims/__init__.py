"""The paper's statements as functions from stored records to a verdict (PROTOCOL 8.3)."""
