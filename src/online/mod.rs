//! What the DNS says.
