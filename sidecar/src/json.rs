//! Ordered raw views of JSON text: one validating pass, no copy, no tree.
