//! What is released.
