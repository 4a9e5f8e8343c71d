"""Everything that is made from stored records: figures, tables, claims, the report."""
