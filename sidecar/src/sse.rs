//! Server-sent events: framing that survives any split, bytes kept as they came.
