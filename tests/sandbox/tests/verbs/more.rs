//! Attacks that take several steps, or that the table has no row for.
